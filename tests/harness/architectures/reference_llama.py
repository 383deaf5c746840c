"""A slow, plain LLaMA for one member: loops and textbook formulas, nothing shared with ours."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from bayescale.harness.config import ArchitectureConfig


def rms_norm(x: Tensor, gain: Tensor) -> Tensor:
    """Divide by the root mean square, times the gain."""
    return x / torch.sqrt((x * x).mean(dim=-1, keepdim=True) + 1e-6) * gain


def rotated(x: Tensor, position: int) -> Tensor:
    """Rotate one head's vector (head_dim,) pair by pair."""
    half = len(x) // 2
    parts = [torch.zeros(())] * len(x)
    for i in range(half):
        angle = position * 10_000.0 ** (-i / half)
        c, s = math.cos(angle), math.sin(angle)
        parts[i] = x[i] * c - x[half + i] * s
        parts[half + i] = x[i] * s + x[half + i] * c
    return torch.stack(parts)


def attention(y: Tensor, qkv: Tensor, out: Tensor, n_heads: int) -> Tensor:
    """Causal softmax attention of one sequence (T, D), one query at a time."""
    length, width = y.shape
    head_dim = width // n_heads
    q, k, v = functional.linear(y, qkv.T).split(width, dim=-1)
    heads = []
    for h in range(n_heads):
        own = slice(h * head_dim, (h + 1) * head_dim)
        qs = torch.stack([rotated(q[t, own], t) for t in range(length)])
        ks = torch.stack([rotated(k[t, own], t) for t in range(length)])
        rows = []
        for t in range(length):
            weight = torch.softmax(ks[: t + 1] @ qs[t] / math.sqrt(head_dim), dim=0)
            rows.append(weight @ v[: t + 1, own])
        heads.append(torch.stack(rows))
    return functional.linear(torch.cat(heads, dim=-1), out.T)


def logits(params: dict[str, Tensor], tokens: Tensor, config: ArchitectureConfig) -> Tensor:
    """Return (T, V) for one sequence (T,) and one member's parameters."""
    x = functional.embedding(tokens, params["embed"])
    for i in range(config.n_layers):
        y = rms_norm(x, params[f"{i}.mix_gain"])
        x = x + attention(y, params[f"{i}.mix.qkv"], params[f"{i}.mix.out"], config.n_heads)
        y = rms_norm(x, params[f"{i}.ffn_gain"])
        gate, up = functional.linear(y, params[f"{i}.gate_up"].T).split(config.ffn_width, dim=-1)
        x = x + functional.linear(functional.silu(gate) * up, params[f"{i}.down"].T)
    return functional.linear(rms_norm(x, params["head_gain"]), params["head"].T)
