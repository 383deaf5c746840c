"""HGRN2: a gated linear recurrence whose state is expanded by an outer product.

References
----------
Qin et al. 2024, HGRN2; Shen et al. 2024, Scaling laws for linear complexity language models.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bayescale.harness.architectures.backbone import Mixer, Shapes
from bayescale.harness.config import ArchitectureConfig
from bayescale.harness.kernels.chunks import widened
from bayescale.harness.kernels.fused import fused_gated_attention
from bayescale.harness.kernels.gated import gated_attention, operations
from bayescale.harness.mixer_options import HGRN2Options


class HGRN2(Mixer):
    """Keys are what the gates let go; the gates' lower bound is learned and grows with depth.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network; its ``mixer`` has the smallest gate.
    """

    name = "hgrn2"
    stream_inputs = frozenset({"qfv"})
    kernels = ("chunked", "fla")

    def __init__(self, config: ArchitectureConfig) -> None:
        super().__init__(config)
        assert isinstance(config.mixer, HGRN2Options)
        self.smallest_gate = config.mixer.smallest_gate
        self.attend = fused_gated_attention if config.kernel == "fla" else gated_attention

    def shapes(self) -> Shapes:
        """Return queries, gates and values in one projection, the norm's gain and the output."""
        d_model = self.config.d_model
        return {"qfv": (d_model, 3 * d_model), "norm_gain": (d_model,), "out": (d_model, d_model)}

    def shared_shapes(self) -> Shapes:
        """Return the weights of all layers' lower bounds."""
        return {"bound": (self.config.n_layers, self.config.d_model)}

    def operations(self, length: int) -> float:
        """Return the operations of one layer; see `Mixer.operations`."""
        head_dim = self.config.head_dim
        return self.config.n_heads * operations(length, head_dim, head_dim)

    def __call__(self, x_KND: Tensor, params: dict[str, Tensor], length: int, layer: int) -> Tensor:
        """Mix positions; see `Mixer.__call__`."""
        heads = (-1, length, self.config.n_heads, self.config.head_dim)
        q, f, v = torch.bmm(x_KND, params["qfv"]).chunk(3, dim=-1)
        # In float32 at least: short floats have nothing left of 1 - gate where a gate is near one.
        gate = self._gates(widened(f), widened(params["bound"]), layer).reshape(heads)
        key = (1 - gate).to(q.dtype)
        mixed = self.attend(functional.silu(q).reshape(heads), key, v.reshape(heads), gate.log())
        normed = functional.rms_norm(mixed.reshape(x_KND.shape), x_KND.shape[-1:], eps=1e-6)
        return torch.bmm(normed, params["out"] * params["norm_gain"][..., None])

    def _gates(self, f_KND: Tensor, bound_KLD: Tensor, layer: int) -> Tensor:
        """Return b + (1 - b) sigmoid(f); b is a cumulative softmax over depth, less its first."""
        lower = bound_KLD.softmax(dim=1)[:, 1 : layer + 1].sum(dim=1, keepdim=True)
        return (lower + (1 - lower) * torch.sigmoid(f_KND)).clamp(min=self.smallest_gate)
