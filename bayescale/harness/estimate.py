"""What a unit will cost: tokens, FLOPs, seconds at a measured speed, and room on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heapreplace

from bayescale.harness.accounting import count_params, flops_per_token
from bayescale.harness.checkpoint import KEPT
from bayescale.harness.config import RunConfig
from bayescale.harness.schedule import segments

FORWARD_SHARE = 1 / 3
"""Cost of evaluating a token, over that of training on it."""
STATES = 6
"""Copies of the parameters in a checkpoint: they and two moments, now and on the trunk."""
RECORD_BYTES = 1200


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """One unit before it runs."""

    config: RunConfig
    """What would be trained."""
    tokens_per_second: float
    """Speed of all members together."""

    @property
    def n_params(self) -> int:
        """Parameters of one member."""
        return count_params(self.config.architecture)

    @property
    def n_tokens(self) -> int:
        """Tokens that all members are trained on, branches included."""
        n_steps = sum(segment.n_steps for segment in segments(self.config.train))
        return n_steps * self.config.train.batch_tokens * len(self.config.members)

    @property
    def n_rows(self) -> int:
        """Measurements."""
        return len(self.config.train.milestones) * len(self.config.members)

    @property
    def flops(self) -> float:
        """Training FLOPs of all members, by the harness's default convention."""
        return self.n_tokens * flops_per_token(self.config.architecture)

    @property
    def seconds(self) -> float:
        """Wall seconds of one worker."""
        evaluated = FORWARD_SHARE * self.n_rows * self.config.data.eval_tokens
        return (self.n_tokens + evaluated) / self.tokens_per_second

    @property
    def checkpoint_bytes(self) -> int:
        """Room for its checkpoints while it runs, the one being written included."""
        return (KEPT + 1) * STATES * 4 * self.n_params * len(self.config.members)

    @property
    def record_bytes(self) -> int:
        """Room for its records, details not counted."""
        return RECORD_BYTES * self.n_rows


def wall_seconds(estimates: list[Estimate], workers: int) -> float:
    """Return how long workers take over units in the order given.

    Parameters
    ----------
    estimates : list of Estimate
        The units.
    workers : int
        Each takes the next unit when it is free.

    Returns
    -------
    float
        Until the last has ended.
    """
    ends = [0.0] * workers
    heapify(ends)
    for estimate in estimates:
        heapreplace(ends, ends[0] + estimate.seconds)
    return max(ends)


def disk_bytes(estimates: list[Estimate], workers: int) -> int:
    """Return the most room that units need at any time.

    Parameters
    ----------
    estimates : list of Estimate
        The units.
    workers : int
        Units that run side by side.

    Returns
    -------
    int
        Records of all, checkpoints of the largest that may run at once.
    """
    largest = sorted((each.checkpoint_bytes for each in estimates), reverse=True)[:workers]
    return sum(largest) + sum(each.record_bytes for each in estimates)
