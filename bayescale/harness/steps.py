"""How a unit takes its steps: one at a time from the host, or many on a device that is left alone.

On the device the tokens, the order of batches, the counter of steps and the losses all stay there.
One step is captured as a CUDA graph and replayed; nothing waits for the host but a reading of the
losses every `READ_EVERY` steps. On a CPU the same step runs without a graph, for tests.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor

from bayescale.errors import UnknownNameError
from bayescale.harness.architectures import Backbone
from bayescale.harness.checkpoint import TrainState
from bayescale.harness.compiling import (
    COMPILED,
    TRACED,
    by_backend,
    compiled_gradients,
    gradients_of,
)
from bayescale.harness.config import RunConfig
from bayescale.harness.data import Batches
from bayescale.harness.devices import current
from bayescale.harness.divergence import watch
from bayescale.harness.optim import descend
from bayescale.harness.resident import resident
from bayescale.harness.schedule import Segment, rate_factor, segments
from bayescale.harness.stacking import members_at_once, update

READ_EVERY = 100
"""Steps between two readings of the losses on a device."""
WARM_UP = 3
"""Steps before a capture, so that every library has its workspace."""
LOSSES = "losses.jsonl"
"""Mean training loss of every member over the steps since the last reading, one line a reading."""


STYLES = ("auto", "host", "resident", "compiled")
Style = Literal["auto", "host", "resident", "compiled"]


class Steps(Protocol):
    """Takes some steps of a segment, at least one and never past its end."""

    def take(self, state: TrainState, segment: Segment) -> None:
        """Change ``state``, its number of steps included."""


class HostSteps:
    """One step at a time, its batch drawn by the host.

    Parameters
    ----------
    config : RunConfig
        The unit.
    folder : Path
        Folder of the unit, which gets the training losses.
    backbone : Backbone
        The network.
    batches : Batches
        Source of the tokens.
    state : TrainState
        Where the unit stands.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        backbone: Backbone,
        batches: Batches,
        state: TrainState,
    ) -> None:
        self.config, self.backbone, self.batches = config, backbone, batches
        self._folder, self._losses = folder, list[Tensor]()
        self._peak_K = peak_rates(config, state.params.device)
        n_steps = sum(segment.n_steps for segment in segments(config.train))
        if config.train.compiled:
            self._gradients, self._at_once = compiled_gradients(backbone), len(self._peak_K)
        else:
            first = self._batch(0, state.params.device)
            self._gradients = gradients_of(backbone, None)
            self._at_once = members_at_once(folder, backbone, state.params, first, n_steps)

    def take(self, state: TrainState, segment: Segment) -> None:
        """Take one step; see `Steps.take`."""
        factor = rate_factor(segment, state.step, warmup_steps(self.config))
        loss_K = update(
            self._gradients,
            state,
            self._batch(state.step, state.params.device),
            at_once=self._at_once,
            rate_K=self._peak_K * factor,
            config=self.config.optim,
        )
        watch(state, loss_K, self.config.train)
        state.step += 1
        self._losses.append(loss_K.detach())
        if len(self._losses) == READ_EVERY or state.step == segment.stop:
            note(self._folder, state, torch.stack(self._losses).mean(dim=0).tolist())
            self._losses.clear()

    def _batch(self, step: int, device: torch.device) -> Tensor:
        seeds = tuple(member.seed for member in self.config.members)
        return self.batches.train(seeds, step, n_sequences(self.config)).to(device)


class ResidentSteps:
    """Many steps on the device between two looks of the host.

    Parameters
    ----------
    config : RunConfig
        The unit.
    folder : Path
        Folder of the unit, which gets the training losses.
    backbone : Backbone
        The network.
    batches : Batches
        Source of the tokens.
    state : TrainState
        Where the unit stands; its tensors are the ones that a captured step changes.
    compiled : bool
        Whether to compile the network before the step is captured. Worth its minute for wide ones;
        off a GPU it is only traced, which needs no compiler.
    captured : bool
        Whether to replay a step as a graph; only on a GPU.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        backbone: Backbone,
        batches: Batches,
        state: TrainState,
        *,
        compiled: bool = False,
        captured: bool = True,
    ) -> None:
        self.config, self._folder = config, folder
        # Its own object: a branch gives the unit's state other tensors.
        self.state, device = replace(state), state.params.device
        self._batches = resident(
            batches,
            tuple(member.seed for member in config.members),
            n_sequences=n_sequences(config),
            n_steps=max(WARM_UP, *(segment.stop for segment in segments(config.train))),
            device=device,
        )
        backend = COMPILED if device.type == "cuda" else TRACED
        self._gradients = gradients_of(backbone, backend if compiled else None)
        # Its dozen passes over all parameters become two.
        self._descend = by_backend(descend, backend) if compiled else descend
        self._peak_K = peak_rates(config, device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._at = torch.zeros(1, dtype=torch.int64, device=device)
        self._factors = torch.zeros(READ_EVERY, device=device)
        self._losses = torch.zeros(READ_EVERY, len(config.members), device=device)
        self.last = self._losses[0]
        with current(device):
            self._run = self._captured() if captured and device.type == "cuda" else self.once

    def take(self, state: TrainState, segment: Segment) -> None:
        """Take up to `READ_EVERY` steps; see `Steps.take`."""
        self._adopt(state)
        n = min(READ_EVERY, segment.stop - state.step)
        steps, warmup = range(state.step, state.step + n), warmup_steps(self.config)
        self._factors[:n] = torch.tensor([rate_factor(segment, step, warmup) for step in steps])
        self._step.fill_(state.step)
        self._at.zero_()
        with current(self._step.device):
            for _ in steps:
                self._run()
        state.step += n
        self.last = self._losses[n - 1].clone()
        note(self._folder, state, self._losses[:n].mean(dim=0).tolist())

    def once(self) -> None:
        """Take the next step; everything it reads and writes keeps its address."""
        state, optim = self.state, self.config.optim
        loss_K, grad_KP = self._gradients(state.params, self._batches.draw(self._step))
        with torch.no_grad():
            self._losses.index_copy_(0, self._at, loss_K[None])
            self._descend(
                state.params,
                grad_KP,
                state.moment1,
                state.moment2,
                rate_K=self._peak_K * self._factors.index_select(0, self._at),
                step=(self._step + 1).double(),
                config=optim,
            )
            watch(state, loss_K, self.config.train)
            self._step += 1
            self._at += 1

    def _captured(self) -> Callable[[], None]:
        """Return the replay of one step; the steps that warm up leave no trace."""
        changed = [*_tensors(self.state), self._step, self._at]
        before = [tensor.clone() for tensor in changed]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.once()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.once()
        for tensor, value in zip(changed, before, strict=True):
            tensor.copy_(value)
        return graph.replay

    def _adopt(self, state: TrainState) -> None:
        """Take over what a checkpoint or a branch brought, at the addresses that are known."""
        for own, given in zip(_tensors(self.state), _tensors(state), strict=True):
            if own is not given:
                own.copy_(given)
        for name, own in zip(CHANGED, _tensors(self.state), strict=True):
            setattr(state, name, own)


def note(folder: Path, state: TrainState, loss: list[float]) -> None:
    """Write down the mean training losses since the last time, for whoever watches.

    Parameters
    ----------
    folder : Path
        Folder of the unit.
    state : TrainState
        Where the unit stands.
    loss : list of float
        One a member.
    """
    known = [value if math.isfinite(value) else None for value in loss]
    line = {"segment": state.segment, "step": state.step, "loss": known}
    with (folder / LOSSES).open("a") as file:
        file.write(json.dumps(line) + "\n")


CHANGED = ("params", "moment1", "moment2", "lowest", "mean", "above", "diverged")
"""Tensors of a state that a step changes."""


def open_steps(
    style: Style,
    config: RunConfig,
    folder: Path,
    backbone: Backbone,
    batches: Batches,
    state: TrainState,
) -> Steps:
    """Return how a unit takes its steps.

    Parameters
    ----------
    style : {"auto", "host", "resident", "compiled"}
        ``"host"`` draws every batch on the host; ``"resident"`` leaves the device alone for
        `READ_EVERY` steps; ``"compiled"`` compiles the network, too; ``"auto"`` is ``"host"`` on a
        CPU and ``"resident"`` elsewhere.
    config : RunConfig
        The unit.
    folder : Path
        Folder of the unit.
    backbone : Backbone
        The network.
    batches : Batches
        Source of the tokens.
    state : TrainState
        Where the unit stands, on its device.

    Returns
    -------
    Steps
        Which have the same batches and rates in every style.
    """
    if style not in STYLES:
        raise UnknownNameError("style of steps", style, STYLES)
    on_host = style == "host" or (style == "auto" and state.params.device.type == "cpu")
    if on_host:
        return HostSteps(config, folder, backbone, batches, state)
    compiled = style == "compiled" or config.train.compiled
    return ResidentSteps(config, folder, backbone, batches, state, compiled=compiled)


def n_sequences(config: RunConfig) -> int:
    """Return the sequences of one member's batch."""
    return config.train.batch_tokens // config.architecture.context


def warmup_steps(config: RunConfig) -> float:
    """Return the length of the warm-up in steps."""
    return config.optim.warmup_tokens / config.train.batch_tokens


def peak_rates(config: RunConfig, device: torch.device) -> Tensor:
    """Return every member's peak learning rate, shape (K,)."""
    # The type is stated because rates that come as NumPy numbers would make it float64.
    peaks = [member.learning_rate for member in config.members]
    return torch.tensor(peaks, dtype=torch.float32, device=device)


def _tensors(state: TrainState) -> list[Tensor]:
    return [getattr(state, name) for name in CHANGED]
