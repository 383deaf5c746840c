"""The script for a GPU machine, rehearsed on the CPU with PyTorch, NumPy and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
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
import json, runpy, sys
for name in ("pandas", "yaml", "pydantic", "scipy", "pymc", "arviz", "xarray", "typer", "pyarrow"):
    sys.modules[name] = None
sys.path.insert(0, "benchmarks")
main = runpy.run_path("benchmarks/gpu.py")["main"]
for line in json.loads(sys.argv[1]):
    sys.argv = ["gpu.py", *line, "--rehearse"]
    print("STATUS", main(), flush=True)
"""


def gpu(*lines: tuple[object, ...]) -> list[str]:
    """Run commands as a bare machine would; return what each printed, its status last."""
    texts = json.dumps([[str(word) for word in line] for line in lines])
    done = subprocess.run(
        [sys.executable, "-c", BARE, texts],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.splitlines()
    ends = [i for i, line in enumerate(printed) if line.startswith("STATUS")]
    starts = [0, *(end + 1 for end in ends)]
    return ["\n".join(printed[i : j + 1]) for i, j in zip(starts, ends, strict=False)]


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


@pytest.mark.slow
def test_a_plan_is_trained_in_pieces_on_several_machines(pack, tmp_path):
    plan, first, second = pack / "tiny.json", tmp_path / "first", tmp_path / "second"
    absent = tmp_path / "absent.json"
    train = ("train", plan, "--pack", pack)
    carried = ("--resume", first / "gpu-runs.tar.gz", "--budget", 1e6)
    stopped, done, refused = gpu(
        (*train, "--out", first, "--seconds", 0),
        (*train, "--out", second, *carried),
        ("train", plan, absent, "--out", tmp_path / "third"),
    )
    assert refused.endswith("STATUS 2")
    assert list((tmp_path / "third").iterdir()) == []
    assert "stopped; gpu-runs.tar.gz has 0.00 MB\nSTATUS 3" in stopped
    assert done.endswith("STATUS 0")
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
    for names, name in ((["absent", "tin"], "tin"), ([], "tiny")):
        shown, apart = tables(runs, out, names)
        assert shown.parent.name == apart.parent.name == name
        assert (len(pd.read_parquet(shown)), len(pd.read_parquet(apart))) == (6, 1)


@pytest.mark.slow
def test_checks_speeds_and_rivals_are_rehearsed(tmp_path):
    out = ("--out", tmp_path)
    check, cut, speed, rivals = gpu(
        ("check", *out), ("speed", *out, "--seconds", 0), ("speed", *out), ("rivals", *out)
    )
    assert "STATUS 0" in check, check
    assert [text[-8:] for text in (cut, speed, rivals)] == ["STATUS 3", "STATUS 0", "STATUS 0"]
    read = {
        name: json.loads((tmp_path / f"gpu_{name}.json").read_text())["rows"]
        for name in ("check", "speed", "rivals")
    }
    assert len(read["check"]) == 19
    # What a cut call had measured was not measured again.
    assert [row["way"] for row in read["speed"]].count("eager") == 2
    assert len(read["speed"]) == 6
    assert all(row["tokens_per_second"] > 0 for row in read["speed"])
    (row,) = read["rivals"]
    assert (len(row["plain"]), len(row["stacked"]), row["least_ratio"]) == (4, 2, 5.0)
    best = [max(one["tokens_per_second"] for one in row[side]) for side in ("stacked", "plain")]
    assert row["ratio"] == pytest.approx(best[0] / best[1], abs=1e-3)


@pytest.fixture
def session(pack, tmp_path, monkeypatch):
    """What a call on a GPU has, here on the CPU; its networks would be compiled."""
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    from on_gpu.training import Session

    archive, out = tmp_path / "runs.tar.gz", tmp_path / "runs"
    parts = {"device": "cpu", "seconds": 1e6, "compile_from": 0, "archive": archive}
    return Session(packed=pack, out=out, **parts)


def stand_in(monkeypatch, fails):
    """Train nothing, let units fail where ``fails(config, style)``, return styles that did not."""
    from on_gpu import training

    styles = []

    def train(config, folder, **asked):
        if fails(config, asked["style"]):
            try:
                raise ValueError("a copy from the host")
            finally:
                raise RuntimeError("no such kernel\nand a trace")
        styles.append(asked["style"])
        return "finished"

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(training, "give_back", lambda device: None)
    return styles


def outcome(pack, session, **changed):
    from on_gpu.training import read_plan, train_plans

    plan = dataclasses.replace(read_plan(pack / "tiny.json"), **changed)
    return train_plans([plan], session, budget=float("inf"))


def test_what_cannot_be_compiled_is_trained_as_it_is(pack, session, monkeypatch, capsys):
    styles = stand_in(monkeypatch, lambda config, style: style == "compiled")
    assert outcome(pack, session, trials=()) == "finished"
    assert styles == ["resident"] * 3
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 6
    assert said[0].endswith("RuntimeError: no such kernel, after ValueError: a copy from the host")


def test_a_unit_that_fails_leaves_the_others_their_turn(pack, session, monkeypatch):
    styles = stand_in(monkeypatch, lambda config, style: config.architecture.d_model == 16)
    assert outcome(pack, session, trials=()) == "failed"
    assert styles == ["compiled"] * 2


def test_what_would_be_compiled_late_is_left_to_the_next_call(pack, session, monkeypatch):
    styles = stand_in(monkeypatch, lambda config, style: False)
    session.seconds = 100.0
    assert outcome(pack, session, trials=()) == "stopped"
    session.compile_from = 32
    assert outcome(pack, session, trials=()) == "stopped"
    assert styles == ["resident"] * 2


def test_without_its_trials_a_plan_has_no_rates(pack, session, monkeypatch, capsys):
    styles = stand_in(monkeypatch, lambda config, style: config.architecture.d_model == 16)
    assert outcome(pack, session) == "failed"
    assert styles == ["compiled"]
    assert "tiny: without all its trials it has no learning rates" in capsys.readouterr().out


def test_without_a_gpu_the_way_out_is_named(monkeypatch, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    monkeypatch.setattr(sys, "argv", ["gpu.py", "check"])
    import gpu as script

    assert script.main() == 2
    assert "PyTorch sees no GPU. Use --rehearse" in capsys.readouterr().err
