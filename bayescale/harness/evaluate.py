"""Loss of every member on the fixed evaluation set."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bayescale.harness.architectures import Backbone
from bayescale.harness.kernels.chunks import widened

CHUNK_TOKENS = 4096
"""Tokens of one member evaluated at once; bounds the memory of the logits."""
DEVICE_TOKENS = 1 << 18
"""Tokens of all members evaluated at once on a GPU, which fewer would leave idle ..."""
DEVICE_LOGITS = 1 << 28
"""... unless their logits are more than these: a gigabyte in float32, and their softmax as much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Loss of one member."""

    loss: float
    """Mean over the evaluation set, nats per token."""
    loss_se: float
    """Standard error of that mean over windows, nats per token."""


def token_losses(backbone: Backbone, params_KP: Tensor, windows_KBT: Tensor) -> Tensor:
    """Return the cross-entropy of every predicted token.

    Parameters
    ----------
    backbone : Backbone
        The network.
    params_KP : Tensor
        All parameters, shape (K, P).
    windows_KBT : Tensor
        Inputs and shifted targets, int64, shape (K, B, T + 1).

    Returns
    -------
    Tensor
        Nats, shape (K, B, T).
    """
    # Of short floats the loss is still taken in float32.
    logits = widened(backbone(params_KP, windows_KBT[..., :-1]))
    targets = windows_KBT[..., 1:]
    losses = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view(targets.shape)


def heldout_losses(backbone: Backbone, params_KP: Tensor, windows: Tensor) -> Tensor:
    """Return the loss of every token of the evaluation set under every member.

    Parameters
    ----------
    backbone : Backbone
        The network.
    params_KP : Tensor
        All parameters, shape (K, P).
    windows : Tensor
        Evaluation set, int64, shape (windows, T + 1).

    Returns
    -------
    Tensor
        Nats, on the CPU, shape (K, windows, T).
    """
    found, at_once = [], _tokens_at_once(backbone, params_KP) // windows.shape[1]
    with torch.inference_mode():
        for chunk in windows.split(max(1, at_once)):
            shared = chunk.to(params_KP.device).expand(len(params_KP), -1, -1)
            found.append(token_losses(backbone, params_KP, shared).cpu())
    return torch.cat(found, dim=1)


def _tokens_at_once(backbone: Backbone, params_KP: Tensor) -> int:
    """Return the tokens of one member that are evaluated at once."""
    if params_KP.device.type == "cpu":
        return CHUNK_TOKENS
    return min(DEVICE_TOKENS, DEVICE_LOGITS // backbone.config.vocab_size) // len(params_KP)


def evaluation(losses: Tensor) -> Evaluation:
    """Return the mean loss of one member and its error.

    Parameters
    ----------
    losses : Tensor
        Loss of every token, shape (windows, T).

    Returns
    -------
    Evaluation
        The standard error is that over windows, whose tokens depend on each other.
    """
    mean = losses.double().mean(dim=-1)
    return Evaluation(loss=float(mean.mean()), loss_se=float(mean.std()) / math.sqrt(len(mean)))


def bits_per_byte(loss: float, bytes_per_token: float | None) -> float | None:
    """Return a loss on the scale that tokenizers share.

    Parameters
    ----------
    loss : float
        Nats per token.
    bytes_per_token : float or None
        Mean bytes of a token; None when tokens stand for no bytes.

    Returns
    -------
    float or None
        Bits per byte.
    """
    return None if bytes_per_token is None else loss / math.log(2) / bytes_per_token
