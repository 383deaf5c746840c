"""Linear attention whose state decays at a fixed rate of its head.

    S_t = lam_h S_(t-1) + k_t v_t',   o_t = q_t S_t

Every exponent that occurs is at most zero, so that any chunk is stable in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bayescale.harness.kernels.chunks import (
    carried,
    chunked_operations,
    from_chunks,
    into_chunks,
    widened,
)

CHUNK = 64
"""Positions of a chunk."""


def decayed_attention(
    q_BTHE: Tensor, k_BTHE: Tensor, v_BTHV: Tensor, log_decay_H: Tensor
) -> Tensor:
    """Return what every position reads from the state.

    Parameters
    ----------
    q_BTHE, k_BTHE : Tensor
        Queries and keys, shape (B, T, H, E).
    v_BTHV : Tensor
        Values, shape (B, T, H, V).
    log_decay_H : Tensor
        Logarithm of each head's decay, at most 0, shape (H,).

    Returns
    -------
    Tensor
        Shape (B, T, H, V).
    """
    length = q_BTHE.shape[1]
    size = min(CHUNK, length)
    q, k, v = (into_chunks(widened(x), size) for x in (q_BTHE, k_BTHE, v_BTHV))
    step = torch.arange(size, device=q.device)
    rate = log_decay_H.to(q)[:, None, None]
    lag = step[:, None] - step
    weight = torch.exp(rate * lag.clamp(min=0)).tril()
    mixed = (q @ k.mT * weight[:, None]) @ v
    if length > size:
        left = torch.exp(rate * (size - 1 - step)[:, None])[:, None]
        states = carried((k * left).mT @ v, torch.exp(rate * size)[:, None])
        mixed = mixed + (q * torch.exp(rate * (step + 1)[:, None])[:, None]) @ states
    return from_chunks(mixed, length).to(v_BTHV.dtype)


def operations(length: int, key_dim: int, value_dim: int) -> float:
    """Return the operations of one head for one token of the forward pass.

    Parameters
    ----------
    length : int
        Positions of a sequence.
    key_dim, value_dim : int
        Channels of a key and of a value.

    Returns
    -------
    float
        The causal half of the chunk's square, and the state written and read.
    """
    return chunked_operations(min(CHUNK, length), length, key_dim, value_dim)
