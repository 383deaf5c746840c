"""Corpora as deterministic batches: a batch is a pure function of seed and step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from bayescale.errors import HarnessError
from bayescale.harness.config import RunConfig
from bayescale.harness.counter import permutation, random_bits
from bayescale.harness.facts import FactBatches


class Batches(Protocol):
    """What the training loop needs from a corpus."""

    n_tokens_unique: int | None
    """Distinct training tokens, or None when unlimited."""
    bytes_per_token: float | None
    """Mean bytes of a token, or None when tokens stand for no bytes."""
    tokenizer: str
    """Name for the ``tokenizer`` column."""

    def train(self, seeds: tuple[int, ...], step: int, n_sequences: int) -> Tensor:
        """Return inputs and shifted targets, int64, shape (K, n_sequences, context + 1)."""

    def evaluation(self, length: int | None = None) -> Tensor:
        """Return the fixed evaluation set in windows of the context, or of another length.

        int64, shape (windows, length + 1).
        """

    def heldout(self) -> Tensor | None:
        """Return the evaluation set as one stretch of tokens, or None where it is none."""


class TokenBatches:
    """Windows of a token array: each window once per epoch, in an order of the member's own.

    Parameters
    ----------
    tokens : ndarray of uint8 or uint16
        The evaluation part, then the training part; each is whole documents, shuffled.
    n_heldout : int
        Length of the evaluation part.
    context : int
        Tokens per sequence.
    eval_tokens : int
        Predicted tokens of the evaluation set.
    tokenizer : str
        What made tokens of the text.
    bytes_per_token : float
        Mean bytes of a held-out token.
    """

    def __init__(
        self,
        tokens: np.ndarray,
        *,
        n_heldout: int,
        context: int,
        eval_tokens: int,
        tokenizer: str = "bytes",
        bytes_per_token: float = 1.0,
    ) -> None:
        if eval_tokens + 1 > n_heldout:
            raise HarnessError(
                f"DataConfig: eval_tokens is {eval_tokens}, but the corpus holds out only "
                f"{n_heldout} tokens.",
                "Ask for fewer.",
            )
        self.context, self.tokenizer = context, tokenizer
        self.bytes_per_token: float | None = bytes_per_token
        self._heldout = torch.from_numpy(np.array(tokens[: eval_tokens + 1]))
        training = tokens[n_heldout:]
        if len(training) < 3 * context:
            raise HarnessError(
                f"corpus: {len(training)} training tokens are fewer than three windows of "
                f"{context}.",
                "Use a larger corpus or a shorter context.",
            )
        # PyTorch indexes few unsigned types; bytes stay bytes, wider tokens need a signed type.
        wide = training.dtype != np.uint8
        self.training = torch.from_numpy(np.array(training, dtype=np.int32 if wide else np.uint8))
        self.n_tokens_unique: int | None = len(training)
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def train(self, seeds: tuple[int, ...], step: int, n_sequences: int) -> Tensor:
        """Return one training batch per member; see `Batches.train`."""
        starts = np.stack([self.starts(seed, step, n_sequences) for seed in seeds])
        where = torch.from_numpy(starts)[..., None] + torch.arange(self.context + 1)
        return self.training[where].long()

    def evaluation(self, length: int | None = None) -> Tensor:
        """Return the evaluation set; see `Batches.evaluation`."""
        length = length or self.context
        if length >= len(self._heldout):
            raise HarnessError(
                f"MeasureConfig: position_lengths has {length}, but the evaluation set is "
                f"{len(self._heldout) - 1} tokens long.",
                "Ask for shorter sequences, or for more eval_tokens.",
            )
        return self._heldout.long().unfold(0, length + 1, length)

    def heldout(self) -> Tensor:
        """Return the evaluation set as one stretch, its first token not predicted."""
        return self._heldout.long()

    def starts(self, seed: int, step: int, n_sequences: int) -> np.ndarray:
        """Return the first token of each window of one batch, int64, shape (n_sequences,)."""
        # One window fewer than fit, so that every epoch can begin at another phase.
        n_windows = len(self.training) // self.context - 2
        number = step * n_sequences + np.arange(n_sequences)
        starts = np.empty(n_sequences, dtype=np.int64)
        for epoch in np.unique(number // n_windows).tolist():
            here = number // n_windows == epoch
            phase = int(random_bits((seed, epoch, 1), np.zeros(1, np.uint64))[0] % self.context)
            order = self._order(seed, epoch, n_windows)
            starts[here] = order[number[here] % n_windows] * self.context + phase
        return starts

    def _order(self, seed: int, epoch: int, n_windows: int) -> np.ndarray:
        if (seed, epoch) not in self._orders:
            for old in [key for key in self._orders if key[0] == seed and key[1] < epoch - 1]:
                del self._orders[old]
            self._orders[seed, epoch] = permutation((seed, epoch), n_windows)
        return self._orders[seed, epoch]


def open_batches(config: RunConfig, corpus_dir: Path | None) -> Batches:
    """Return the batches of a run.

    Parameters
    ----------
    config : RunConfig
        What is trained.
    corpus_dir : Path or None
        What `build_corpus` returned; None for the synthetic stream.

    Returns
    -------
    Batches
        Deterministic in seed and step.

    Raises
    ------
    HarnessError
        When the folder is missing or its token file is not the one the run was planned with.
    """
    data, context = config.data, config.architecture.context
    if data.facts is not None:
        return FactBatches(data.facts, context, data.eval_tokens)
    if corpus_dir is None or not (corpus_dir / "meta.json").is_file():
        raise HarnessError(
            f"corpus {data.corpus!r}: no meta.json in {corpus_dir}.",
            f"Build it first: bayescale corpus build {data.corpus}.",
        )
    meta = json.loads((corpus_dir / "meta.json").read_text())
    if meta["sha256"] != data.tokens_sha256:
        raise HarnessError(
            f"corpus {data.corpus!r}: the run was planned with tokens {data.tokens_sha256!r}, "
            f"the cache holds {meta['sha256']!r}.",
            "Plan the sweep again, or build the corpus version that was planned.",
        )
    tokens = np.fromfile(corpus_dir / "tokens.bin", dtype=meta["dtype"])
    vocab_size, needed = config.architecture.vocab_size, int(tokens.max()) + 1
    if vocab_size < needed:
        raise HarnessError(
            f"ArchitectureConfig: vocab_size is {vocab_size}, but corpus {data.corpus!r} has "
            f"tokens up to {needed - 1}.",
            f"Plan the sweep with vocab_size: {needed}.",
        )
    return TokenBatches(
        tokens,
        n_heldout=meta["n_heldout"],
        context=context,
        eval_tokens=data.eval_tokens,
        tokenizer=meta.get("tokenizer", "bytes"),
        bytes_per_token=meta.get("bytes_per_token", 1.0),
    )
