"""Watch a running job: its losses against the forecast, the final loss to expect, when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.arguments import (
    LABEL,
    NAME,
    NUMBER,
    NUMBERS,
    POSITIVE,
    SEED,
    Kind,
    check_arguments,
)
from bayescale.errors import ForecastError, InferenceError
from bayescale.forecasts.curve_points import FIRST, CurvePoints, curve_points
from bayescale.forecasts.curve_prior import LEARNED, draw_shapes
from bayescale.forecasts.curve_update import band, update, with_doubt
from bayescale.forecasts.forecast import forecast
from bayescale.forecasts.job import choose_run, inputs_of, schedule_of, share_done
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.schedules import schedules
from bayescale.forecasts.watch_curves import watch_curves
from bayescale.forecasts.watched import BAND_LEVELS, SURPRISING, Watch
from bayescale.inference.curve_posterior import CurvePosterior, load_curve_posterior
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior, load_posterior
from bayescale.runs.importers.metric_names import TRAINING
from bayescale.runs.importers.read import read_logs
from bayescale.runs.importers.run_log import LossCurve, RunLog
from bayescale.runs.schema import N_TOKENS

STOP_RATE = 0.05
SHAPES = 4000
"""Draws of what a curve may look like."""

BAND_AT = np.geomspace(FIRST, 1.0, 60)


_SCHEDULE = Kind(
    "the name of a schedule, or learning rates", lambda x: isinstance(x, str) or NUMBERS.holds(x)
)


def watch(
    log: Any,
    against: Any,
    *,
    target: float | None = None,
    stop_rate: float = STOP_RATE,
    metric: str | None = None,
    batch_tokens: float | None = None,
    n_steps: float | None = None,
    schedule: str | Sequence[float] | None = None,
    decay: float | None = None,
    run: str | None = None,
    label: Sequence[str] | None = None,
    seed: int = 0,
    **inputs: float,
) -> Watch:
    """Compare a running job with its forecast, and forecast its final loss anew.

    Parameters
    ----------
    log : path, RunLog, or run of a tracker's API
        What `bayescale.runs.importers` reads: JSONL, CSV, a folder that grows, a console...
    against : Posterior, CurvePosterior, path of a saved one, or anything `fit` takes
        What forecasts the run: a law of final losses, or of whole curves (`fit_curves`), which
        then says what the curve will look like, too.
    target : float, optional
        Loss that the run is made for.
    stop_rate : float
        Most of the runs that would meet the target which the stop rule may stop.
    metric : str, optional
        Which logged loss; a held-out one by default, if there is a curve of it.
    batch_tokens, n_steps : float, optional
        Tokens of a step, and steps of the whole run, where the log does not tell.
    schedule : str or sequence of float, optional
        ``"constant"``, ``"cosine"``, ``"linear"``, ``"wsd"``, or the learning rates of the whole
        run at even distances. As the log says by default; where it is silent the schedule counts
        as unknown, which costs width.
    decay : float, optional
        Share of the run over which ``"wsd"`` decays; a fifth by default.
    run : str, optional
        Which run, where the log holds several.
    label : sequence of str, optional
        Group of the run, where the posterior has several.
    seed : int
        Seed of the draws.
    **inputs : float
        The law's inputs of the whole run, ``n_params=7e9, n_tokens=2e12``; what is left out is
        taken from the log's configuration.

    Returns
    -------
    Watch
        The final loss as expected now, P(target), the band and the stop rule's verdict.

    Raises
    ------
    ForecastError
        When the run's plan is not known, or it is beyond its plan.
    RunsTableError, UnknownNameError
        When the log cannot be read, or holds no such run or metric.
    """
    check_arguments(
        "watch",
        ForecastError,
        metric=(metric, NAME.or_none),
        batch_tokens=(batch_tokens, POSITIVE.or_none),
        n_steps=(n_steps, POSITIVE.or_none),
        schedule=(schedule, _SCHEDULE.or_none),
        decay=(decay, NUMBER.or_none),
        run=(run, NAME.or_none),
        label=(label, LABEL.or_none),
        seed=(seed, SEED),
        **{name: (value, POSITIVE) for name, value in inputs.items()},
    )
    check_stop_rule(target, stop_rate)
    found = log if isinstance(log, RunLog) else choose_run(read_logs(log), run)
    posterior = posterior_of(against, seed)
    curve = found.curve(metric, batch_tokens)
    if isinstance(posterior, CurvePosterior):
        share, planned = share_done(curve, found, inputs.get(N_TOKENS), n_steps)
        return watch_curves(
            posterior, found, curve, share, planned, schedule, label, target, stop_rate
        )
    at = inputs_of(posterior.law, found, inputs)
    share, planned = share_done(curve, found, at.get(N_TOKENS, inputs.get(N_TOKENS)), n_steps)
    made = forecast(
        posterior, seed=seed, warn=False, labels=None if label is None else [tuple(label)], **at
    )
    rng = np.random.default_rng(seed)
    schedule, decay = schedule_of(found, schedule, decay)
    shapes = draw_shapes(LEARNED, schedules(schedule, decay), SHAPES, rng)
    points = curve_points(share, curve.loss)
    prior = with_doubt(made.mixture)
    updated = update(prior, shapes, points, rng)
    return Watch(
        curve=curve,
        planned=planned,
        done=float(share[-1]),
        inputs=at,
        points=points,
        before=Mixture(made.mixture.mean, made.mixture.variance),
        prior=prior,
        now=updated.mixture,
        share=BAND_AT,
        band=band(made.mixture, shapes, BAND_AT, np.array(BAND_LEVELS), rng),
        target=target,
        stop_rate=stop_rate,
        n_shapes=updated.n_shapes,
        surprise=updated.surprise,
        notes=_notes(curve, points, schedule, updated.surprise),
    )


def check_stop_rule(target: float | None, stop_rate: float) -> None:
    """Raise a `ForecastError` for a target or a rate that is none."""
    check_arguments(
        "watch",
        ForecastError,
        target=(target, NUMBER.or_none),
        stop_rate=(stop_rate, NUMBER),
    )
    if target is not None and not (np.isfinite(target) and target > 0):
        raise ForecastError(f"watch: target is {target!r}, expected a positive loss.")
    if not 0.0 < stop_rate < 1.0:
        raise ForecastError(f"watch: stop_rate is {stop_rate!r}, expected between 0 and 1.")


def posterior_of(against: Any, seed: int) -> Posterior | CurvePosterior:
    """Return the posterior that was given, saved in a file, or is to be fitted first.

    Raises
    ------
    ForecastError
        When what it predicts is no loss.
    """
    if isinstance(against, CurvePosterior):
        return against
    if isinstance(against, Posterior):
        posterior = against
    elif isinstance(against, str | Path) and str(against).endswith(".nc"):
        try:
            posterior = load_posterior(against)
        except InferenceError as error:
            return _of_curves(Path(against), error)
    else:
        posterior = fit(against, seed=seed)
    if posterior.law.output_support != "positive":
        raise ForecastError(
            f"watch: law {posterior.law.name!r} gives {posterior.law.output}, expected a loss."
        )
    return posterior


def _of_curves(path: Path, error: InferenceError) -> CurvePosterior:
    """Return a saved posterior of curves, or the error of one that is of neither kind."""
    try:
        return load_curve_posterior(path)
    except InferenceError:
        raise error from None


def _notes(
    curve: LossCurve, points: CurvePoints, schedule: Any, surprise: float
) -> tuple[str, ...]:
    notes = []
    if curve.metric in TRAINING:
        notes.append(f"{curve.metric} is a loss of training batches; the forecast's may be another")
    if schedule is None and len(points):
        notes.append(
            "the learning-rate schedule is not known (cosine, wsd or constant, a third each)"
        )
    if not len(points):
        notes.append(f"no loss yet beyond {FIRST:.0%} of the run: this is the forecast itself")
    if surprise > SURPRISING:
        notes.append(f"the curve is unlike those learned from (misfit {surprise:.1f}, 1 expected)")
    return tuple(notes)
