"""A sweep that stops units for good where their losses miss their forecast."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

pytest.importorskip("torch", reason="the harness needs the extra `harness`")

import bayescale as bs
from bayescale.cli import app
from bayescale.errors import DecisionError, ForecastError, HarnessError
from bayescale.harness.given_up import FILE, given_up
from bayescale.harness.sweep import run_sweep
from bayescale.runs.importers.read import read_logs
from bayescale.stop_against import StopAgainst

PLAN = {
    "name": "ladder",
    "corpus": "synthetic_zipf",
    "facts": {"vocab_size": 8},
    "sizes": [{"d_model": 8, "n_layers": 1}],
    "context": 16,
    "milestones": [3200, 9600],
    "seeds": [0, 1],
    "batch_tokens": 64,
    "learning_rates": [0.01],
    "eval_tokens": 128,
}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fit to invented runs that end at about .8 nats, where the units end at about 2."""
    rng = np.random.default_rng(0)
    n_params, n_tokens = (v.ravel() for v in np.meshgrid([5e2, 1e3, 2e3], [4e3, 8e3, 16e3, 32e3]))
    loss = 0.5 + 2.0 / n_params**0.3 + 5.0 / n_tokens**0.4
    frame = {"n_params": n_params, "n_tokens": n_tokens}
    frame["loss"] = loss * np.exp(0.003 * rng.standard_normal(12))
    path = tmp_path_factory.mktemp("fit") / "posterior.nc"
    return bs.fit(pd.DataFrame(frame), "chinchilla_plain_weak").save(path)


def sweep(*words: object) -> dict[str, object]:
    done = CliRunner().invoke(app, ["sweep", *map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_a_unit_that_misses_its_forecast_is_stopped_for_good(
    plan: Path, saved: Path, tmp_path: Path
) -> None:
    out, ends = tmp_path / "out", list[str]()
    # A look after every step: how fast the machine is must not matter.
    rule = StopAgainst(against=saved, every=0.0)
    run_sweep(plan, out, work=rule, on_end=ends.append)
    assert ends == ["finished"]
    (folder,) = (out / "units").iterdir()
    (stopped,) = given_up([folder])
    assert stopped.step < stopped.n_steps == 150
    assert "STOP" in stopped.reason
    (log, _) = read_logs(folder)
    assert log.status == "killed"
    assert log.curve().step[-1] <= stopped.step
    again = sweep(plan, "--out", out, "--stop-against", saved)
    assert [unit["step"] for unit in again["given_up"]] == [stopped.step]  # type: ignore[attr-defined]
    assert sweep(plan, "--out", out)["given_up"] == []
    assert pd.read_csv(out / "runs.csv")["n_tokens"].tolist() == [3200, 9600] * 2


@pytest.mark.slow
def test_a_unit_within_reach_of_its_target_is_left_alone(
    plan: Path, saved: Path, tmp_path: Path
) -> None:
    run_sweep(plan, tmp_path / "out", work=StopAgainst(against=saved, target=3.0, every=0.1))
    assert given_up((tmp_path / "out" / "units").iterdir()) == []


def test_a_worker_is_sent_the_path_and_not_the_posterior(saved: Path) -> None:
    rule = StopAgainst(against=saved)
    before = pickle.dumps(rule)
    rule.check()
    assert pickle.dumps(rule) == before
    assert pickle.loads(before) == rule


def test_what_cannot_be_a_rule_is_refused_before_anything_is_trained(
    plan: Path, saved: Path, tmp_path: Path
) -> None:
    with pytest.raises(ForecastError, match=r"stop_rate is 1\.5, expected between 0 and 1"):
        StopAgainst(against=saved, stop_rate=1.5).check()
    asked = ["sweep", str(plan), "--out", str(tmp_path / "out"), "--stop-target", "2.0"]
    refused = CliRunner().invoke(app, asked)
    with pytest.raises(HarnessError, match=r"--stop-target is 2\.0, but nothing forecasts"):
        raise refused.exception  # type: ignore[misc]
    steps = np.arange(1.0, 9.0)
    curve = pd.DataFrame({"run_id": "r", "step": steps, "loss": 2.0 + steps**-0.5})
    curves = bs.fit_curves(bs.read_curves(curve)).save(tmp_path / "curves.nc")
    with pytest.raises(DecisionError, match=r"has no target of its own\."):
        StopAgainst(against=curves).check()
    assert not (tmp_path / "out").exists()


def test_a_note_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(HarnessError, match=rf"{FILE} of unit .*not a note of a stopped unit"):
        given_up([tmp_path])
