"""Small units of training for the harness tests."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest


@pytest.fixture
def one_thread():
    """Run with one thread: sums then have one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_unit():
    """Build a tiny unit on the synthetic stream; keyword arguments replace parts."""
    from bayescale.harness.config import (
        ArchitectureConfig,
        DataConfig,
        FactsConfig,
        Member,
        OptimConfig,
        RunConfig,
        TrainConfig,
    )

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

    def make(**parts: Any) -> RunConfig:
        changed = {}
        for name, value in parts.items():
            old = getattr(base, name)
            changed[name] = dataclasses.replace(old, **value) if isinstance(value, dict) else value
        return dataclasses.replace(base, **changed)

    return make
