"""A memory of every channel on several time scales, read with weights of its own (TPE).

    s_t^e = lam_e s_(t-1)^e + x_t,   y_t = sum_e a_e s_t^e

References
----------
Qin et al. 2024, You only scan once: efficient multi-dimension sequential modeling with LightNet;
Shen et al. 2024, Scaling laws for linear complexity language models.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from bayescale.harness.kernels.chunks import carried, from_chunks, into_chunks, widened

CHUNK = 64
"""Positions of a chunk."""
SHORTEST, LONGEST = 2.0, 256.0
"""First and last time scale, in tokens."""


def decayed_memory(x_KND: Tensor, weight_KED: Tensor, length: int) -> Tensor:
    """Return what every position reads from the memory of its channels.

    Parameters
    ----------
    x_KND : Tensor
        Embeddings, N = sequences x ``length``.
    weight_KED : Tensor
        How much channel d reads of time scale e, shape (K, E, D).
    length : int
        Positions of one sequence.

    Returns
    -------
    Tensor
        Shape (K, N, D).
    """
    n_members, n_rows, d_model = x_KND.shape
    size = min(CHUNK, length)
    # Channels are the batch of the products, members included: (K, D) x positions x (B n).
    x = into_chunks(widened(x_KND).unflatten(1, (-1, length)).flatten(0, 1)[:, :, None], size)
    x = x.squeeze(1).unflatten(0, (n_members, -1))
    rate = _rates_on(x.device, weight_KED.shape[1]).to(x)
    step = torch.arange(size, device=x.device)
    lag = step[:, None] - step
    fading = torch.exp(rate[:, None, None] * lag.clamp(min=0)).tril()
    weight = widened(weight_KED)
    within = torch.einsum("ked,ets->kdts", weight, fading)
    y = torch.einsum("kdts,kbnsd->kbntd", within, x)
    if length > size:
        fresh = torch.exp(rate[:, None] * (size - 1 - step)) @ x
        states = carried(fresh.flatten(0, 1)[:, None], torch.exp(rate * size)[:, None])
        read = states.squeeze(1).unflatten(0, (n_members, -1)) * weight[:, None, None]
        y = y + torch.exp(rate * (step + 1)[:, None]) @ read
    y = from_chunks(y.flatten(0, 1)[:, None], length).reshape(n_members, n_rows, d_model)
    return y.to(x_KND.dtype)


def log_spaced_rates(n: int, device: torch.device) -> Tensor:
    """Return logarithms of decays whose time scales are log-spaced.

    Parameters
    ----------
    n : int
        How many.
    device : torch.device
        Where to make them.

    Returns
    -------
    Tensor
        Minus one over the time scale in tokens, from the shortest, float64, shape (n,).
    """
    share = torch.arange(n, dtype=torch.float64, device=device) / max(n - 1, 1)
    return -torch.exp(-share * math.log(LONGEST / SHORTEST)) / SHORTEST


@cache
def _rates_on(device: torch.device, n: int) -> Tensor:
    """Return `log_spaced_rates`, made once."""
    with torch.inference_mode(False):
        return log_spaced_rates(n, device)


def memory_operations(length: int, n_scales: int, n_channels: int) -> float:
    """Return the operations for one token of the forward pass.

    Parameters
    ----------
    length : int
        Positions of a sequence.
    n_scales, n_channels : int
        Time scales, and channels that each have all of them.

    Returns
    -------
    float
        The causal half of the chunk's square, and the state written and read.
    """
    size = min(CHUNK, length)
    return n_channels * (size + (4.0 * n_scales if length > size else 0.0))
