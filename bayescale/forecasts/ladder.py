"""Forecasts along a ray of constant D/N, for curves."""

from __future__ import annotations

import numpy as np

from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.forecast import forecast as forecast_at
from bayescale.forecasts.points import Points
from bayescale.models.problem import positions

STEPS = 64
"""Points of a ladder: enough for a smooth curve, few enough to cost milliseconds."""


def ladder(forecast: Forecast, group: int = 0, steps: int = STEPS) -> Forecast:
    """Return forecasts from the smallest fitted compute to past the largest point of a group.

    The ray passes through the point with the largest compute, and scales every input by the same
    factor, so that D/N stays what it is at that point.

    Parameters
    ----------
    forecast : Forecast
        Its largest point of `group` sets the ray; without one, the largest fitted run does.
    group : int
        Index of the group in the posterior.
    steps : int
        Points, evenly spaced in log compute.
    """
    posterior = forecast.posterior
    problem, label = posterior.problems[group], posterior.labels[group]
    rows = [k for k, name in enumerate(forecast.points.labels) if name == label]
    given = {name: values[rows] for name, values in forecast.points.inputs.items()}
    anchors = positions(problem.law, given) if rows else problem.positions
    anchor = anchors[np.argmax(anchors.sum(axis=1))]
    start = problem.positions.sum(axis=1).min()
    end = max(anchor.sum(), problem.positions.sum(axis=1).max()) + 0.35
    shift = (np.linspace(start, end, steps) - anchor.sum()) / len(anchor)
    inputs = {name: np.exp(anchor[k] + shift) for k, name in enumerate(problem.law.inputs)}
    return forecast_at(posterior, Points(inputs, (label,) * steps), warn=False)
