"""The benchmark of stacked training compares two ways to train the same networks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.config import ArchitectureConfig

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "stacked_training.py"


@pytest.mark.usefixtures("one_thread")
def test_both_sides_train_the_same_networks_and_are_timed():
    spec = importlib.util.spec_from_file_location("stacked_training", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = ArchitectureConfig(
        d_model=16, n_layers=2, n_heads=2, ffn_width=24, vocab_size=32, context=16
    )
    found = module.measure(config, n_members=3, batch_tokens=32, rounds=2, steps=1)
    assert found["stacked_ms"] > 0
    assert found["plain_ms"] > 0
    assert found["n_members"] == 3
