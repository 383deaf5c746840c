"""cosFormer2: linear attention that never forgets; a cosine of the distance re-weights it.

References
----------
Qin et al. 2022, cosFormer; Qin et al. 2023, Linearized relative positional encoding; Shen et al.
2024, Scaling laws for linear complexity language models.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bayescale.harness.architectures.backbone import Mixer, Shapes
from bayescale.harness.architectures.llama import rope_tables
from bayescale.harness.architectures.tnl import gated_output, gated_shapes, project
from bayescale.harness.config import ArchitectureConfig, check
from bayescale.harness.kernels.decayed import decayed_attention, operations
from bayescale.harness.kernels.fused import fused_decayed_attention
from bayescale.harness.kernels.memory import decayed_memory, memory_operations
from bayescale.harness.mixer_options import CosFormer2Options


class CosFormer2(Mixer):
    """Linear attention without decay; half of a head's channels carry their position (LRPE).

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network; the head dimension must be even, its ``mixer`` says whether the
        embeddings have a memory (TPE).
    """

    name = "cosformer2"
    stream_inputs = frozenset({"qkvg"})
    kernels = ("chunked", "fla")

    def __init__(self, config: ArchitectureConfig) -> None:
        super().__init__(config)
        assert isinstance(config.mixer, CosFormer2Options)
        check(config.head_dim % 2 == 0, config, "n_heads", "such that d_model / n_heads is even")
        self.tpe = config.mixer.tpe
        self.attend = fused_decayed_attention if config.kernel == "fla" else decayed_attention

    def shapes(self) -> Shapes:
        """Return queries, keys, values and gate in one projection, then gate, norm and output."""
        return gated_shapes(self.config)

    def shared_shapes(self) -> Shapes:
        """Return how much every channel reads of every time scale of the memory."""
        return {"tpe": (self.config.head_dim, self.config.d_model)} if self.tpe else {}

    def operations(self, length: int) -> float:
        """Return the operations of one layer; see `Mixer.operations`."""
        head_dim = self.config.head_dim
        return self.config.n_heads * operations(length, head_dim + head_dim // 2, head_dim)

    def shared_operations(self, length: int) -> float:
        """Return those of the memory; see `Mixer.shared_operations`."""
        config = self.config
        return memory_operations(length, config.head_dim, config.d_model) if self.tpe else 0.0

    def embed(self, x_KND: Tensor, shared: dict[str, Tensor], length: int) -> Tensor:
        """Add the memory to the embeddings; see `Mixer.embed`."""
        if not self.tpe:
            return x_KND
        return x_KND + decayed_memory(x_KND, shared["tpe"], length)

    def __call__(self, x_KND: Tensor, params: dict[str, Tensor], length: int, layer: int) -> Tensor:
        """Mix positions; see `Mixer.__call__`."""
        q, k, v, gate = project(x_KND, params, length, self.config)
        no_decay = torch.zeros(self.config.n_heads, dtype=torch.float64, device=q.device)
        mixed = self.attend(with_position(q), with_position(k), v, no_decay)
        return gated_output(mixed, gate, params)


def with_position(x_BTHE: Tensor) -> Tensor:
    """Write the position into the first half of the channels, as cosine and sine parts.

    The product of a query and a key then has cos(theta (t - s)) on these channels.

    Parameters
    ----------
    x_BTHE : Tensor
        Shape (sequences, length, heads, head_dim).

    Returns
    -------
    Tensor
        Shape (sequences, length, heads, 3 head_dim / 2).
    """
    _, length, _, head_dim = x_BTHE.shape
    cos, sin = rope_tables(length, head_dim, x_BTHE.device)
    first, second = x_BTHE.chunk(2, dim=-1)
    return torch.cat([first * cos, first * sin, second], dim=-1).to(x_BTHE.dtype)
