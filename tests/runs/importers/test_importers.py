"""Logs of seven programs: what is read of them, while they grow and when they are damaged."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.importers.read import read_logs, runs_frame
from bayescale.runs.importers.run_log import RunLog
from bayescale.runs.table import read_runs

LOGS = Path(__file__).parent / "logs"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.executescript((LOGS / "mlflow.sql").read_text(encoding="utf-8"))
    database.close()
    return path


def only(source: Any) -> RunLog:
    (log,) = read_logs(source)
    return log


def test_mlflow(store: Path) -> None:
    before = store.read_bytes()
    small, large, crashed = read_logs(store)
    assert (small.name, small.status, crashed.status) == ("small", "finished", "killed")
    assert small.curve().metric == "train_loss"
    assert small.curve().n_tokens.tolist() == [4096.0 * (s + 1) for s in range(0, 40, 4)]
    assert large.row()["loss_kind"] == "val_loss"
    runs = read_runs(store)
    assert runs.numbers("n_params").tolist() == [1.2e6, 4.8e6, 4.8e6]
    # The last value of the crashed run was no number.
    assert np.isfinite(runs.numbers("loss")).all()
    assert len(runs.usable()[0]) == 0  # fewer tokens than parameters
    assert store.read_bytes() == before


def test_tensorboard_values_of_both_kinds() -> None:
    new, old = read_logs(LOGS / "tensorboard")
    assert (old.name, new.name) == ("old", "new")
    # As TensorBoard itself reads the first three back.
    assert old.curve().loss[:3] == pytest.approx([6.5096, 4.0423, 3.6841])
    assert old.curve().n_tokens[:2].tolist() == [4096.0, 45056.0]
    assert len(new.curve("val_loss")) == 10
    assert only(next((LOGS / "tensorboard" / "old").iterdir())).metrics.keys() == old.metrics.keys()


@pytest.mark.parametrize("cut", [0, 5, 100, 500])
def test_an_event_file_that_is_still_being_written(cut: int, tmp_path: Path) -> None:
    whole = next((LOGS / "tensorboard" / "old").iterdir()).read_bytes()
    path = tmp_path / "events.out.tfevents.1.host"
    path.write_bytes(whole[: len(whole) - cut])
    loss = only(path).curve().loss
    full = only(LOGS / "tensorboard" / "old").curve().loss
    assert loss.tolist() == full[: len(loss)].tolist()


def test_nanochat_with_its_held_out_bits() -> None:
    log = only(LOGS / "nanochat.log")
    assert log.status == "finished"
    curve = log.curve()
    assert (curve.metric, curve.step[-1], curve.n_tokens[-1]) == ("train_loss", 380, 380 * 131072)
    assert log.metrics["bits_per_byte"][0].tolist() == [0, 100, 200, 300, 400]
    assert log.row()["n_params"] == 73531392


def test_nanochat_that_counts_parameters_by_kind() -> None:
    """The lines are those of the print statements of its ``scripts/base_train.py`` in 2026."""
    log = only(LOGS / "nanochat_2026.log")
    assert log.row()["n_params"] == 135266304
    assert (log.batch_tokens, log.status) == (524288, "running")
    assert log.curve("train_loss").step.tolist() == [0, 1, 11]
    assert log.metrics["bits_per_byte"][1].tolist() == [3.516402]


def test_torchtitan_in_colour() -> None:
    log = only(LOGS / "torchtitan.log")
    assert (log.status, log.batch_tokens) == ("running", 32 * 16)
    assert log.metrics["val_loss"][0].tolist() == [20, 40]
    assert log.curve().step.tolist() == [1, 10, 20, 30, 40, 50]
    assert log.row() | {"loss": 0.0} == {
        "n_params": 26944.0,
        "batch_sequences": 32.0,
        "context": 16.0,
        "n_steps": 60.0,
        "run_id": "torchtitan",
        "step": 40.0,
        "loss": 0.0,
        "loss_kind": "val_loss",
        "n_tokens": 40 * 32 * 16.0,
        "status": "running",
    }


def test_litgpt_on_the_console_and_in_its_table() -> None:
    console, table = only(LOGS / "litgpt.log"), only(LOGS / "litgpt_csv")
    assert console.row()["loss"] == pytest.approx(table.row()["loss"], abs=1e-4)
    assert console.row()["n_params"] == 5360
    assert table.curve().n_tokens[-1] == 4 * 32 * 240
    assert np.isnan(console.curve().n_tokens).all()
    assert console.curve(batch_tokens=128.0).n_tokens[-1] == 4 * 32 * 240


def test_exports_of_weights_and_biases() -> None:
    """Histories are rows that W&B wrote offline, panel and table in the form of its web page."""
    history = only(LOGS / "wandb_history.json")
    assert history.curve().metric == "val/loss"
    first, second = read_logs(LOGS / "wandb_runs.json")
    assert (first.status, second.status) == ("finished", "killed")
    assert runs_frame([first, second])["n_params"].tolist() == [1.2e7, 4.8e7]
    first, second = read_logs(LOGS / "wandb_panel.csv")
    assert second.name == "calm-sky - two"
    assert (len(first.curve()), len(second.curve())) == (10, 6)
    runs = read_runs(LOGS / "wandb_table.csv")
    assert runs.labels("status").tolist() == ["finished", "killed", "running"]
    assert runs.labels("run_id").tolist()[0] == "wise-river-1"
    assert len(runs.usable()[0]) == 1


class ApiRun(SimpleNamespace):
    """What W&B's public API calls a run: the members that are read, no others."""

    def scan_history(self) -> list[dict[str, Any]]:
        return list(self.rows)


def api_run(name: str, n_params: float) -> ApiRun:
    rows = [
        {"_step": s, "_runtime": 1.0, "loss": 3.0 - s / 100, "tokens": s * 1e4} for s in (0, 50)
    ]
    config = {"model": {"n_params": n_params}, "_wandb": {"t": 1}}
    return ApiRun(name=name, state="finished", config=config, rows=rows)


def test_runs_of_an_api() -> None:
    runs = read_runs([api_run("a", 1e5), api_run("b", 2e5)])  # type: ignore[arg-type]
    assert runs.numbers("n_params").tolist() == [1e5, 2e5]
    assert runs.numbers("n_tokens").tolist() == [5e5, 5e5]
    assert runs.numbers("loss").tolist() == [2.5, 2.5]
    assert only(api_run("a", 1e5)).facts == {"model.n_params": 1e5}


def test_lines_grow_and_a_torn_one_waits(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [
        {"step": s, "n_tokens": s * 1000, "loss": 4.0 - s / 100, "who": "me"} for s in (1, 2, 3)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(text + '{"step": 4, "lo')
    log = only(path)
    assert log.curve().n_tokens.tolist() == [1000, 2000, 3000]
    assert log.facts == {"who": "me"}
    path.write_text(text + '{"step": 2, "loss": 3.5}\nnot json\n')
    with pytest.raises(RunsTableError, match=r"line 5 is no JSON.*begins 'not json'"):
        read_logs(path)
    path.write_text(text + '{"step": 2, "loss": 3.5}\n')
    assert only(path).curve().loss.tolist() == [3.99, 3.5, 3.97]


def test_a_folder_that_grows_is_one_run_and_its_folders_are_others(tmp_path: Path) -> None:
    for k, first in enumerate((1, 11)):
        rows = (json.dumps({"step": s, "loss": 5.0 - s / 10}) for s in range(first, first + 10))
        (tmp_path / f"part-{k}.jsonl").write_text("\n".join(rows) + "\n")
    log = only(tmp_path)
    assert log.curve().step.tolist() == list(range(1, 21))
    shutil.copytree(LOGS / "litgpt_csv", tmp_path / "other")
    assert [found.name for found in read_logs(tmp_path)] == [tmp_path.name, "other"]


def test_tokens_stand_in_for_steps(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Tokens,loss,note\n1000,3.0,\n2000,2.5,x\n3000,\n")
    assert only(path).curve().n_tokens.tolist() == [1000, 2000]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.log", "nothing of use\n", "holds no log of a run.*nanochat, torchtitan, litgpt"),
        ("a.csv", "loss\n1\n", "no column of steps or tokens among loss"),
        ("a.json", "[1, 2]", "holds no list of objects"),
        ("a.json", "{", "is no JSON"),
        ("a.jsonl", "[1]\n", "line 1 holds '\\[1\\]', expected an object"),
    ],
)
def test_what_is_no_log_is_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RunsTableError, match=message):
        read_logs(tmp_path / name)


def test_a_missing_log_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RunsTableError, match=r"no file or folder '.*gone\.jsonl'"):
        read_logs(tmp_path / "gone.jsonl")


def test_another_database_is_no_store(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("create table t (x)")
    database.close()
    with pytest.raises(RunsTableError, match=r"no store of MLflow's.*no such table: runs"):
        read_logs(tmp_path / "a.db")


def test_the_loss_is_named_or_asked_for() -> None:
    log = only(LOGS / "litgpt_csv")
    assert log.curve("loss").metric == "loss"
    with pytest.raises(UnknownNameError, match=r"unknown metric 'los'.*Did you mean 'loss'"):
        log.curve("los")
    with pytest.raises(
        RunsTableError, match=r"none of its metrics is known to be a loss \(speed\)"
    ):
        RunLog("a", {"speed": (np.ones(1), np.ones(1))}).curve()


def test_a_table_with_steps_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("step,N,D,loss\n10,1e8,2e9,3.0\n10,2e8,4e9,2.9\n")
    assert len(read_runs(tmp_path / "runs.csv")) == 2
    (tmp_path / "notes.txt").write_text("step 1\n")
    with pytest.raises(RunsTableError, match=r"files ending in '.txt' are not read"):
        read_runs(tmp_path / "notes.txt")
