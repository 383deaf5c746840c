"""Watch a running job against laws of whole curves: they say what it will look like themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescale.errors import ForecastError
from bayescale.forecasts.curve_forecast import CurveForecast, forecast_curve
from bayescale.forecasts.curve_points import FIRST, curve_points
from bayescale.forecasts.job import facts_of
from bayescale.forecasts.schedules import schedule
from bayescale.forecasts.watched import BAND_LEVELS, Watch
from bayescale.inference.curve_posterior import CurvePosterior
from bayescale.models.discrepancy import Floats
from bayescale.runs.curves import Curve
from bayescale.runs.importers.run_log import LossCurve, RunLog
from bayescale.runs.schedule import Schedule
from bayescale.runs.schema import LEARNING_RATE, N_TOKENS

BAND_AT = np.geomspace(FIRST, 1.0, 40)


def watch_curves(
    posterior: CurvePosterior,
    log: RunLog,
    curve: LossCurve,
    share: Floats,
    planned: float,
    given: str | Sequence[float] | None,
    label: Sequence[str] | None,
    target: float | None,
    stop_rate: float,
) -> Watch:
    """Compare a running job with a forecast of its whole curve; see `watch`.

    Raises
    ------
    ForecastError
        When the posterior runs along something else than what the log tells, or its laws read a
        learning rate that is not known.
    """
    at = share * planned
    if posterior.along == N_TOKENS and not np.isfinite(curve.n_tokens).all():
        raise ForecastError(
            f"watch: the laws run along {N_TOKENS}, which the log of {curve.name!r} does not tell.",
            "Give batch_tokens=... (--batch-tokens).",
        )
    plan = _schedule(posterior, log, given, planned)
    name = curve.name
    group = posterior.labels[0] if label is None and len(posterior.labels) == 1 else label
    observed = Curve(run=name, at=at, output=curve.loss, schedule=plan)

    def expected(where: Floats, seen: Curve | None) -> CurveForecast:
        return forecast_curve(
            posterior, where, run=name, observed=seen, schedule=plan, group=group, smooth=True
        )

    end = np.array([planned])
    before, now = expected(end, None), expected(end, observed)
    return Watch(
        curve=curve,
        planned=planned,
        done=float(share[-1]),
        inputs={posterior.along: planned},
        points=curve_points(share, curve.loss),
        before=before.mixture,
        prior=before.mixture,
        now=now.mixture,
        share=BAND_AT,
        band=expected(BAND_AT * planned, None).quantile(BAND_LEVELS),
        target=target,
        stop_rate=stop_rate,
        n_shapes=now.ess,
        surprise=1.0,
        notes=(f"laws of curves ({', '.join(posterior.laws)}) on other runs of its group",),
    )


def _schedule(
    posterior: CurvePosterior,
    log: RunLog,
    given: str | Sequence[float] | None,
    planned: float,
) -> Schedule | None:
    """Return the learning rates of the whole run by step, as the fitted runs have them."""
    fits = next(iter(posterior.fits.values()))
    if not any(getattr(fit.problem.law, "reads_schedule", False) for fit in fits):
        return None
    peak = facts_of(log).get(LEARNING_RATE)
    if given is None or (isinstance(given, str) and peak is None):
        raise ForecastError(
            f"watch: laws {', '.join(posterior.laws)} read the learning rate, and that of run"
            f" {log.name!r} is not known.",
            "Give schedule=..., the rates of the whole run at even distances.",
        )
    if isinstance(given, str):
        made = schedule(given)
        return Schedule(planned * made.steps, float(peak or 0.0) * made.rates)
    return Schedule(np.linspace(0.0, planned, len(given)), np.asarray(given, dtype=float))
