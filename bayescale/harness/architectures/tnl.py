"""TNL: linear attention whose heads forget at fixed rates.

References
----------
Qin et al. 2024, TransNormerLLM; Shen et al. 2024, Scaling laws for linear complexity language
models.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from bayescale.harness.architectures.backbone import Mixer, Shapes
from bayescale.harness.config import ArchitectureConfig
from bayescale.harness.kernels.chunks import widened
from bayescale.harness.kernels.decayed import decayed_attention, operations
from bayescale.harness.kernels.fused import fused_decayed_attention
from bayescale.harness.kernels.memory import log_spaced_rates
from bayescale.harness.mixer_options import TNLOptions


class TNL(Mixer):
    """Linear attention with a decay for every head, a norm for every head, and an output gate.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network; its ``mixer`` names the convention of the decays.
    """

    name = "tnl"
    stream_inputs = frozenset({"qkvg"})
    kernels = ("chunked", "fla")

    def __init__(self, config: ArchitectureConfig) -> None:
        super().__init__(config)
        assert isinstance(config.mixer, TNLOptions)
        self.decays = (config.mixer.decay, config.n_layers, config.n_heads)
        self.attend = fused_decayed_attention if config.kernel == "fla" else decayed_attention

    def shapes(self) -> Shapes:
        """Return queries, keys, values and gate in one projection, then gate, norm and output."""
        return gated_shapes(self.config)

    def operations(self, length: int) -> float:
        """Return the operations of one layer; see `Mixer.operations`."""
        head_dim = self.config.head_dim
        return self.config.n_heads * operations(length, head_dim, head_dim)

    def __call__(self, x_KND: Tensor, params: dict[str, Tensor], length: int, layer: int) -> Tensor:
        """Mix positions; see `Mixer.__call__`."""
        q, k, v, gate = project(x_KND, params, length, self.config)
        mixed = self.attend(q, k, v, log_decays(*self.decays, q.device)[layer])
        return gated_output(mixed, gate, params)


@cache
def log_decays(convention: str, n_layers: int, n_heads: int, device: torch.device) -> Tensor:
    """Return the logarithm of every head's decay, computed once.

    Parameters
    ----------
    convention : {"log_spaced", "alibi", "lightning"}
        With depth l from 0: -(1 - l/(L-1)) / n_i with n_i log-spaced from 2 to 256 tokens;
        -2^(-8i/h) (1 - l/L) for i from 1, the original; -(8/h) i (1 - l/L) for i from 0.
    n_layers, n_heads : int
        L and h.
    device : torch.device
        Where to make them: a step that is compiled or captured must not copy from the host.

    Returns
    -------
    Tensor
        At most 0, float64, shape (L, H).
    """
    # Decays made while evaluating must serve training, too.
    with torch.inference_mode(False):
        depth = torch.arange(n_layers, dtype=torch.float64, device=device)[:, None]
        head = torch.arange(n_heads, dtype=torch.float64, device=device)
        if convention == "log_spaced":
            return log_spaced_rates(n_heads, device) * (1 - depth / max(n_layers - 1, 1))
        remaining = 1 - depth / n_layers
        if convention == "alibi":
            return -(2 ** (-8 * (head + 1) / n_heads)) * remaining
        return -8 / n_heads * head * remaining


def gated_shapes(config: ArchitectureConfig) -> Shapes:
    """Return the parameters that linear mixers with an output gate have.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network.

    Returns
    -------
    dict of str to tuple of int
        The gate has a bottleneck of one head's width.
    """
    d_model, head_dim = config.d_model, config.head_dim
    return {
        "qkvg": (d_model, 3 * d_model + head_dim),
        "gate": (head_dim, d_model),
        "norm_gain": (d_model,),
        "out": (d_model, d_model),
    }


def project(
    x_KND: Tensor, params: dict[str, Tensor], length: int, config: ArchitectureConfig
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return queries, keys and values of every head, and the bottleneck of the gate.

    Parameters
    ----------
    x_KND : Tensor
        Normalised residual stream.
    params : dict of str to Tensor
        This layer's parameters.
    length : int
        Positions of one sequence.
    config : ArchitectureConfig
        Shape of the network.

    Returns
    -------
    tuple of Tensor
        Three of shape (sequences of all members, length, heads, head_dim), queries and keys through
        SiLU; one of shape (K, N, head_dim).
    """
    d_model, head_dim = config.d_model, config.head_dim
    qk, v, gate = torch.bmm(x_KND, params["qkvg"]).split([2 * d_model, d_model, head_dim], dim=-1)
    q, k = functional.silu(qk).reshape(-1, length, 2 * config.n_heads, head_dim).chunk(2, dim=2)
    return q, k, v.reshape(-1, length, config.n_heads, head_dim), gate


def gated_output(mixed_BTHV: Tensor, gate_KNG: Tensor, params: dict[str, Tensor]) -> Tensor:
    """Return W_out[norm of every head, times a sigmoid gate].

    Parameters
    ----------
    mixed_BTHV : Tensor
        What the heads read, shape (sequences of all members, length, heads, head_dim).
    gate_KNG : Tensor
        Bottleneck of the gate.
    params : dict of str to Tensor
        This layer's parameters.

    Returns
    -------
    Tensor
        Shape (K, N, D).
    """
    # Of short floats only the product is rounded, not each of its factors.
    normed = functional.rms_norm(widened(mixed_BTHV), mixed_BTHV.shape[-1:], eps=1e-6)
    gate = torch.sigmoid(widened(torch.bmm(gate_KNG, params["gate"])))
    # The gain of the norm commutes with the gate; folded into the weights it costs next to nothing.
    weight = params["out"] * params["norm_gain"][..., None]
    return torch.bmm((normed.reshape(gate.shape) * gate).to(weight.dtype), weight)
