"""How fast a unit would train here: a few steps on random tokens, taken as its own would be."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch

from bayescale.harness.architectures import Backbone
from bayescale.harness.checkpoint import TrainState
from bayescale.harness.config import RunConfig
from bayescale.harness.data import TokenBatches
from bayescale.harness.devices import check_device
from bayescale.harness.schedule import Segment, segments
from bayescale.harness.stacking import gradients, update
from bayescale.harness.steps import ResidentSteps
from bayescale.harness.threads import one_thread

TIMED_STEPS = 3
REPLAYED_STEPS = 20
"""Steps of a GPU between two looks of the host: one look would cost as much as a small step."""


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
        Tokens of all members together, one thread on a CPU, replayed steps on a GPU.

    Raises
    ------
    HarnessError
        When there is no such device.
    """
    check_device(device)
    with one_thread():
        seconds = host_seconds(config) if device == "cpu" else resident_seconds(config, device)
    return len(config.members) * config.train.batch_tokens / seconds


def host_seconds(config: RunConfig) -> float:
    """Return the seconds of a step on the CPU.

    Parameters
    ----------
    config : RunConfig
        The unit.

    Returns
    -------
    float
        Of the median of a few.
    """
    backbone, state = _begun(config, "cpu")
    shape, n_members = config.architecture, len(config.members)
    size = (n_members, config.train.batch_tokens // shape.context, shape.context + 1)
    batch = torch.randint(shape.vocab_size, size, generator=torch.Generator().manual_seed(0))
    rate_K, own = torch.full((n_members,), 1e-3), partial(gradients, backbone)

    def step() -> None:
        update(own, state, batch, at_once=n_members, rate_K=rate_K, config=config.optim)

    return _median_seconds(step)


def resident_seconds(config: RunConfig, device: str) -> float:
    """Return the seconds of a step that is left to the device.

    Parameters
    ----------
    config : RunConfig
        The unit.
    device : str
        PyTorch device.

    Returns
    -------
    float
        Of the median of a few stretches of steps.
    """
    backbone, state = _begun(config, device)
    n_steps = min(REPLAYED_STEPS, max(segment.stop for segment in segments(config.train)))
    stretch = Segment(start=0, stop=n_steps, shape="constant", branches=False, measured=False)
    with tempfile.TemporaryDirectory() as folder:
        place, tokens = Path(folder), _random_tokens(config)
        compiled = config.train.compiled
        steps = ResidentSteps(config, place, backbone, tokens, state, compiled=compiled)

        def take() -> None:
            state.step = 0
            steps.take(state, stretch)  # it reads the losses, and so waits for the device

        return _median_seconds(take) / n_steps


def _begun(config: RunConfig, device: str) -> tuple[Backbone, TrainState]:
    backbone = Backbone(config.architecture, config.train.precision)
    initial = torch.stack([backbone.initial(member.seed) for member in config.members])
    return backbone, TrainState.begin(initial.to(device))


def _random_tokens(config: RunConfig) -> TokenBatches:
    shape = config.architecture
    size = max(1 << 16, 8 * shape.context)
    drawn = np.random.default_rng(0).integers(shape.vocab_size, size=size, dtype=np.int32)
    return TokenBatches(
        drawn, n_heldout=2 * shape.context, context=shape.context, eval_tokens=shape.context
    )


def _median_seconds(step: Callable[[], None]) -> float:
    """Return the median of a few, the first of which makes what the others find."""
    times = []
    for _ in range(1 + TIMED_STEPS):
        start = time.monotonic()
        step()
        times.append(time.monotonic() - start)
    return median(times[1:])
