"""Means and variances of a curve, draw by draw: the law, its drift, and what a job has shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayescale.forecasts.curve_conditional import Conditional, seen_of, stretch_of
from bayescale.inference.curve_fit import CurveFit
from bayescale.models.discrepancy import Floats
from bayescale.runs.curves import Curve
from bayescale.runs.schedule import Schedule

OBSERVED_POINTS = 40
"""Points kept of a running job."""


@dataclass(frozen=True)
class Predicted:
    """Normal components on the linked scale, one a draw.

    Parameters
    ----------
    mean, variance : array, shape (S, m)
        At each step.
    ess : float
        Effective draws behind them.
    """

    mean: Floats
    variance: Floats
    ess: float


def predict_curve(
    fit: CurveFit,
    at: Floats,
    run: str,
    schedule: Schedule | None,
    observed: Curve | None,
    smooth: bool,
    family: tuple[str, ...] = (),
) -> Predicted:
    """Return the predictive distribution of a run under one law; see `forecast_curve`.

    A new run is of `family`, which need not be said where the fit has only one.
    """
    if fit.problem.common and run not in fit.problem.runs:
        fit = fit.with_newcomer(run, family)
    curve, target = Conditional(fit), stretch_of(fit.problem, at, run, schedule)
    mean, variance = curve.mean(target), curve.variance(target)
    weights = np.full(len(fit.x), 1.0 / len(fit.x))
    if observed is not None:
        told = replace(observed, run=run, schedule=schedule)
        seen = seen_of(fit.problem, told, OBSERVED_POINTS)
        shift, less, fits = curve.told(target, seen)
        mean, variance = mean + shift, variance - less
        weights = np.exp(fits - fits.max())
        weights /= weights.sum()
    if not smooth:
        variance = variance + curve.noise(mean)
    ess = float(1.0 / (weights @ weights))
    rows = _systematic(weights)
    return Predicted(mean[rows], np.maximum(variance[rows], 1e-12), ess)


def _systematic(weights: Floats) -> np.ndarray:
    """Return as many rows as there are draws, each as often as its weight says."""
    steps = (np.arange(len(weights)) + 0.5) / len(weights)
    return np.minimum(np.searchsorted(np.cumsum(weights), steps), len(weights) - 1)
