"""How many parameters a network has and what a token costs, by named convention.

Training costs three times the forward pass, and a multiply-add is two operations. V vocabulary,
d width, n context, L layers, h heads, g channel-mixer width, N_ne parameters without embedding
and head.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from bayescale.errors import UnknownNameError
from bayescale.harness.architectures import parameter_shapes
from bayescale.harness.config import ArchitectureConfig

DEFAULT_CONVENTION = "porian"


def count_params(config: ArchitectureConfig) -> int:
    """Return the number of all parameters of one member.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network.

    Returns
    -------
    int
        Embedding, blocks, gains and head.
    """
    return sum(math.prod(shape) for shape in parameter_shapes(config).values())


def count_params_nonembedding(config: ArchitectureConfig) -> int:
    """Return the number of parameters without the embedding and the head.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network.

    Returns
    -------
    int
        Blocks and gains.
    """
    return count_params(config) - 2 * config.vocab_size * config.d_model


def _kaplan(c: ArchitectureConfig) -> float:
    """6 N_ne (Kaplan et al. 2020)."""
    return 6.0 * count_params_nonembedding(c)


def _porian(c: ArchitectureConfig) -> float:
    """6 (N_ne + V d): the head counts, the look-up does not (Porian et al. 2024)."""
    return 6.0 * (count_params_nonembedding(c) + c.vocab_size * c.d_model)


def _porian_attn(c: ArchitectureConfig) -> float:
    """Porian's count plus the causal half of the attention square."""
    return _porian(c) + 6.0 * c.context * c.d_model * c.n_layers


def _palm(c: ArchitectureConfig) -> float:
    """Porian's count plus the full attention square (Chowdhery et al. 2022)."""
    return _porian(c) + 12.0 * c.context * c.d_model * c.n_layers


def _chinchilla(c: ArchitectureConfig) -> float:
    """Sum of the operations, the look-up as a matmul (Hoffmann et al. 2022, appendix F)."""
    d, n = c.d_model, c.context
    attention = 6 * d**2 + 4 * n * d + 3 * c.n_heads * n + 2 * d**2
    block = attention + 2 * (3 * d * c.ffn_width)
    return 3.0 * (2 * c.vocab_size * d + c.n_layers * block + 2 * c.vocab_size * d)


CONVENTIONS: dict[str, Callable[[ArchitectureConfig], float]] = {
    "kaplan": _kaplan,
    "porian": _porian,
    "porian+attn": _porian_attn,
    "palm": _palm,
    "chinchilla": _chinchilla,
}


def flops_per_token(config: ArchitectureConfig, convention: str = DEFAULT_CONVENTION) -> float:
    """Return the training cost of one token.

    Parameters
    ----------
    config : ArchitectureConfig
        Shape of the network.
    convention : {"porian", "kaplan", "porian+attn", "palm", "chinchilla"}
        Which operations count.

    Returns
    -------
    float
        FLOPs per training token.

    Raises
    ------
    UnknownNameError
        When no convention has that name.
    """
    if convention not in CONVENTIONS:
        raise UnknownNameError("FLOP convention", convention, CONVENTIONS)
    return CONVENTIONS[convention](config)
