"""The random numbers of `bayescale.harness.counter` on a device, bit for bit.

PyTorch has no unsigned 64-bit products everywhere; signed ones wrap to the same bits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bayescale.harness.counter import stream_state

_GAMMA, _FIRST, _SECOND = (
    word - (1 << 64) for word in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


def stream_states(keys: list[tuple[int, ...]], device: torch.device | str) -> Tensor:
    """Return where streams begin whose keys have one more word to come.

    Parameters
    ----------
    keys : list of tuple of int
        Words known so far, one tuple a stream.
    device : torch.device or str
        Where to put them.

    Returns
    -------
    Tensor
        int64, shape (streams,).
    """
    states = [stream_state(key) for key in keys]
    signed = [state - (1 << 64) if state >> 63 else state for state in states]
    return torch.tensor(signed, dtype=torch.int64, device=device)


def uniforms_at(states_K: Tensor, word: Tensor, n: int) -> Tensor:
    """Return the first ``n`` uniform numbers of every stream.

    Parameters
    ----------
    states_K : Tensor
        What `stream_states` returned.
    word : Tensor
        Last word of all keys, int64, without axes.
    n : int
        How many.

    Returns
    -------
    Tensor
        float64, shape (K, n), each in [0, 1): those of `bayescale.harness.counter.uniforms`.
    """
    begin_K = _mixed(states_K + _GAMMA + word)
    counters = torch.arange(1, n + 1, device=states_K.device) * _GAMMA
    bits = _shifted(_mixed(begin_K[:, None] + counters), 11)
    return bits.double() * 2.0**-53


def _mixed(z: Tensor) -> Tensor:
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, n: int) -> Tensor:
    """Shift to the right and fill with zeros, whatever the sign."""
    return (z >> n) & ((1 << (64 - n)) - 1)
