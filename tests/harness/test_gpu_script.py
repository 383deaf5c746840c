"""The script for a GPU machine, rehearsed on the CPU with PyTorch, NumPy and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.config import Member
from bayescale.harness.packing import pack_corpus
from bayescale.harness.resolved_plan import ResolvedPlan

REPOSITORY = Path(__file__).resolve().parents[2]

BARE = """
import runpy, sys
for name in ("pandas", "yaml", "pydantic", "scipy", "pymc", "arviz", "xarray", "typer", "pyarrow"):
    sys.modules[name] = None
sys.path.insert(0, "benchmarks")
sys.argv = ["gpu.py", *sys.argv[1:]]
runpy.run_path("benchmarks/gpu.py", run_name="__main__")
"""


def gpu(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the script as a bare machine would, from the repository and without its installation."""
    return subprocess.run(
        [sys.executable, "-c", BARE, *map(str, arguments), "--rehearse"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def pack(tmp_path, make_unit) -> Path:
    """A packed corpus of random tokens and a plan with trials, two sizes and a run held back."""
    tokens = np.random.default_rng(0).integers(8, size=6000).astype("<u2")
    built = tmp_path / "built"
    built.mkdir()
    (built / "tokens.bin").write_bytes(tokens.tobytes())
    sha256 = hashlib.sha256(tokens.tobytes()).hexdigest()
    meta = {"sha256": sha256, "dtype": "uint16", "n_heldout": 600, "tokenizer": "pairs"}
    (built / "meta.json").write_text(json.dumps(meta | {"bytes_per_token": 2.0}))
    pack_corpus(built, tmp_path / "pack" / "words")

    def unit(d_model, rates, milestones=(640, 1280)):
        return make_unit(
            architecture={"d_model": d_model, "n_layers": 1},
            data={"corpus": "words", "tokens_sha256": sha256, "facts": None},
            train={"milestones": milestones, "precision": "bfloat16"},
            members=tuple(Member(seed=i, learning_rate=rate) for i, rate in enumerate(rates)),
        )

    plan = ResolvedPlan(
        name="tiny",
        trials=(unit(8, (0.003, 0.01, 0.03), (640,)), unit(16, (0.003, 0.01, 0.03), (640,))),
        units=(unit(8, (0.01, 0.01)), unit(16, (0.01,)), unit(32, (0.01,), (2560,))),
        held_back=(2,),
    )
    (tmp_path / "pack" / "tiny.json").write_text(plan.to_json())
    return tmp_path / "pack"


def test_a_plan_is_trained_in_pieces_on_several_machines(pack, tmp_path):
    plan, first, second = pack / "tiny.json", tmp_path / "first", tmp_path / "second"
    stopped = gpu("train", plan, "--pack", pack, "--out", first, "--seconds", 0)
    assert stopped.returncode == 3, stopped.stderr
    assert "stopped; gpu-runs.tar.gz has 0.00 MB" in stopped.stdout
    carried = ("--resume", first / "gpu-runs.tar.gz", "--budget", 1e6)
    done = gpu("train", plan, "--pack", pack, "--out", second, *carried)
    assert done.returncode == 0, done.stderr
    rows = (second / "tiny" / "runs.csv").read_text().splitlines()
    apart = (second / "tiny" / "held_back.csv").read_text().splitlines()
    assert (len(rows), len(apart)) == (1 + 2 * 2 + 2, 1 + 1)
    assert rows[0] == apart[0]
    rates = json.loads((second / "tiny" / "learning_rates.json").read_text())
    assert all(0.003 <= rate <= 0.03 for n, rate in list(rates.items())[:2])
    assert_tables(second, tmp_path / "tables")


def assert_tables(runs, out):
    """What was sent back becomes Parquet where the package is."""
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    try:
        from gpu_tables import tables
    finally:
        sys.path.pop(0)
    shown, apart = tables(runs, out, ["absent", "tiny"])
    assert (len(pd.read_parquet(shown)), len(pd.read_parquet(apart))) == (6, 1)


@pytest.mark.slow
def test_the_checks_pass(tmp_path):
    done = gpu("check", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "gpu_check.json").read_text())["rows"]
    assert len(rows) == 16
    assert all(row["passed"] for row in rows)


@pytest.mark.slow
def test_speeds_are_measured_once(tmp_path):
    table = tmp_path / "gpu_speed.json"
    assert gpu("speed", "--out", tmp_path, "--seconds", 0).returncode == 3
    before = json.loads(table.read_text())["rows"]
    done = gpu("speed", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(table.read_text())["rows"]
    assert (rows[:1], len(rows)) == (before, 6)
    assert all(row["tokens_per_second"] > 0 for row in rows)


@pytest.mark.slow
def test_both_sides_of_the_comparison_are_timed(tmp_path):
    done = gpu("rivals", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "gpu_rivals.json").read_text())["rows"]
    assert (len(row["plain"]), len(row["stacked"]), row["least_ratio"]) == (4, 2, 5.0)
    best = [max(one["tokens_per_second"] for one in row[side]) for side in ("stacked", "plain")]
    assert row["ratio"] == pytest.approx(best[0] / best[1], abs=1e-3)


def test_without_a_gpu_the_way_out_is_named(monkeypatch, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    monkeypatch.setattr(sys, "argv", ["gpu.py", "check"])
    import gpu as script

    assert script.main() == 2
    assert "PyTorch sees no GPU. Use --rehearse" in capsys.readouterr().err
