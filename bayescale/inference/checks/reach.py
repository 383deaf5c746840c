"""Forecast points far outside the fitted runs."""

from __future__ import annotations

import numpy as np

from bayescale.inference.checks.subject import Check, Subject
from bayescale.models.discrepancy import Floats
from bayescale.runs.finding import Finding
from bayescale.runs.schema import N_PARAMS, N_TOKENS

NAME = "reach"
FAR = 300.0
"""Compute over the largest fitted compute beyond which few backtests reach."""

OFF_RATIO = 3.0
"""D/N may leave the fitted range by this factor before a reader is told."""


def run(subject: Subject) -> Finding:
    """Compare compute and D/N of the points with those of the fitted runs of their group."""
    forecast = subject.forecast
    if forecast is None:
        return Finding(NAME, "PASS", "Not checked: no forecast was given.")
    furthest = float(forecast.extrapolation_factor.max())
    off = _off_ratio(subject)
    message = f"The furthest point has {furthest:.3g}x the compute of the largest fitted run"
    advice = []
    if furthest > FAR:
        message += f", beyond {FAR:g}x, where its interval rests on the prior"
        advice.append("Train a run between the two")
    if off.size and off.max() > OFF_RATIO:
        message += f"; D/N of a point lies a factor of {off.max():.3g} outside the fitted D/N"
        advice.append(f"{'train' if advice else 'Train'} pilots at the D/N you mean to buy")
    if not advice:
        return Finding(NAME, "PASS", message + ".")
    return Finding(NAME, "REVIEW", message + ".", f"{', and '.join(advice)}.")


def _off_ratio(subject: Subject) -> Floats:
    """Return the factor by which D/N of each point leaves the fitted range, 1 inside it."""
    forecast = subject.forecast
    assert forecast is not None
    if not {N_PARAMS, N_TOKENS} <= set(subject.posterior.law.inputs):
        return np.empty(0)
    wanted = np.log(forecast.points.inputs[N_TOKENS] / forecast.points.inputs[N_PARAMS])
    fitted = {
        group.label: np.log(group.problem.inputs[N_TOKENS] / group.problem.inputs[N_PARAMS])
        for group in subject.groups
    }
    # A group without runs is known through all the others.
    everyone = np.concatenate(list(fitted.values()))
    held = [fitted.get(label, everyone) for label in forecast.points.labels]
    low = np.array([values.min() for values in held])
    high = np.array([values.max() for values in held])
    return np.asarray(np.exp(np.maximum(np.maximum(low - wanted, wanted - high), 0.0)))


CHECK = Check(NAME, run)
