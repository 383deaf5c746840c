"""The load benchmark takes simulated runs through every stage and knows what grows how."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("load")


def test_every_record_arrives_at_every_stage(load, tmp_path):
    found = {
        name: load.stage(name, tmp_path, 3, 1) for name in ("engine", "table", "read", "compact")
    }
    assert found["engine"]["records"] == 600
    assert found["table"]["rows"] == found["read"]["rows"] == 600
    assert load.stage("parquet", tmp_path, 3, 1)["rows"] == 600
    assert found["compact"]["parquet_mb"] < found["compact"]["jsonl_mb"] / 5


def test_growth_is_a_slope_of_logs(load):
    def made(runs):
        return {
            name: {"seconds": runs, "cpu_seconds": runs**2, "peak_mb": 5} for name in load.STAGES
        }

    slopes = load.growth({10: made(10), 100: made(100), 400: made(400)})["fit"]
    assert slopes == pytest.approx({"seconds": 1.0, "cpu_seconds": 2.0, "peak_mb": 0.0})
