"""The benchmark of speeds measures every variant against the plain one."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.config import ArchitectureConfig

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_every_variant_is_timed_against_the_plain_one(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module("harness_speed")
    config = ArchitectureConfig(
        d_model=16, n_layers=1, n_heads=2, ffn_width=24, vocab_size=32, context=16
    )
    found = module.measure(config, 32, rounds=2, seconds=1e-6)
    assert found["variants"]["plain"]["ratio"] == 1.0
    assert {"stacked", "eager", "as picked", "plain, bf16"} <= set(found["variants"])
    assert found["picked_at_once"] in (1, 2, 4, 8)
    assert all(own["tokens_per_second"] > 0 for own in found["variants"].values())
