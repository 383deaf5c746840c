"""Members that diverge: marked, never stopped."""

from __future__ import annotations

import torch
from torch import Tensor

from bayescale.harness.checkpoint import TrainState
from bayescale.harness.config import TrainConfig


def watch(state: TrainState, loss_K: Tensor, config: TrainConfig) -> None:
    """Mark members that diverge: NaN, or far above their lowest mean loss for many steps.

    The mean runs over as many steps as must be far above it: of a batch of one sequence, the
    smallest loss so far is that of the easiest sequence and no measure of the network.

    Members never mix, so a diverged one does its neighbours no harm; it trains on, and its rows
    say so. Nothing here waits for the device, and every tensor keeps its address.

    Parameters
    ----------
    state : TrainState
        Changed in place.
    loss_K : Tensor
        Training loss of this step, shape (K,).
    config : TrainConfig
        The abort rule.
    """
    follows = state.mean + (loss_K - state.mean) / config.abort_steps
    state.mean.copy_(torch.where(torch.isfinite(state.mean), follows, loss_K))
    torch.fmin(state.lowest, state.mean, out=state.lowest)
    near = loss_K <= config.abort_ratio * state.lowest
    state.above.add_(1).mul_(~near)
    state.diverged |= (state.above >= config.abort_steps) | ~torch.isfinite(loss_K)
