"""A stack that can be timed: random tokens on the device, steps in one of four ways."""

from __future__ import annotations

import gc
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bayescale.harness.architectures import Backbone
from bayescale.harness.checkpoint import TrainState
from bayescale.harness.config import RunConfig
from bayescale.harness.data import TokenBatches
from bayescale.harness.schedule import Segment
from bayescale.harness.steps import READ_EVERY, ResidentSteps

WAYS = {
    "eager": {"compiled": False, "captured": False},
    "graph": {"compiled": False, "captured": True},
    "compile": {"compiled": True, "captured": False},
    "compile+graph": {"compiled": True, "captured": True},
}
"""Way of stepping to the settings of `ResidentSteps`."""
FAULTS = (RuntimeError, OSError, subprocess.SubprocessError)
"""What memory, capture and compilation raise."""


def why(fault: BaseException) -> str:
    """Return what went wrong in one line; a capture that fails hides what made it fail."""
    first = fault
    while first.__context__ is not None:
        first = first.__context__
    said = dict.fromkeys(f"{type(one).__name__}: {one}".splitlines()[0] for one in (fault, first))
    return ", after ".join(text[:200] for text in said)


def random_tokens(config: RunConfig, n_tokens: int = 1 << 20) -> TokenBatches:
    """Return batches of tokens that mean nothing: speed does not depend on what is read."""
    drawn = np.random.default_rng(0).integers(config.architecture.vocab_size, size=n_tokens)
    context = config.architecture.context
    tokens = drawn.astype(np.uint16)
    return TokenBatches(tokens, n_heldout=4 * context, context=context, eval_tokens=context)


def open_stack(config: RunConfig, way: str, device: str, folder: Path) -> ResidentSteps:
    """Return the steps of a fresh stack."""
    backbone = Backbone(config.architecture, config.train.precision)
    initial = torch.stack([backbone.initial(member.seed) for member in config.members])
    state = TrainState.begin(initial.to(device))
    return ResidentSteps(config, folder, backbone, random_tokens(config), state, **WAYS[way])


def stack_seconds(
    config: RunConfig, way: str, device: str, *, seconds: float, rounds: int
) -> tuple[float, float]:
    """Return the seconds of one step of a stack, and those until the first one was over."""
    budget = READ_EVERY * config.train.batch_tokens
    config = replace(config, train=replace(config.train, milestones=(budget,)))
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        steps = open_stack(config, way, device, Path(folder))
        state = steps.state
        taken = _taker(steps, state)
        taken(1)
        first = time.perf_counter() - begin
        return step_seconds(taken, seconds=seconds, rounds=rounds), first


def _taker(steps: ResidentSteps, state: TrainState) -> Callable[[int], None]:
    def take(n: int) -> None:
        state.step = 0
        stretch = {"start": 0, "stop": n, "shape": "constant", "branches": False, "measured": False}
        steps.take(state, Segment(**stretch))

    return take


def step_seconds(take: Callable[[int], object], *, seconds: float, rounds: int) -> float:
    """Return the median seconds of a step; ``take(n)`` takes n of them and waits for the device."""
    once = min(_timed(take, 2) for _ in range(2)) / 2
    n = max(1, min(READ_EVERY, round(seconds / once)))
    return statistics.median(_timed(take, n) / n for _ in range(rounds))


def _timed(take: Callable[[int], object], n: int) -> float:
    begin = time.perf_counter()
    take(n)
    return time.perf_counter() - begin


def matmul_flops(device: str, size: int, *, seconds: float = 0.5) -> float:
    """Return the rate of a square bfloat16 product of random numbers: the ceiling."""
    a, b = torch.randn(2, size, size, device=device).bfloat16()
    out = torch.empty_like(a)

    def take(n: int) -> None:
        for _ in range(n):
            torch.mm(a, b, out=out)
        settle(device)

    return 2.0 * size**3 / step_seconds(take, seconds=seconds, rounds=5)


def copy_bytes(device: str, n_bytes: int) -> float:
    """Return bytes read and written a second by a copy on the device."""
    a = torch.randint(255, (n_bytes,), dtype=torch.uint8, device=device)
    b = torch.empty_like(a)

    def take(n: int) -> None:
        for _ in range(n):
            b.copy_(a)
        settle(device)

    return 2.0 * n_bytes / step_seconds(take, seconds=0.3, rounds=5)


def give_back(device: str) -> None:
    """Free what an earlier stack held; its graph and its methods know each other."""
    gc.collect()
    if device != "cpu":
        torch.cuda.empty_cache()


def settle(device: str) -> None:
    """Wait for the device."""
    if device != "cpu":
        torch.cuda.synchronize()
