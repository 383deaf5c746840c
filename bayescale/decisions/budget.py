"""The compute it takes to meet a target with a wanted probability, along a candidate's D/N."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from bayescale.decisions.outcomes import Budget
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.planned import Planned
from bayescale.decisions.scenario import Scenario
from bayescale.forecasts.forecast import forecast
from bayescale.forecasts.points import Points
from bayescale.models.discrepancy import Floats
from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS

SCALES = np.geomspace(1e-3, 1e4, 17)
"""Compute tried first, over the candidate's."""

FINER = 7
"""Runs tried next, between the two that lie on either side of the probability."""


def budget_needed(scenario: Scenario, planned: Planned, run: PlannedRun) -> Budget:
    """Return the smallest run like a candidate that meets the target often enough.

    Parameters
    ----------
    scenario : Scenario
        The question; its target states the probability.
    planned : Planned
        Forecasts of its runs.
    run : PlannedRun
        The candidate, whose D/N is kept.
    """
    wanted = scenario.target.probability
    reached = _reached(scenario, planned, run, SCALES)
    if reached.max() < wanted:
        nothing = dict.fromkeys(("flops", "n_params", "n_tokens", "cost_usd", "factor"))
        return Budget(probability=wanted, name=run.name, **nothing)
    above = max(int(np.argmax(reached >= wanted)), 1)
    finer = np.geomspace(SCALES[above - 1], SCALES[above], FINER)
    factor = _crossing(finer, _reached(scenario, planned, run, finer), wanted)
    inputs = scaled(run.inputs, factor)
    return Budget(
        probability=wanted,
        name=run.name,
        flops=scenario.flops(inputs),
        n_params=inputs[N_PARAMS],
        n_tokens=inputs[N_TOKENS],
        cost_usd=factor * scenario.run_cost_usd(run),
        factor=factor,
    )


def _reached(scenario: Scenario, planned: Planned, run: PlannedRun, scales: Floats) -> Floats:
    posterior = planned.forecast.posterior
    runs = [scaled(run.inputs, scale) for scale in scales]
    every = [{**inputs, FLOPS: scenario.flops(inputs)} for inputs in runs]
    columns = {name: np.array([at[name] for at in every]) for name in posterior.law.inputs}
    points = Points(columns, (planned.label(run.name),) * len(scales))
    made = forecast(posterior, points, warn=False)
    # More compute never hurts by the law; what the surface says otherwise is left aside.
    return np.maximum.accumulate(planned.measure.reached(made))


def scaled(inputs: dict[str, float], factor: float) -> dict[str, float]:
    """Return a run with `factor` times the compute at the same D/N."""
    root = float(np.sqrt(factor))
    return {name: v * (factor if name == FLOPS else root) for name, v in inputs.items()}


def _crossing(scales: Floats, rising: Floats, level: float) -> float:
    """Return where a rising curve first passes a level; its start if above it."""
    above = int(np.argmax(rising >= level))
    if above == 0:
        return float(scales[0] if rising[0] >= level else scales[-1])
    # On normal scores a forecast's probability is nearly straight in log compute.
    ends = np.clip(rising[[above - 1, above]], 1e-9, 1 - 1e-9)
    low, at, high = ndtri(np.array([ends[0], level, ends[1]]))
    x = np.log(scales[[above - 1, above]])
    return float(np.exp(x[0] + (at - low) / (high - low) * (x[1] - x[0])))
