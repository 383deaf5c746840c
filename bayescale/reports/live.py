"""What a page carries so that its sliders can weigh the plan again: draws, numbers and words."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from bayescale.decisions.ahead import Ahead, Singles
from bayescale.decisions.decision import Decision
from bayescale.decisions.information import REPEATS, Halvings
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.scenario import Scenario
from bayescale.decisions.what_if import WhatIf
from bayescale.reports import sentences, tables

SPAN = 10.0
"""Factor by which worth and price can be moved either way, unless the answer turns further off."""

FURTHEST = 1000.0
MARGIN = 1.25
"""Room beyond a turning point, as a factor."""

TAILS = (0.002, 0.998)
"""Probabilities of the losses between which the target can be moved."""


def payload(decision: Decision, question: WhatIf) -> dict[str, Any]:
    """Return plain data for the page's script.

    Parameters
    ----------
    decision : Decision
        The verdict as asked.
    question : WhatIf
        The same question with numbers that can be moved.
    """
    clusters = int(question.clusters.max()) + 1
    return {
        "plan": _plan(question.scenario, question.chosen),
        "runs": _runs(question.runs),
        "sizes": _runs(question.sizes),
        "places": np.log(question.scales).tolist(),
        "clusters": clusters,
        "repeats": REPEATS,
        "halves": _halves(question, clusters),
        "sliders": sliders(decision, question),
        "asked": question.scenario.target.probability,
        "likely": None if decision.budget is None else decision.budget.factor,
        "compute": [outcome.flops for outcome in decision.candidates],
        "factors": [outcome.extrapolation_factor for outcome in decision.candidates],
        "columns": {
            "candidates": tables.candidates(decision).columns,
            "pilots": tables.pilots(decision).columns,
        },
        "words": sentences.LIVE,
        "level": sentences.loss_or_error(question.scenario.target),
        "tones": sentences.TONES,
    }


def _plan(plan: Scenario, chosen: str) -> dict[str, Any]:
    demand = plan.inference
    return {
        "chosen": chosen,
        "candidates": [_run(plan, run) for run in plan.candidates],
        "pilots": [_run(plan, run) for run in plan.pilots],
        "target": plan.target.level,
        "downstream": plan.target.downstream is not None,
        "value": {
            "shape": plan.value.shape,
            "usd": plan.value.usd,
            "worthless_at": plan.value.worthless_at,
            "points": plan.value.points,
        },
        "price": plan.price.usd_per_gpu_hour,
        "deadline": plan.price.deadline_days,
        "serving_price": None if demand is None else demand.usd_per_gpu_hour,
        "tolerance": None if plan.risk is None else plan.risk.tolerance_usd,
    }


def _run(plan: Scenario, run: PlannedRun) -> dict[str, Any]:
    """Return what a run takes, in hours of a GPU where its price can move."""
    serving = 0.0
    if plan.inference is not None:
        # At one USD an hour, a cost is a number of hours.
        hourly = {"usd_per_gpu_hour": 1.0}
        demand = plan.inference.model_copy(update=hourly)
        serving = demand.cost_usd(run.n_params, plan.price)
    return {
        "name": run.name,
        "n_params": run.n_params,
        "n_tokens": run.n_tokens,
        "hours": plan.price.gpu_hours(plan.flops(run.inputs)),
        "cost": run.cost_usd,
        "days": plan.days(run),
        "serving_hours": serving,
    }


def _runs(ahead: Ahead) -> dict[str, str | int | None]:
    same = ahead.outcomes is ahead.losses or np.array_equal(ahead.outcomes, ahead.losses)
    return {
        "count": ahead.losses.shape[1],
        "losses": _packed(ahead.losses),
        "outcomes": None if same else _packed(ahead.outcomes),
        "mean": _packed(ahead.mean),
        "sd": _packed(ahead.sd),
        "sample": _sample(ahead),
    }


def _sample(ahead: Ahead) -> str | None:
    if ahead.sample is None or ahead.sample is ahead.outcomes:
        return None if ahead.sample is None else "outcomes"
    return _packed(ahead.sample)


def _packed(columns: Singles) -> str:
    """Return float32 columns one after another, little-endian, as base64."""
    raw = np.ascontiguousarray(columns.T, dtype="<f4").tobytes()
    return base64.b64encode(raw).decode("ascii")


def _halves(question: WhatIf, clusters: int) -> str:
    """Return the half of each cluster in every repeat, one bit each."""
    rng = np.random.default_rng([question.seed, 1])
    halves = Halvings.of(question.clusters, rng).halves[::2, :clusters]
    return base64.b64encode(np.packbits(halves).tobytes()).decode("ascii")


def sliders(decision: Decision, question: WhatIf) -> list[dict[str, Any]]:
    """Return each slider's name, stated value, ends, and whether it moves by factors.

    Parameters
    ----------
    decision : Decision
        The verdict as asked.
    question : WhatIf
        The same question with numbers that can be moved.
    """
    best, plan = decision.outcome, question.scenario
    price, value = plan.price.usd_per_gpu_hour, plan.value_usd
    found = [
        _target(decision, question),
        _by_factors("value", value, best.break_even_value_usd),
        _by_factors("price", price, best.break_even_price_usd_per_gpu_hour) if price else None,
        {
            "name": "scale",
            "stated": 1.0,
            "low": float(question.scales[0]),
            "high": float(question.scales[-1]),
            "log": True,
        },
    ]
    return [slider for slider in found if slider is not None]


def _by_factors(name: str, stated: float, turn: float) -> dict[str, Any]:
    low, high = stated / SPAN, stated * SPAN
    if stated / FURTHEST < turn < stated * FURTHEST:
        low, high = min(low, turn / MARGIN), max(high, turn * MARGIN)
    return {"name": name, "stated": stated, "low": low, "high": high, "log": True}


def _target(decision: Decision, question: WhatIf) -> dict[str, Any]:
    n, plan = len(question.scenario.candidates), question.scenario
    stated, own = plan.target.level, question.runs.taking(list(range(n)))
    if own.sample is not None:
        ends = np.quantile(own.sample.astype(float), TAILS, axis=0)
    else:
        ends = np.exp(own.mixture.quantile(np.array(TAILS)))
    turns = {a.name: a.flips_at for a in decision.assumptions}.get("target.loss")
    marks = [stated] if turns is None else [stated, turns]
    low, high = min(ends[0].min(), *marks), max(ends[1].max(), *marks)
    low, high = low - 0.02 * (high - low), high + 0.02 * (high - low)
    if plan.value.worthless_at is not None:
        high = min(high, stated + 0.98 * (plan.value.worthless_at - stated))
    return {"name": "target", "stated": stated, "low": float(low), "high": float(high),
            "log": False}  # fmt: skip
