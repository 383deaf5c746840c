"""compare --group: what sets groups apart, in text and in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from decisions.simulated_arms import runs_of, three_arms

from bayescale.cli import app
from bayescale.errors import DecisionError, ModelError

Run = Callable[..., str]

pytestmark = pytest.mark.filterwarnings("ignore::bayescale.errors.BayescaleWarning")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arms") / "runs.csv"
    runs_of(("slow", "fast"), n_runs=24).to_csv(path, index=False)
    return path


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the verb in this process and return what it printed."""

    def call(*arguments: object) -> str:
        app(["compare", *map(str, arguments)], standalone_mode=False)
        return capsys.readouterr().out

    return call


GROUPED = ("--group", "architecture", "--model", "chinchilla_plain_weak")


def test_groups_are_compared_in_json(table: Path, compare: Run) -> None:
    at = ("--n-params", "1B", "--n-tokens", "20B")
    made = json.loads(compare(table, *GROUPED, *at, "--json"))
    assert made["ranking"]["point"] == {"n_params": 1e9, "n_tokens": 2e10}
    assert made["ranking"]["arms"][0]["arm"] == "fast"
    assert {m["along"] for m in made["multipliers"]} == {"compute", "n_tokens"}
    assert [c["coefficient"] for c in made["contrasts"]] == ["E", "alpha", "beta"]


def test_groups_are_compared_in_text(table: Path, compare: Run) -> None:
    shown = " ".join(compare(table, *GROUPED).split())
    assert ", the largest fitted run" in shown
    assert "has the lowest expected loss with a probability of" in shown
    assert "each arm needs to match fast over compute compute_q05" in shown
    assert "prob_no_crossing" in shown
    assert "prob_direction" in shown


def test_a_saved_posterior_is_compared(tmp_path: Path, compare: Run) -> None:
    path = three_arms().save(tmp_path / "posterior.nc")
    made = json.loads(compare(path, "--n-params", "1B", "--n-tokens", "20B", "--json"))
    assert len(made["ranking"]["arms"]) == 3


def test_other_tokenizers_are_refused(table: Path, tmp_path: Path, compare: Run) -> None:
    frame = pd.read_csv(table)
    frame["tokenizer"] = np.where(frame["architecture"] == "slow", "bytes", "bpe")
    frame.to_csv(tmp_path / "runs.csv", index=False)
    with pytest.raises(DecisionError, match="the arms differ in tokenizer"):
        compare(tmp_path / "runs.csv", *GROUPED)


def test_models_are_still_ranked_group_by_group(table: Path, compare: Run) -> None:
    names = "chinchilla_plain_weak,kaplan_plain_weak"
    shown = compare(table, "--group", "architecture", "--models", names, "--json")
    assert {row["model"] for row in json.loads(shown)["models"]} == {*names.split(",")}


def test_a_point_without_groups_is_refused(table: Path, compare: Run) -> None:
    with pytest.raises(ModelError, match="--n-params compares groups, but models are ranked"):
        compare(table, "--where", "architecture=slow", "--n-params", "1B")
