"""Forecasts along a ray of constant D/N, for curves."""

from __future__ import annotations

import numpy as np

from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.forecast import forecast as forecast_at
from bayescale.forecasts.points import Points
from bayescale.models.problem import positions

STEPS = 64
"""Points of a ladder: enough for a smooth curve, few enough to cost milliseconds."""


def ladder(
    forecast: Forecast, group: int = 0, through: int | None = None, steps: int = STEPS
) -> Forecast:
    """Return forecasts from the smallest fitted compute to past the largest point of a group.

    The ray scales every input of one point by the same factor, so that D/N stays what it is there.

    Parameters
    ----------
    forecast : Forecast
        Where it has no point of `group`, the largest fitted run sets the ray.
    group : int
        Index of the group in the posterior.
    through : int, optional
        Index of the point that sets the ray; by default the one with the largest compute.
    steps : int
        Points, evenly spaced in log compute.
    """
    posterior = forecast.posterior
    problem, label = posterior.problems[group], posterior.labels[group]
    rows = [k for k, name in enumerate(forecast.points.labels) if name == label]
    given = {name: values[rows] for name, values in forecast.points.inputs.items()}
    # A group known only through its population starts where the groups with runs do.
    known = [problem] if len(problem) else [p for p in posterior.problems if len(p)]
    fitted = np.concatenate([each.positions for each in known])
    points = positions(problem.law, given) if rows else fitted
    largest = points[np.argmax(points.sum(axis=1))]
    anchor = points[rows.index(through)] if through in rows else largest
    start = fitted.sum(axis=1).min()
    end = max(largest.sum(), fitted.sum(axis=1).max()) + 0.35
    shift = (np.linspace(start, end, steps) - anchor.sum()) / len(anchor)
    inputs = {name: np.exp(anchor[k] + shift) for k, name in enumerate(problem.law.inputs)}
    return forecast_at(posterior, Points(inputs, (label,) * steps), warn=False)
