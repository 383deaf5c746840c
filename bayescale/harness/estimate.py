"""What a unit will cost: tokens, FLOPs, seconds at a measured speed, and room on the disk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heapreplace
from statistics import median

import torch

from bayescale.harness.accounting import count_params, flops_per_token
from bayescale.harness.architectures import Backbone
from bayescale.harness.checkpoint import KEPT, TrainState
from bayescale.harness.config import RunConfig
from bayescale.harness.devices import check_device
from bayescale.harness.schedule import segments
from bayescale.harness.stacking import gradients, update
from bayescale.harness.threads import one_thread

FORWARD_SHARE = 1 / 3
"""Cost of evaluating a token, over that of training on it."""
STATES = 6
"""Copies of the parameters in a checkpoint: they and two moments, now and on the trunk."""
RECORD_BYTES = 1200
TIMED_STEPS = 3


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


def measured_speed(config: RunConfig, device: str = "cpu") -> float:
    """Return the tokens a second of a unit's shape, by a few steps on random tokens.

    Parameters
    ----------
    config : RunConfig
        The unit.
    device : str
        PyTorch device.

    Returns
    -------
    float
        Tokens of all members together, one thread on a CPU.
    """
    check_device(device)
    with one_thread():
        seconds = _step_seconds(config, device)
    return len(config.members) * config.train.batch_tokens / seconds


def _step_seconds(config: RunConfig, device: str) -> float:
    backbone = Backbone(config.architecture, config.train.precision)
    shape, n_members = config.architecture, len(config.members)
    initial = torch.stack([backbone.initial(member.seed) for member in config.members])
    state = TrainState.begin(initial.to(device))
    n_sequences = config.train.batch_tokens // shape.context
    size = (n_members, n_sequences, shape.context + 1)
    batch = torch.randint(shape.vocab_size, size, generator=torch.Generator().manual_seed(0))
    batch, rate_K = batch.to(device), torch.full((n_members,), 1e-3, device=device)
    own, times = partial(gradients, backbone), list[float]()
    for _ in range(1 + TIMED_STEPS):
        start = time.monotonic()
        # Reading the loss waits for the device.
        update(own, state, batch, at_once=n_members, rate_K=rate_K, config=config.optim).tolist()
        times.append(time.monotonic() - start)
    return median(times[1:])
