"""The decoder all architectures share; only the token mixer differs.

Shape suffixes: K ensemble members, B sequences, T positions, D width, H heads, V tokens.

All parameters of a unit are one tensor (K, P): the optimiser, the clip and a checkpoint handle one
tensor, and one member is one row of it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from bayescale.errors import UnknownNameError
from bayescale.harness.config import ArchitectureConfig, check

Shapes = dict[str, tuple[int, ...]]
SHARED = "shared."
"""Before the name of a mixer's parameter that all layers share."""

ARCHITECTURES: dict[str, type[Mixer]] = {}
"""Name to token mixer, filled by subclassing."""


class Mixer(ABC):
    """The part of a block that moves information between positions.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network.
    """

    name: ClassVar[str]
    stream_inputs: ClassVar[frozenset[str]]
    """Parameters that read the normalised residual stream; the norm's gain is folded into them."""
    kernels: ClassVar[tuple[str, ...]] = ("chunked",)
    """Kernels that the mixer can run on."""
    look: Callable[[Tensor, Tensor, Tensor], None] | None = None
    """Shown queries (N, T, H, D), keys, and which pairs (T, keys) meet, where a softmax follows."""

    def __init__(self, config: ArchitectureConfig) -> None:
        self.config = config
        has = ", ".join(self.kernels)
        check(config.kernel in self.kernels, config, "kernel", f"one that {self.name} has: {has}")

    def __init_subclass__(cls, **options: object) -> None:
        """Register the architecture under its name."""
        super().__init_subclass__(**options)
        ARCHITECTURES[cls.name] = cls

    @abstractmethod
    def shapes(self) -> Shapes:
        """Return the shape of every parameter of one layer, input width first."""

    def shared_shapes(self) -> Shapes:
        """Return the shape of every parameter that all layers share; they start at zero."""
        return {}

    @abstractmethod
    def operations(self, length: int) -> float:
        """Return the operations of one layer for one token, without those of its weights.

        Parameters
        ----------
        length : int
            Positions of one sequence.

        Returns
        -------
        float
            Of the forward pass; a multiply-add is two, of a causal square half counts.
        """

    def shared_operations(self, length: int) -> float:
        """Return the operations of `embed` for one token.

        Parameters
        ----------
        length : int
            Positions of one sequence.

        Returns
        -------
        float
            Of the forward pass.
        """
        return 0.0

    def embed(self, x_KND: Tensor, shared: dict[str, Tensor], length: int) -> Tensor:
        """Return the embeddings as the first layer is to see them.

        Parameters
        ----------
        x_KND : Tensor
            Embeddings, N = sequences x ``length``.
        shared : dict of str to Tensor
            Parameters that all layers share, each with the leading axis K.
        length : int
            Positions of one sequence.

        Returns
        -------
        Tensor
            Shape (K, N, D).
        """
        return x_KND

    @abstractmethod
    def __call__(self, x_KND: Tensor, params: dict[str, Tensor], length: int, layer: int) -> Tensor:
        """Mix positions.

        Parameters
        ----------
        x_KND : Tensor
            Normalised residual stream, N = sequences x ``length``.
        params : dict of str to Tensor
            This layer's parameters and the shared ones, each with the leading axis K; those that
            read ``x_KND`` have the gain of the norm folded in.
        length : int
            Positions of one sequence.
        layer : int
            Depth, from 0.

        Returns
        -------
        Tensor
            The layer's contribution, shape (K, N, D).
        """


class Backbone:
    """Pre-norm decoder: RMSNorm, a token mixer, SwiGLU, an untied head, no biases.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network.
    precision : {"float32", "bfloat16"}
        ``"bfloat16"`` casts the parameters before they are used, so that everything but the sums
        inside kernels is short; ``"float32"`` computes in whatever the parameters come in.

    Raises
    ------
    UnknownNameError
        When no architecture has that name.
    """

    def __init__(self, config: ArchitectureConfig, precision: str = "float32") -> None:
        if config.name not in ARCHITECTURES:
            raise UnknownNameError("architecture", config.name, ARCHITECTURES)
        self.config = config
        self.short = precision == "bfloat16"
        self.mixer = ARCHITECTURES[config.name](config)
        self.shapes = parameter_shapes(config)
        self.sizes = [math.prod(shape) for shape in self.shapes.values()]
        self.n_params = sum(self.sizes)

    def initial(self, seed: int) -> Tensor:
        """Return one member's initial parameters, shape (P,).

        Parameters
        ----------
        seed : int
            Seed of this member's own generator.

        Returns
        -------
        Tensor
            Normal with sd 1/sqrt(inputs), outputs into the residual stream smaller by
            sqrt(2 layers), gains one; what a mixer shares over layers is zero.
        """
        generator = torch.Generator().manual_seed(seed)
        parts = []
        for name, shape in self.shapes.items():
            if len(shape) == 1:
                parts.append(torch.ones(shape))
                continue
            if name.startswith(SHARED):
                parts.append(torch.zeros(math.prod(shape)))
                continue
            sd = shape[-1] ** -0.5 if name == "embed" else shape[0] ** -0.5
            if name.endswith(("out", "down")):
                sd /= math.sqrt(2 * self.config.n_layers)
            parts.append(torch.randn(shape, generator=generator).mul_(sd).flatten())
        return torch.cat(parts)

    def unpack(self, flat_KP: Tensor) -> dict[str, Tensor]:
        """Return every parameter by name with its ensemble axis, as views.

        Parameters
        ----------
        flat_KP : Tensor
            All parameters, shape (K, P).

        Returns
        -------
        dict of str to Tensor
            Each of shape (K, *shape).
        """
        chunks = flat_KP.split(self.sizes, dim=1)
        return {
            name: chunk.unflatten(1, shape)
            for (name, shape), chunk in zip(self.shapes.items(), chunks, strict=True)
        }

    def __call__(self, flat_KP: Tensor, tokens_KBT: Tensor) -> Tensor:
        """Return the logits of every next token.

        Parameters
        ----------
        flat_KP : Tensor
            All parameters, shape (K, P).
        tokens_KBT : Tensor
            Token numbers, int64, shape (K, B, T).

        Returns
        -------
        Tensor
            Shape (K, B*T, V).
        """
        whole = self.unpack(flat_KP)
        params = self.unpack(flat_KP.bfloat16()) if self.short else whole
        n_members, n_sequences, length = tokens_KBT.shape
        d_model, vocab_size = self.config.d_model, self.config.vocab_size
        # One look-up for all members: member k's table begins at row k*V. What it finds is rounded,
        # not the table: a sum of short floats over a token's many places loses a tenth of it.
        rows = torch.arange(n_members, device=tokens_KBT.device)[:, None, None] * vocab_size
        table = whole["embed"].reshape(n_members * vocab_size, d_model)
        x = functional.embedding(tokens_KBT + rows, table).to(params["head"].dtype)
        x = x.view(n_members, n_sequences * length, d_model)
        shared = {n.removeprefix(SHARED): p for n, p in params.items() if n.startswith(SHARED)}
        x = self.mixer.embed(x, shared, length)
        for layer in range(self.config.n_layers):
            own = {n.removeprefix(f"{layer}."): p for n, p in params.items()}
            mix = {n.removeprefix("mix."): p for n, p in own.items() if n.startswith("mix.")}
            mix = {n: self._fold(n, p, own["mix_gain"]) for n, p in mix.items()} | shared
            x = x + self.mixer(functional.rms_norm(x, (d_model,), eps=1e-6), mix, length, layer)
            gate_up = torch.bmm(
                functional.rms_norm(x, (d_model,), eps=1e-6),
                own["gate_up"] * own["ffn_gain"][..., None],
            )
            gate, up = gate_up.chunk(2, dim=-1)
            gate = functional.silu(gate) if self.config.ffn_activation == "silu" else gate
            x = x + torch.bmm(gate * up, own["down"])
        head = params["head"] * params["head_gain"][..., None]
        return torch.bmm(functional.rms_norm(x, (d_model,), eps=1e-6), head)

    def _fold(self, name: str, weight: Tensor, gain: Tensor) -> Tensor:
        """Fold a norm's gain into the weights that read the norm.

        Scaling D x out weights is cheaper than scaling all activations, and its gradient is a sum
        within one member, so that it does not depend on how many members are stacked.
        """
        return weight * gain[..., None] if name in self.mixer.stream_inputs else weight


def parameter_shapes(config: ArchitectureConfig) -> Shapes:
    """Return the shape of every parameter of one member, in storage order.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network.

    Returns
    -------
    dict of str to tuple of int
        Matrices as (inputs, outputs), except ``embed``, which is (V, D).
    """
    d_model, width = config.d_model, config.ffn_width
    shapes: Shapes = {"embed": (config.vocab_size, d_model)}
    mixer = ARCHITECTURES[config.name](config)
    shapes |= {f"{SHARED}{name}": shape for name, shape in mixer.shared_shapes().items()}
    for layer in range(config.n_layers):
        shapes[f"{layer}.mix_gain"] = (d_model,)
        shapes |= {f"{layer}.mix.{name}": shape for name, shape in mixer.shapes().items()}
        shapes[f"{layer}.ffn_gain"] = (d_model,)
        shapes[f"{layer}.gate_up"] = (d_model, 2 * width)
        shapes[f"{layer}.down"] = (width, d_model)
    return shapes | {"head_gain": (d_model,), "head": (d_model, config.vocab_size)}
