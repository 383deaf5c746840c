"""Fit units to a budget: the dearest seeds go first, then the longest runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from bayescale.errors import HarnessError
from bayescale.harness.estimate import Estimate, wall_seconds

Cost = Callable[[Estimate], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a sweep may cost at most."""

    seconds: float = math.inf
    """Wall seconds."""
    flops: float = math.inf
    """Training FLOPs."""

    def excess(self, estimates: list[Estimate], workers: int) -> tuple[str, Cost] | None:
        """Return what is over the limits, in words, and what a unit adds to it."""
        seconds = wall_seconds(estimates, workers)
        flops = sum(each.flops for each in estimates)
        if seconds > self.seconds:
            return f"{seconds:.3g} s of {self.seconds:.3g} s", lambda each: each.seconds
        if flops > self.flops:
            return f"{flops:.3g} FLOPs of {self.flops:.3g}", lambda each: each.flops
        return None


def fitted(
    estimates: list[Estimate], limits: Limits, workers: int = 1, fixed: list[Estimate] | None = None
) -> list[Estimate]:
    """Return units that fit the limits.

    Every size keeps at least one seed and one token budget, so that the ladder of sizes, which a
    law is fitted along, stays whole.

    Parameters
    ----------
    estimates : list of Estimate
        The units as planned.
    limits : Limits
        What they may cost.
    workers : int
        Units that run side by side.
    fixed : list of Estimate, optional
        Units that run before and cannot be cut, such as trials of learning rates.

    Returns
    -------
    list of Estimate
        One for each that was given, with fewer members or milestones where it had to be.

    Raises
    ------
    HarnessError
        When not even one seed and one budget a size fit.
    """
    left, before = list(estimates), fixed or []
    while over := limits.excess([*before, *left], workers):
        said, cost = over
        several_seeds = [k for k, each in enumerate(left) if len(each.config.members) > 1]
        several_budgets = [
            k for k, each in enumerate(left) if len(each.config.train.milestones) > 1
        ]
        if several_seeds:
            k = max(several_seeds, key=lambda k: (cost(left[k]) / len(left[k].config.members), k))
            left[k] = _fewer(left[k])
        elif several_budgets:
            k = max(several_budgets, key=lambda k: (cost(left[k]), k))
            left[k] = _shorter(left[k])
        else:
            raise HarnessError(
                f"budget: one seed and one token budget a size still need {said}.",
                "Raise the budget, shorten the milestones or leave sizes out.",
            )
    return left


def _fewer(estimate: Estimate) -> Estimate:
    config = estimate.config
    return replace(estimate, config=replace(config, members=config.members[:-1]))


def _shorter(estimate: Estimate) -> Estimate:
    config = estimate.config
    train = replace(config.train, milestones=config.train.milestones[:-1])
    return replace(estimate, config=replace(config, train=train))
