r"""Zipf-keyed facts: a synthetic stream whose irreducible loss is known exactly.

A fact is m key tokens and one answer token. Key index k = 1..V^m has probability proportional to
k^-(1+a); a fixed bijection scrambles it and base V writes it, so the key tokens carry exactly H(K).
The answer is the table's with probability 1 - eps, else uniform over the other V - 1 tokens:

    E = (H(K) + h(eps)) / (m + 1),   h(eps) = -(1-eps) ln(1-eps) - eps ln(eps / (V-1)).
"""

from __future__ import annotations

import math
from copy import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bayescale.harness.config import FactsConfig
from bayescale.harness.counter import permutation, random_bits, uniforms

# First words of the random streams; members use their seed, which is never negative but small.
_SCRAMBLE, _TABLE, _TRAIN, _EVAL = 1, 2, 3, 4


def key_probabilities(config: FactsConfig) -> NDArray[np.float64]:
    """Return the probability of every key, most frequent first.

    Parameters
    ----------
    config : FactsConfig
        Law of the stream.

    Returns
    -------
    ndarray of float64
        Shape (V^m,), summing to one.
    """
    rank = np.arange(1, config.vocab_size**config.key_tokens + 1, dtype=np.float64)
    weight = rank ** -(1 + config.exponent)
    return np.asarray(weight / weight.sum())


def irreducible_loss(config: FactsConfig) -> float:
    """Return the entropy rate of the stream.

    Parameters
    ----------
    config : FactsConfig
        Law of the stream.

    Returns
    -------
    float
        Nats per token; no network can do better.
    """
    p, eps = key_probabilities(config), config.noise
    key_entropy = float(-(p * np.log(p)).sum())
    noise_entropy = -(1 - eps) * math.log(1 - eps) - eps * math.log(eps / (config.vocab_size - 1))
    return (key_entropy + noise_entropy) / (config.key_tokens + 1)


class FactBatches:
    """Batches of facts, each a pure function of seed and step.

    Parameters
    ----------
    config : FactsConfig
        Law of the stream.
    context : int
        Tokens per sequence; a multiple of a fact's length, so that every position of a fact is
        predicted equally often and `irreducible_loss` is exact for a sequence.
    eval_tokens : int
        Predicted tokens of the evaluation set.
    """

    n_tokens_unique: int | None = None
    """Unlimited: every training token is fresh."""
    bytes_per_token: float | None = None
    """The tokens stand for no bytes."""
    tokenizer = "facts"

    def __init__(self, config: FactsConfig, context: int, eval_tokens: int) -> None:
        self.config, self.context = config, context
        self._eval_tokens = eval_tokens
        n_keys = config.vocab_size**config.key_tokens
        self._cumulative = torch.from_numpy(np.cumsum(key_probabilities(config)))
        self._scramble = torch.from_numpy(permutation((_SCRAMBLE,), n_keys))
        bits = random_bits((_TABLE,), np.arange(n_keys, dtype=np.uint64))
        answers = (bits % np.uint64(config.vocab_size)).astype(np.int64)
        self._table = torch.from_numpy(answers)

    def train(self, seeds: tuple[int, ...], step: int, n_sequences: int) -> Tensor:
        """Return one training batch per member.

        Parameters
        ----------
        seeds : tuple of int
            Seed of every member.
        step : int
            Optimiser step.
        n_sequences : int
            Sequences per member.

        Returns
        -------
        Tensor
            int64, shape (K, n_sequences, context + 1): inputs and, shifted by one, targets.
        """
        keys = [(*self.training_key(seed), step) for seed in seeds]
        return torch.stack([self._draw(key, n_sequences, self.context) for key in keys])

    def training_key(self, seed: int) -> tuple[int, ...]:
        """Return what names a member's stream; the step is the last word."""
        return (_TRAIN, seed)

    def to(self, device: torch.device | str) -> FactBatches:
        """Return the same stream with its tables on a device."""
        moved = copy(self)
        moved._cumulative, moved._scramble, moved._table = (
            part.to(device) for part in (self._cumulative, self._scramble, self._table)
        )
        return moved

    def evaluation(self, length: int | None = None) -> Tensor:
        """Return the evaluation set, int64, shape (windows, context or ``length``, plus 1)."""
        length = length or self.context
        return self._draw((_EVAL,), self._eval_tokens // length, length)

    def heldout(self) -> None:
        """Return nothing: windows are drawn apart, and hold no documents."""

    def n_facts(self, n_sequences: int, context: int | None = None) -> int:
        """Return the facts of a batch: one more than the context holds in every sequence.

        The last target is the first token of the next fact.
        """
        length = self.config.key_tokens + 1
        return n_sequences * ((context or self.context) // length + 1)

    def written(self, drawn: Tensor, n_sequences: int, context: int | None = None) -> Tensor:
        """Return the tokens that uniform numbers stand for.

        Parameters
        ----------
        drawn : Tensor
            For every fact its key, its noise and its wrong answer, float64 in [0, 1), shape
            (..., 3, n_facts).
        n_sequences : int
            Sequences.
        context : int, optional
            Tokens per sequence, if other than in training.

        Returns
        -------
        Tensor
            int64, shape (..., n_sequences, context + 1).
        """
        vocab_size = self.config.vocab_size
        u_key, u_noise, u_other = drawn.contiguous().unbind(-2)
        index = torch.searchsorted(self._cumulative, u_key.contiguous(), right=True)
        number = self._scramble[index.clamp(max=len(self._scramble) - 1)]
        shift = 1 + (u_other * (vocab_size - 1)).long()
        shift = shift * (u_noise < self.config.noise)
        answer = (self._table[number] + shift) % vocab_size
        powers = [vocab_size**i for i in reversed(range(self.config.key_tokens))]
        parts = [*(number // power % vocab_size for power in powers), answer]
        tokens = torch.stack(parts, dim=-1).unflatten(-2, (n_sequences, -1)).flatten(-2)
        return tokens[..., : (context or self.context) + 1].contiguous()

    def _draw(self, key: tuple[int, ...], n_sequences: int, context: int) -> Tensor:
        n_facts = self.n_facts(n_sequences, context)
        drawn = torch.from_numpy(uniforms(key, 3 * n_facts).reshape(3, n_facts))
        return self.written(drawn, n_sequences, context)
