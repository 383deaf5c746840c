"""How many members to send through the network at once: the number that was measured fastest.

Members do not mix, so this changes the time of a step and not one bit of its result. Small steps
gain from more members at once, because a step costs its dispatch; large ones lose, because their
activations leave the cache.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from bayescale.harness.architectures import Backbone
from bayescale.harness.checkpoint import TrainState
from bayescale.harness.config import OptimConfig
from bayescale.harness.evaluate import token_losses
from bayescale.harness.optim import descend

FILE_NAME = "members_at_once.json"
WORTH_MEASURING = 500
"""Steps below which a unit is over before the measurement has paid."""
ROUNDS = 3

Losses = Callable[[Tensor, Tensor], Tensor]
"""Takes parameters (K, P) and a batch (K, B, T + 1), returns losses (K,)."""
Gradients = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Takes the same, returns losses (K,) and gradients (K, P)."""


def gradients(backbone: Backbone, params_KP: Tensor, batch_KBT: Tensor) -> tuple[Tensor, Tensor]:
    """Return every member's loss and its gradient.

    Parameters
    ----------
    backbone : Backbone
        The network.
    params_KP : Tensor
        All parameters, shape (K, P).
    batch_KBT : Tensor
        Inputs and shifted targets, int64, shape (K, B, T + 1).

    Returns
    -------
    tuple of Tensor
        Mean loss, shape (K,), and gradient, shape (K, P).
    """
    return slopes(partial(mean_losses, backbone), params_KP, batch_KBT)


def mean_losses(backbone: Backbone, params_KP: Tensor, batch_KBT: Tensor) -> Tensor:
    """Return the loss of every member.

    Parameters
    ----------
    backbone : Backbone
        The network.
    params_KP : Tensor
        All parameters, shape (K, P).
    batch_KBT : Tensor
        Inputs and shifted targets, int64, shape (K, B, T + 1).

    Returns
    -------
    Tensor
        Mean over the batch, nats per token, shape (K,).
    """
    return token_losses(backbone, params_KP, batch_KBT).flatten(1).mean(dim=1)


def slopes(losses: Losses, params_KP: Tensor, batch_KBT: Tensor) -> tuple[Tensor, Tensor]:
    """Return losses of members that do not mix, and the gradient of each.

    Parameters
    ----------
    losses : callable
        `mean_losses` of a network, compiled or not.
    params_KP : Tensor
        All parameters, shape (K, P).
    batch_KBT : Tensor
        Inputs and shifted targets, int64, shape (K, B, T + 1).

    Returns
    -------
    tuple of Tensor
        Shape (K,), and shape (K, P).
    """
    params = params_KP.detach().requires_grad_()
    loss = losses(params, batch_KBT)
    return loss.detach(), torch.autograd.grad(loss.sum(), params)[0]


def update(
    gradients_of: Gradients,
    state: TrainState,
    batch_KBT: Tensor,
    *,
    at_once: int,
    rate_K: Tensor,
    config: OptimConfig,
) -> Tensor:
    """Take one step of every member, some of them at once.

    Parameters
    ----------
    gradients_of : callable
        `gradients` of a network, compiled or not.
    state : TrainState
        Its parameters and moments are changed in place.
    batch_KBT : Tensor
        Inputs and shifted targets, int64, shape (K, B, T + 1).
    at_once : int
        Members that are updated together.
    rate_K : Tensor
        Learning rate of every member now, shape (K,).
    config : OptimConfig
        The optimiser.

    Returns
    -------
    Tensor
        Mean loss before the step, shape (K,).
    """
    losses = []
    members = (state.params, state.moment1, state.moment2, rate_K, batch_KBT)
    for part in zip(*(tensor.split(at_once) for tensor in members), strict=True):
        params, moment1, moment2, rate, batch = part
        loss, grad = gradients_of(params, batch)
        with torch.no_grad():
            descend(params, grad, moment1, moment2, rate_K=rate, step=state.step + 1, config=config)
        losses.append(loss)
    return torch.cat(losses)


def members_at_once(
    folder: Path, backbone: Backbone, params_KP: Tensor, batch_KBT: Tensor, n_steps: int
) -> int:
    """Return the fastest number, measured once and kept in the unit's folder.

    Parameters
    ----------
    folder : Path
        Folder of the unit.
    backbone : Backbone
        The network.
    params_KP : Tensor
        All parameters, shape (K, P).
    batch_KBT : Tensor
        One training batch, shape (K, B, T + 1).
    n_steps : int
        Steps of the unit.

    Returns
    -------
    int
        From 1 to K; always K on a GPU, which small networks never fill.
    """
    n_members = len(params_KP)
    if n_members == 1 or n_steps < WORTH_MEASURING or params_KP.device.type != "cpu":
        return n_members
    path = folder / FILE_NAME
    if not path.is_file():
        own = partial(gradients, backbone)
        seconds = {n: step_seconds(own, params_KP, batch_KBT, n) for n in candidates(n_members)}
        path.write_text(json.dumps({"step_seconds": seconds}, indent=1) + "\n")
    found = json.loads(path.read_text())["step_seconds"]
    return min((int(n) for n in found), key=lambda n: (found[str(n)], -n))


def candidates(n_members: int) -> list[int]:
    """Return all members, half of them, a quarter, ..., one.

    Parameters
    ----------
    n_members : int
        K.

    Returns
    -------
    list of int
        Descending.
    """
    found = [n_members]
    while found[-1] > 1:
        found.append((found[-1] + 1) // 2)
    return found


def step_seconds(
    gradients_of: Gradients, params_KP: Tensor, batch_KBT: Tensor, at_once: int
) -> float:
    """Return the process time of the gradients of one step.

    Parameters
    ----------
    gradients_of : callable
        `gradients` of a network, compiled or not.
    params_KP : Tensor
        All parameters, shape (K, P).
    batch_KBT : Tensor
        One training batch, shape (K, B, T + 1).
    at_once : int
        Members that go together.

    Returns
    -------
    float
        Of the fastest of a few steps, which a busy machine disturbs least.
    """
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for params, batch in zip(params_KP.split(at_once), batch_KBT.split(at_once), strict=True):
            gradients_of(params, batch)
        times.append(time.process_time() - start)
    return min(times)
