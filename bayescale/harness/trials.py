"""Trial units of a plan, and what every size of the plan gets from them."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

from bayescale.harness import record
from bayescale.harness.accounting import count_params
from bayescale.harness.config import LOSS_ONLY, Member, RunConfig
from bayescale.harness.engine import Job
from bayescale.harness.plan import SweepPlan
from bayescale.harness.tuning import best_setting, critical_batch, interpolated
from bayescale.runs import schema

BATCH, COMPLEMENT, RATE = "batch_tokens", "one_minus_beta2", "learning_rate"
"""Axes of a grid, in the order of `tuning.lowest`: the rate is best where the others stand."""
LARGEST_COMPLEMENT = 0.5


def tuning_units(plan: SweepPlan, tokens_sha256: str) -> list[RunConfig]:
    """Return the units that search settings; none when the plan gives the rates.

    Parameters
    ----------
    plan : SweepPlan
        The plan.
    tokens_sha256 : str
        Hash of the token file.

    Returns
    -------
    list of RunConfig
        One per tuned size, batch and beta2, with all learning rates stacked; what is measured
        beside the loss is left to the runs of the sweep.
    """
    tuning = plan.tuning
    if tuning is None:
        return []
    members = tuple(Member(seed=tuning.seed, learning_rate=rate) for rate in tuning.grid)
    # Two earlier budgets tell how many tokens a batch needs to reach a loss.
    earlier = (tuning.tokens // 4, tuning.tokens // 2) if tuning.batch_tokens else ()
    grid = product(
        (plan.sizes[i] for i in tuning.sizes),
        tuning.batch_tokens or (None,),
        tuning.beta2 or (None,),
    )
    units = (
        plan.unit(
            size,
            members,
            tokens_sha256,
            (*earlier, tuning.tokens),
            batch_tokens=batch,
            beta2=beta2,
        )
        for size, batch, beta2 in grid
    )
    eval_tokens = tuning.eval_tokens or plan.eval_tokens
    return [
        replace(unit, data=replace(unit.data, eval_tokens=eval_tokens), measure=LOSS_ONLY)
        for unit in units
    ]


def settings(plan: SweepPlan, trials: list[Job]) -> dict[str, Any]:
    """Return the learning rate of every size, batch and beta2 where tuned, and how they were found.

    Parameters
    ----------
    plan : SweepPlan
        The plan.
    trials : list of Job
        Finished trial units; empty when the plan gives the rates.

    Returns
    -------
    dict
        ``rates``, ``batch_tokens`` and ``beta2``, one per size of the plan, the latter two only
        where tuned, ready to be written into a plan as ``learning_rates``, ``batch_tokens`` and
        ``beta2``; and ``trials``: number of parameters, loss at every setting tried, the best one
        and the critical batch in tokens.
    """
    if plan.learning_rates is not None:
        given = list(plan.learning_rates)
        return {"rates": given * len(plan.sizes) if len(given) == 1 else given, "trials": []}
    assert plan.tuning is not None
    by_size: dict[int, list[Job]] = {}
    for trial in trials:
        by_size.setdefault(count_params(trial.config.architecture), []).append(trial)
    found = {n: _best(plan, jobs) for n, jobs in by_size.items()}
    sizes = [count_params(plan.shape(size)) for size in plan.sizes]
    powers = {
        axis: interpolated({n: one["best"][axis] for n, one in found.items()}, sizes)
        for axis in _axes(plan)
    }
    return _for_plan(plan, powers) | {
        "trials": [{"n_params": n, **one} for n, one in found.items()]
    }


def _axes(plan: SweepPlan) -> tuple[str, ...]:
    """Return the axes of the plan's grid."""
    assert plan.tuning is not None
    batch = (BATCH,) if plan.tuning.batch_tokens else ()
    return (*batch, *((COMPLEMENT,) if plan.tuning.beta2 else ()), RATE)


def _for_plan(plan: SweepPlan, powers: dict[str, list[float]]) -> dict[str, Any]:
    """Return the power laws' values as a plan takes them."""
    made: dict[str, Any] = {"rates": powers[RATE]}
    if BATCH in powers:
        n_sequences = [max(1, round(batch / plan.context)) for batch in powers[BATCH]]
        made["batch_tokens"] = [n * plan.context for n in n_sequences]
    if COMPLEMENT in powers:
        # From one minus beta2, whose power law stays below one.
        made["beta2"] = [
            round(1.0 - min(value, LARGEST_COMPLEMENT), 6) for value in powers[COMPLEMENT]
        ]
    return made


def _best(plan: SweepPlan, jobs: list[Job]) -> dict[str, Any]:
    """Return what the trials of one size say."""
    axes = _axes(plan)
    assert plan.tuning is not None
    losses: dict[tuple[float, ...], float] = {}
    curves: dict[int, dict[int, float]] = {}
    for row in (found.row for job in jobs for found in record.read(job.folder).values()):
        loss = row[schema.LOSS] if row[schema.STATUS] == "finished" else None
        value = math.nan if loss is None else float(loss)
        if row[schema.STEP] == _last_step(plan.tuning.tokens, row[schema.BATCH_TOKENS]):
            losses[_setting(row, axes)] = value
        curve = curves.setdefault(row[schema.BATCH_TOKENS], {})
        curve[row[schema.N_TOKENS]] = min(curve.get(row[schema.N_TOKENS], math.inf), value)
    best = dict(zip(axes, best_setting(losses), strict=True))
    if axes == (RATE,):
        return {"losses": {s[0]: loss for s, loss in losses.items()}, "best": best}
    tried = [dict(zip(axes, s, strict=True)) | {"loss": loss} for s, loss in losses.items()]
    return {"losses": tried, "best": best, "critical_batch": critical_batch(curves)}


def _last_step(tokens: int, batch_tokens: int) -> int:
    return round(tokens / batch_tokens)


def _setting(row: dict[str, Any], axes: tuple[str, ...]) -> tuple[float, ...]:
    known = {
        BATCH: float(row[schema.BATCH_TOKENS]),
        COMPLEMENT: 1.0 - row["beta2"],
        RATE: row[schema.LEARNING_RATE],
    }
    return tuple(known[axis] for axis in axes)
