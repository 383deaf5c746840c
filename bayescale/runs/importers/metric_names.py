"""What programs call the losses, tokens and rates that they log."""

from __future__ import annotations

from bayescale.runs import schema

VALIDATION = (
    "val_loss",
    "val/loss",
    "loss/val",
    "validation_loss",
    "validation/loss",
    "validation_metrics/loss",
    "eval_loss",
    "eval/loss",
    "valid_loss",
    "test_loss",
)
"""Losses on held-out text, the likeliest meant first."""

TRAINING = (
    "train_loss",
    "train/loss",
    "loss/train",
    "training_loss",
    "loss",
    "loss_metrics/global_avg_loss",
)
"""Losses of training batches."""

TOKENS = (
    schema.N_TOKENS,
    "total_tokens",
    "tokens",
    "n_tokens_seen",
    "tokens_seen",
    "train/tokens",
    "num_tokens",
)
"""Training tokens seen so far; litgpt's ``tokens`` are those of one device."""

STEPS = (schema.STEP, "_step", "global_step", "train/global_step", "iteration", "iter")
"""Optimiser steps."""

STATUS = {
    "finished": "finished",
    "crashed": "killed",
    "failed": "killed",
    "killed": "killed",
    "preempted": "killed",
    "running": "running",
    "scheduled": "running",
    "pending": "running",
}
"""Words of other programs for how a run stands, lower case, to `schema.STATUSES`."""
