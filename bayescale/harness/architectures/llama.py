"""LLaMA: causal softmax attention with rotary positions.

References
----------
Touvron et al. 2023, LLaMA; Su et al. 2021, RoFormer.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from bayescale.harness.architectures.backbone import Mixer, Shapes
from bayescale.harness.config import ArchitectureConfig, check

ROPE_BASE = 10_000.0


class Llama(Mixer):
    """Multi-head causal attention; queries and keys are rotated by their position.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network; the head dimension must be even.
    """

    name = "llama"
    stream_inputs = frozenset({"qkv"})

    def __init__(self, config: ArchitectureConfig) -> None:
        super().__init__(config)
        check(config.head_dim % 2 == 0, config, "n_heads", "such that d_model / n_heads is even")

    def shapes(self) -> Shapes:
        """Return the fused query-key-value projection and the output projection."""
        d_model = self.config.d_model
        return {"qkv": (d_model, 3 * d_model), "out": (d_model, d_model)}

    def operations(self, length: int) -> float:
        """Return the operations of one layer; see `Mixer.operations`."""
        return 2.0 * length * self.config.d_model

    def __call__(self, x_KND: Tensor, params: dict[str, Tensor], length: int, layer: int) -> Tensor:
        """Attend; see `Mixer.__call__`."""
        n_members, n_rows, d_model = x_KND.shape
        n_heads, head_dim = self.config.n_heads, self.config.head_dim
        # All members' sequences are one batch of the attention kernel.
        qkv = torch.bmm(x_KND, params["qkv"]).view(-1, length, 3 * n_heads, head_dim)
        qk, v = qkv.split([2 * n_heads, n_heads], dim=2)
        q, k = rotate(qk, *rope_tables(length, head_dim, x_KND.device)).chunk(2, dim=2)
        if self.look is not None:
            self.look(q, k, q.new_ones(length, length, dtype=torch.bool).tril())
        mixed = functional.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True
        )
        mixed = mixed.transpose(1, 2).reshape(n_members, n_rows, d_model)
        return torch.bmm(mixed, params["out"])


@cache
def rope_tables(length: int, head_dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of every position's angles, computed once.

    Parameters
    ----------
    length : int
        Number of positions.
    head_dim : int
        Width of a head.
    device : torch.device
        Where to put them.

    Returns
    -------
    tuple of Tensor
        Two tensors of shape (length, 1, head_dim / 2).
    """
    half = head_dim // 2
    # Tables made while evaluating must serve training, too.
    with torch.inference_mode(False):
        frequency = ROPE_BASE ** -(torch.arange(half, device=device) / half)
        angle = torch.arange(length, device=device)[:, None, None] * frequency
        return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the pairs (first half, second half) of every head by its position's angles.

    Parameters
    ----------
    x : Tensor
        Shape (..., length, heads, head_dim).
    cos, sin : Tensor
        What `rope_tables` returned.

    Returns
    -------
    Tensor
        Same shape and type; short floats are rotated in float32.
    """
    first, second = x.chunk(2, dim=-1)
    rotated = torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
    return rotated.to(x.dtype)
