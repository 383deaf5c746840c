"""From a sweep plan to its resolved form, which a machine without YAML and pydantic can read."""

from __future__ import annotations

import math

from bayescale.errors import HarnessError
from bayescale.harness.config import Member
from bayescale.harness.plan import Size, SweepPlan
from bayescale.harness.resolved_plan import ResolvedPlan
from bayescale.harness.trials import tuning_units


def resolve(plan: SweepPlan, tokens_sha256: str, name: str = "") -> ResolvedPlan:
    """Return every unit of a plan.

    Parameters
    ----------
    plan : SweepPlan
        The plan.
    tokens_sha256 : str
        Hash of the token file; empty for the synthetic stream.
    name : str
        Name of the table; the plan's when left out.

    Returns
    -------
    ResolvedPlan
        Units that are to be tuned hold the middle of the grid for now.

    Raises
    ------
    HarnessError
        When the plan tunes more than the learning rate, which needs the whole package.
    """
    tuning = plan.tuning
    if tuning is not None and (tuning.batch_tokens or tuning.beta2):
        raise HarnessError(
            f"plan {plan.name!r}: tuning has batch_tokens or beta2, but a resolved plan tunes the "
            "learning rate alone.",
            "Tune these with bayescale sweep, then write them into the plan.",
        )
    return ResolvedPlan(
        name=name or plan.name,
        trials=tuple(tuning_units(plan, tokens_sha256)),
        units=tuple(
            plan.unit(size, _members(plan, size, rate), tokens_sha256)
            for size, rate in zip(plan.sizes, _rates(plan), strict=True)
        ),
        held_back=tuple(i for i, size in enumerate(plan.sizes) if size.held_back),
    )


def _rates(plan: SweepPlan) -> list[float]:
    n = len(plan.sizes)
    if plan.learning_rates is not None:
        given = list(plan.learning_rates)
        return given * n if len(given) == 1 else given
    assert plan.tuning is not None
    grid = plan.tuning.grid
    return [math.sqrt(grid[0] * grid[-1])] * n


def _members(plan: SweepPlan, size: Size, rate: float) -> tuple[Member, ...]:
    return tuple(Member(seed=seed, learning_rate=rate) for seed in size.seeds or plan.seeds)
