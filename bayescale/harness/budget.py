"""Fit units to a budget: the dearest seeds go first, then the longest runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from bayescale.errors import HarnessError
from bayescale.harness.estimate import Estimate, wall_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a sweep may cost at most."""

    seconds: float = math.inf
    """Wall seconds."""
    flops: float = math.inf
    """Training FLOPs."""

    def excess(self, estimates: list[Estimate], workers: int) -> str:
        """Return what is over the limits, in words; empty when nothing is."""
        seconds = wall_seconds(estimates, workers)
        flops = sum(each.flops for each in estimates)
        if seconds > self.seconds:
            return f"{seconds:.3g} s of {self.seconds:.3g} s"
        return f"{flops:.3g} FLOPs of {self.flops:.3g}" if flops > self.flops else ""


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
        position = _dearest(left, lambda each: len(each.config.members))
        if position is None:
            position = _dearest(left, lambda each: len(each.config.train.milestones))
            if position is None:
                raise HarnessError(
                    f"budget: one seed and one token budget a size still need {over}.",
                    "Raise the budget, shorten the milestones or leave sizes out.",
                )
            left[position] = _shorter(left[position])
        else:
            left[position] = _fewer(left[position])
    return left


def _dearest(estimates: list[Estimate], parts: Callable[[Estimate], int]) -> int | None:
    """Return the position of the unit whose one part costs most, among those with several."""
    several = [k for k, each in enumerate(estimates) if parts(each) > 1]
    cost = {k: estimates[k].seconds / parts(estimates[k]) for k in several}
    return max(several, key=lambda k: (cost[k], k)) if several else None


def _fewer(estimate: Estimate) -> Estimate:
    config = estimate.config
    return replace(estimate, config=replace(config, members=config.members[:-1]))


def _shorter(estimate: Estimate) -> Estimate:
    config = estimate.config
    train = replace(config.train, milestones=config.train.milestones[:-1])
    return replace(estimate, config=replace(config, train=train))
