"""The forecast of a curve: the band of its output by step, of runs fitted, planned or running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arguments import FLAG, LABEL, NAME, NUMBERS, a, check_arguments
from bayescale.errors import ForecastError
from bayescale.forecasts.curve_predict import Predicted, predict_curve
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predictive import Predictive
from bayescale.inference.curve_fit import CurveFit
from bayescale.inference.curve_posterior import CurvePosterior
from bayescale.inference.curves import refit_with
from bayescale.inference.threads import one_thread
from bayescale.laws import Law
from bayescale.models.discrepancy import Floats
from bayescale.runs.curves import Curve
from bayescale.runs.schedule import Schedule

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ESS_MIN = 100.0
"""Fewer effective draws after a running job's points: the group is fitted again with them."""


@dataclass(frozen=True, eq=False)
class CurveForecast(Predictive):
    """Predictive distribution of one run's output at each of several steps.

    Parameters
    ----------
    run : str
        Name of the run.
    along, output : str
        What it runs along, and what is predicted.
    law : Law
        One of the laws: it says on which scale `mixture` is.
    at : array, shape (m,)
        Steps.
    mixture : Mixture
        Components on the linked scale: log loss.
    observed : Curve, optional
        The part of the run that it was told.
    ess : float
        Effective draws of the posterior once those points had their say.
    refitted : bool
        Whether those were too few, and the group was fitted again with the job.
    """

    run: str
    along: str
    output: str
    law: Law
    at: Floats
    mixture: Mixture
    observed: Curve | None
    ess: float
    refitted: bool = False

    def __repr__(self) -> str:
        """Return one line: the run, the last step and the interval there."""
        low, high = self.interval(0.9)[-1]
        return (
            f"CurveForecast of {self.run!r} at {len(self.at)} values of {self.along}; at"
            f" {self.at[-1]:.6g}: {self.median[-1]:.4g} [{low:.4g}, {high:.4g}] at 90 %"
        )

    def to_frame(self, levels: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> pd.DataFrame:
        """Return one row a step with quantiles."""
        import pandas as pd

        values = self.quantile(levels)
        named = {f"{self.output}_q{100 * p:02.0f}": v for p, v in zip(levels, values, strict=True)}
        return pd.DataFrame({self.along: self.at, **named})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the median, the 50 and 90 % bands and what was observed."""
        from bayescale.plots.curve_forecast import plot_curve_forecast

        return plot_curve_forecast(self, ax=ax)


_POSTERIOR = a(CurvePosterior, "Make one with fit_curves(curves), or load_curve_posterior(path).")
_CURVE = a(Curve, "Take it from read_curves(...).curves.")
_SCHEDULE = a(Schedule, "Make one with Schedule(steps, rates).")


def forecast_curve(
    posterior: CurvePosterior,
    at: Any,
    *,
    run: str = "",
    observed: Curve | None = None,
    schedule: Schedule | None = None,
    group: str | Sequence[str] | None = None,
    smooth: bool = False,
) -> CurveForecast:
    """Forecast the output of one run at some steps.

    Parameters
    ----------
    posterior : CurvePosterior
        From `fit_curves`.
    at : float or array
        Steps, positive.
    run : str
        A fitted run, to continue its curve; else the name of a new one, drawn given its siblings.
        By default the one observed, or the only one fitted.
    observed : Curve, optional
        What a running job, not among the fitted runs, has shown so far: it tells the level of its
        own curve, and which draws of the coefficients suit it. Where fewer than 100 do, as where
        runs differ in level, the group is fitted again with it, as long as the first fit takes.
    schedule : Schedule, optional
        Learning rate of the run, its future included; that of `observed` or of the fitted run by
        default.
    group : str or sequence of str, optional
        Group whose coefficients hold; that of the run, or the only one, by default. Under nested
        pooling a new run's family: values of all group columns.
    smooth : bool
        True for the curve itself, without the noise of one measurement.

    Returns
    -------
    CurveForecast
        Laws pooled with equal weights, each as wide as `few_points` says.

    Raises
    ------
    ForecastError
        For steps that are not positive, a run both fitted and observed, or one of a family of which
        nothing was seen.
    UnknownNameError
        When the group cannot be told.
    """
    check_arguments(
        "forecast_curve",
        ForecastError,
        posterior=(posterior, _POSTERIOR),
        at=(at, NUMBERS),
        run=(run, NAME),
        observed=(observed, _CURVE.or_none),
        schedule=(schedule, _SCHEDULE.or_none),
        group=(group, LABEL.or_none),
        smooth=(smooth, FLAG),
    )
    at = np.atleast_1d(np.asarray(at, dtype=float))
    if not (np.isfinite(at) & (at > 0.0)).all():
        raise ForecastError(f"forecast_curve: at is {at.min():g}, expected positive numbers.")
    name = run or (observed.run if observed is not None else _only_run(posterior))
    fits = _fits(posterior, name, observed, group)
    if observed is not None and name in fits[0].problem.runs:
        raise ForecastError(
            f"run {name!r} is observed, and among the fitted runs.",
            "Leave observed= out, or fit without it.",
        )
    schedule = schedule or _schedule(fits[0], name, observed)
    family = _family(group, observed)
    refitted = _of_unknown_family(fits[0], name, family)
    if refitted and observed is None:
        known = ", ".join("/".join(own) for own in dict.fromkeys(fits[0].problem.families))
        raise ForecastError(
            f"run {name!r} is of family {'/'.join(family)!r}, of which nothing was seen; fitted:"
            f" {known}.",
            "Name one of them with group=, or give observed=.",
        )
    parts: list[Predicted] = []
    if not refitted:
        with one_thread():
            parts = [predict_curve(f, at, name, schedule, observed, smooth, family) for f in fits]
        refitted = observed is not None and min(part.ess for part in parts) < ESS_MIN
    if observed is not None and refitted:
        fits = refit_with(fits, replace(observed, group=family))
        parts = [predict_curve(fit, at, name, schedule, None, smooth) for fit in fits]
    law = fits[0].problem.law
    return CurveForecast(
        run=name,
        along=posterior.along,
        output=posterior.output,
        law=law,
        at=at,
        mixture=_pooled(parts, [few_points(fit) for fit in fits]),
        observed=observed,
        ess=min(part.ess for part in parts),
        refitted=refitted,
    )


def _family(group: str | Sequence[str] | None, observed: Curve | None) -> tuple[str, ...]:
    """Return the values of the group columns that a new run was said to have."""
    if group:
        return (group,) if isinstance(group, str) else tuple(group)
    return observed.group if observed is not None else ()


def _of_unknown_family(fit: CurveFit, run: str, family: tuple[str, ...]) -> bool:
    problem = fit.problem
    return run not in problem.runs and problem.family_of(family) not in problem.families


def _only_run(posterior: CurvePosterior) -> str:
    runs = [run for fits in posterior.fits.values() for run in fits[0].problem.runs]
    return runs[0] if len(runs) == 1 else ""


def _fits(
    posterior: CurvePosterior,
    run: str,
    observed: Curve | None,
    group: str | Sequence[str] | None,
) -> tuple[CurveFit, ...]:
    label = group or posterior.group_of(run)
    if label is None and observed is not None:
        columns = len(posterior.group_columns)
        label = observed.group if observed.group[:columns] in posterior.labels else None
    return posterior.of_group(label)


def _schedule(fit: CurveFit, run: str, observed: Curve | None) -> Schedule | None:
    if observed is not None:
        return observed.schedule
    runs = fit.problem.runs
    return fit.problem.schedules[runs.index(run)] if run in runs else None


def few_points(fit: CurveFit) -> float:
    """Return by how much the variance of a forecast grows because a group has few points.

    A posterior is too sure of the size of its errors there: over public curves the ends lie 1.3 to
    1.7 of its standard deviations off where 6 to 19 points were fitted, and .8 to 1 where 30 to 60
    were. The factor is that of a regression's residual variance, n / (n - coefficients).
    """
    n = len(fit.problem)
    return n / max(n - len(fit.problem.coordinates), 1)


def _pooled(parts: Sequence[Predicted], widened: Sequence[float]) -> Mixture:
    return Mixture(
        np.concatenate([_spread(p.mean, w) for p, w in zip(parts, widened, strict=True)]),
        np.concatenate([w * p.variance for p, w in zip(parts, widened, strict=True)]),
    )


def _spread(mean: Floats, widened: float) -> Floats:
    """Return means of components (S, m), their variance about their own mean grown."""
    centre = mean.mean(axis=0)
    return np.asarray(centre + np.sqrt(widened) * (mean - centre))
