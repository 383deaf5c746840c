"""A unit of training that takes a fraction of a second."""

from __future__ import annotations

import dataclasses
from typing import Any

from bayescale.harness.config import (
    ArchitectureConfig,
    DataConfig,
    FactsConfig,
    Member,
    OptimConfig,
    RunConfig,
    TrainConfig,
)


def tiny_unit(**parts: Any) -> RunConfig:
    """Return a tiny unit on the synthetic stream, some of its parts replaced."""
    base = RunConfig(
        architecture=ArchitectureConfig(
            d_model=16, n_layers=2, n_heads=2, ffn_width=24, vocab_size=8, context=16
        ),
        data=DataConfig(
            corpus="synthetic_zipf",
            eval_tokens=512,
            facts=FactsConfig(vocab_size=8, key_tokens=3),
        ),
        optim=OptimConfig(warmup_tokens=128),
        train=TrainConfig(batch_tokens=64, milestones=(1280, 2560)),
        members=(Member(seed=0, learning_rate=0.01),),
    )
    changed = {}
    for name, value in parts.items():
        old = getattr(base, name)
        changed[name] = dataclasses.replace(old, **value) if isinstance(value, dict) else value
    return dataclasses.replace(base, **changed)
