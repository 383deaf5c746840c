"""AdamW over stacked members: one tensor of parameters, a learning rate and a clip per member.

It comes in two forms, which differ in the last bits: a dozen operations on all members, or the
fused kernel of PyTorch, called for each.

References
----------
Loshchilov and Hutter 2019, Decoupled weight decay regularization.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from bayescale.harness.config import FUSED, OptimConfig


def clip_members(grad_KP: Tensor, largest: float) -> Tensor:
    """Scale every member's gradient to at most a given norm, in place.

    Parameters
    ----------
    grad_KP : Tensor
        Gradients, shape (K, P).
    largest : float
        Largest Euclidean norm of one row.

    Returns
    -------
    Tensor
        Norms before clipping, shape (K,).
    """
    # Row by row: a reduction over two axes may group its sums by the number of members.
    # A GPU promises no bits, and a launch per member would cost more than the sums.
    if grad_KP.is_cuda:
        norm_K = torch.linalg.vector_norm(grad_KP, dim=1)
    else:
        norm_K = torch.stack([torch.linalg.vector_norm(row) for row in grad_KP])
    grad_KP.mul_((largest / (norm_K + 1e-6)).clamp(max=1.0)[:, None])
    return norm_K


def adamw_step(
    params_KP: Tensor,
    grad_KP: Tensor,
    moment1_KP: Tensor,
    moment2_KP: Tensor,
    *,
    rate_K: Tensor,
    step: int | Tensor,
    config: OptimConfig,
) -> None:
    """Apply one step of AdamW in place.

    Parameters
    ----------
    params_KP, grad_KP : Tensor
        Parameters and gradients, shape (K, P); the gradients are overwritten.
    moment1_KP, moment2_KP : Tensor
        Running moments, shape (K, P).
    rate_K : Tensor
        Learning rate of every member now, shape (K,).
    step : int or Tensor
        Number of this step, from 1; a float64 tensor without axes where it stays on the device.
    config : OptimConfig
        Decays and eps.
    """
    correction1 = 1 - config.beta1**step
    correction2 = 1 - config.beta2**step
    if config.weight_decay:
        params_KP.mul_(1 - rate_K[:, None] * config.weight_decay)
    moment1_KP.lerp_(grad_KP, 1 - config.beta1)
    moment2_KP.mul_(config.beta2).addcmul_(grad_KP, grad_KP, value=1 - config.beta2)
    scale = torch.sqrt(moment2_KP, out=grad_KP).div_(correction2**0.5).add_(config.eps)
    params_KP.sub_(torch.div(moment1_KP, scale, out=scale).mul_(rate_K[:, None] / correction1))


def fused_adamw_step(
    params_KP: Tensor,
    grad_KP: Tensor,
    moment1_KP: Tensor,
    moment2_KP: Tensor,
    *,
    rate_K: Tensor,
    step: int | Tensor,
    config: OptimConfig,
) -> None:
    """Apply one step of PyTorch's fused AdamW in place, one member after the other.

    Parameters
    ----------
    params_KP, grad_KP, moment1_KP, moment2_KP, rate_K, step, config
        See `adamw_step`; the gradients are left as they are.
    """
    # One call for several members would round the ends of their rows by their number.
    for *one, rate in zip(params_KP, grad_KP, moment1_KP, moment2_KP, rate_K, strict=True):
        before = torch.as_tensor(step - 1, dtype=torch.float32, device=params_KP.device)
        adamw(
            *([tensor] for tensor in one),
            max_exp_avg_sqs=[],
            state_steps=[before],
            fused=True,
            amsgrad=False,
            maximize=False,
            lr=rate,
            beta1=config.beta1,
            beta2=config.beta2,
            weight_decay=config.weight_decay,
            eps=config.eps,
        )


def descend(
    params_KP: Tensor,
    grad_KP: Tensor,
    moment1_KP: Tensor,
    moment2_KP: Tensor,
    *,
    rate_K: Tensor,
    step: int | Tensor,
    config: OptimConfig,
) -> None:
    """Clip every member's gradient, then take one step of AdamW in the form asked for, in place.

    Parameters
    ----------
    params_KP, grad_KP, moment1_KP, moment2_KP : Tensor
        See `adamw_step`.
    rate_K : Tensor
        Learning rate of every member now, shape (K,).
    step : int or Tensor
        Number of this step, from 1.
    config : OptimConfig
        The optimiser.
    """
    clip_members(grad_KP, config.clip)
    take = fused_adamw_step if config.adamw == FUSED else adamw_step
    take(params_KP, grad_KP, moment1_KP, moment2_KP, rate_K=rate_K, step=step, config=config)
