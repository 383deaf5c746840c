"""The same recurrences by the Triton kernels of fla-core: needs a GPU and the extra ``gpu``."""

from __future__ import annotations

import torch
from torch import Tensor

from bayescale.errors import HarnessError


def fused_decayed_attention(
    q_BTHE: Tensor, k_BTHE: Tensor, v_BTHV: Tensor, log_decay_H: Tensor
) -> Tensor:
    """Return what `decayed_attention` returns.

    Parameters
    ----------
    q_BTHE, k_BTHE : Tensor
        Queries and keys, shape (B, T, H, E).
    v_BTHV : Tensor
        Values, shape (B, T, H, V).
    log_decay_H : Tensor
        Logarithm of each head's decay, shape (H,).

    Returns
    -------
    Tensor
        Shape (B, T, H, V).

    Raises
    ------
    HarnessError
        When fla-core or Triton is not installed.
    """
    try:
        from fla.ops.simple_gla import chunk_simple_gla
    except ImportError as error:
        raise _missing(error) from error
    # In float32, as the kernels' own callers have it: their states outlive many roundings.
    rate = log_decay_H.to(device=q_BTHE.device, dtype=torch.float32)
    return chunk_simple_gla(q_BTHE, k_BTHE, v_BTHV, g_gamma=rate, scale=1.0)[0]


def fused_gated_attention(
    q_BTHE: Tensor, k_BTHE: Tensor, v_BTHV: Tensor, log_gate_BTHE: Tensor
) -> Tensor:
    """Return what `gated_attention` returns.

    Parameters
    ----------
    q_BTHE, k_BTHE : Tensor
        Queries and keys, shape (B, T, H, E).
    v_BTHV : Tensor
        Values, shape (B, T, H, V).
    log_gate_BTHE : Tensor
        Logarithm of the gates, shape (B, T, H, E).

    Returns
    -------
    Tensor
        Shape (B, T, H, V).

    Raises
    ------
    HarnessError
        When fla-core or Triton is not installed.
    """
    try:
        from fla.ops.gla import chunk_gla
    except ImportError as error:
        raise _missing(error) from error
    return chunk_gla(q_BTHE, k_BTHE, v_BTHV, log_gate_BTHE, scale=1.0)[0]


def _missing(error: ImportError) -> HarnessError:
    return HarnessError(
        f"ArchitectureConfig: kernel is 'fla', but its kernels cannot be imported ({error}).",
        "On a machine with a GPU run: pip install 'bayescale[gpu]'; elsewhere use 'chunked'.",
    )
