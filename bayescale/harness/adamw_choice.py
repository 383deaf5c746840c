"""Which form of AdamW a sweep takes: the one that was measured to be faster.

The fused form makes a third of the passes over memory and costs a call for every member. It rounds
otherwise, so that the choice, unlike that of `stacking`, changes the last bits of a run: it is made
once, before anything is trained, and kept in the sweep's folder.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import torch

from bayescale.harness.accounting import count_params
from bayescale.harness.config import FUSED, STEPWISE, OptimConfig, RunConfig
from bayescale.harness.optim import descend
from bayescale.harness.schedule import segments
from bayescale.harness.stacking import WORTH_MEASURING
from bayescale.harness.threads import one_thread

ROUNDS = 5
CLEARLY = 0.75
"""Share of the other's time below which the fused form is taken: noise must not choose."""


def fastest_adamw(units: Iterable[RunConfig], device: str = "cpu") -> dict[int, str]:
    """Return the faster form for every size.

    Parameters
    ----------
    units : iterable of RunConfig
        One a size, with as many members as it will train.
    device : str
        PyTorch device.

    Returns
    -------
    dict of int to str
        By number of parameters; the stepwise form for a unit that is over before the measurement
        has paid, and on a GPU, where every call is a launch.
    """
    with one_thread():
        return {count_params(unit.architecture): _form(unit, device) for unit in units}


def _form(unit: RunConfig, device: str) -> str:
    n_steps = sum(segment.n_steps for segment in segments(unit.train))
    if n_steps < WORTH_MEASURING or torch.device(device).type != "cpu":
        return STEPWISE
    return faster_adamw(unit.optim, (len(unit.members), count_params(unit.architecture)))


def faster_adamw(config: OptimConfig, shape: tuple[int, int]) -> str:
    """Return the faster form for one stack, on as many threads as PyTorch has.

    Parameters
    ----------
    config : OptimConfig
        The optimiser.
    shape : tuple of int
        Members and parameters of each, (K, P).

    Returns
    -------
    {"stepwise", "fused"}
        The fused form only where it is clearly faster.
    """
    stepwise, fused = (_seconds(replace(config, adamw=form), shape) for form in (STEPWISE, FUSED))
    return FUSED if fused < CLEARLY * stepwise else STEPWISE


def _seconds(config: OptimConfig, shape: tuple[int, int]) -> float:
    """Process time of the fastest of a few steps, which a busy machine disturbs least."""
    params, moments = torch.zeros(shape), (torch.zeros(shape), torch.ones(shape))
    rate_K, times = torch.full(shape[:1], 1e-3), []
    for step in range(1, ROUNDS + 1):
        grad = torch.ones(shape)
        start = time.process_time()
        descend(params, grad, *moments, rate_K=rate_K, step=step, config=config)
        times.append(time.process_time() - start)
    return min(times)
