"""Training batches drawn on the device itself: the same as those of the host, without a copy.

A batch is a pure function of the seed and the step, and the step may be a tensor: a captured step
of training draws its next batch each time it is replayed.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from bayescale.harness.data import Batches, TokenBatches
from bayescale.harness.device_counter import stream_states, uniforms_at
from bayescale.harness.facts import FactBatches


class ResidentBatches(Protocol):
    """What a step needs that never leaves its device."""

    def draw(self, step: Tensor) -> Tensor:
        """Return inputs and shifted targets, int64, shape (K, n_sequences, context + 1).

        ``step`` is int64, without axes, on the device.
        """


class ResidentTokens:
    """Windows of a token array that lies on the device.

    Parameters
    ----------
    batches : TokenBatches
        Corpus and order.
    seeds : tuple of int
        Seed of every member.
    n_sequences : int
        Sequences of a batch.
    n_steps : int
        Steps that will be asked for, from 0.
    device : torch.device or str
        Where to keep tokens and order.
    """

    def __init__(
        self,
        batches: TokenBatches,
        seeds: tuple[int, ...],
        n_sequences: int,
        n_steps: int,
        device: torch.device | str,
    ) -> None:
        starts = [torch.from_numpy(batches.starts(s, 0, n_steps * n_sequences)) for s in seeds]
        self._starts_KW = torch.stack(starts).int().to(device)
        self._tokens = batches.training.to(device)
        self._within = torch.arange(batches.context + 1, device=device)
        self._sequence = torch.arange(n_sequences, device=device)

    def draw(self, step: Tensor) -> Tensor:
        """Return one batch per member; see `ResidentBatches.draw`."""
        windows = step * len(self._sequence) + self._sequence
        where = self._starts_KW.index_select(1, windows)[..., None] + self._within
        return self._tokens[where].long()


class ResidentFacts:
    """Zipf-keyed facts made on the device.

    Parameters
    ----------
    batches : FactBatches
        Law of the stream.
    seeds : tuple of int
        Seed of every member.
    n_sequences : int
        Sequences of a batch.
    device : torch.device or str
        Where to make them.
    """

    def __init__(
        self,
        batches: FactBatches,
        seeds: tuple[int, ...],
        n_sequences: int,
        device: torch.device | str,
    ) -> None:
        self._batches, self._n_sequences = batches.to(device), n_sequences
        self._states_K = stream_states([batches.training_key(seed) for seed in seeds], device)

    def draw(self, step: Tensor) -> Tensor:
        """Return one batch per member; see `ResidentBatches.draw`."""
        n_facts = self._batches.n_facts(self._n_sequences)
        drawn = uniforms_at(self._states_K, step, 3 * n_facts)
        return self._batches.written(drawn.unflatten(1, (3, n_facts)), self._n_sequences)


def resident(
    batches: Batches,
    seeds: tuple[int, ...],
    *,
    n_sequences: int,
    n_steps: int,
    device: torch.device | str,
) -> ResidentBatches:
    """Return the batches of a run, ready to be drawn on a device.

    Parameters
    ----------
    batches : Batches
        Those of the host.
    seeds : tuple of int
        Seed of every member.
    n_sequences : int
        Sequences of a batch.
    n_steps : int
        Steps that will be asked for, from 0.
    device : torch.device or str
        PyTorch device.

    Returns
    -------
    ResidentBatches
        The same batches.
    """
    if isinstance(batches, FactBatches):
        return ResidentFacts(batches, seeds, n_sequences, device)
    assert isinstance(batches, TokenBatches)
    return ResidentTokens(batches, seeds, n_sequences, n_steps, device)
