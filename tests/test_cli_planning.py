"""Verbs around a run that has not been made: next-run, allocate, forecast --register and score."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from bayescale.cli import main


def answered(*arguments: str) -> None:
    """Run the command line, which ends every process; it must end well."""
    with pytest.raises(SystemExit, match="0"):
        main(arguments)


@pytest.fixture
def points(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    path.write_text("n_params,n_tokens\n7e9,1.4e11\n2e9,4e10\n")
    return path


def test_next_run_answers_in_text_and_json(
    runs_file: Path, plan_file: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["next-run", str(runs_file), "--plan", str(plan_file), "--shrink", "0.3"]
    answered(*arguments)
    shown = capsys.readouterr().out
    assert "Next run for 'big': mid (of 1 for" in shown
    assert "! no set of the pilots at hand promises 30%" in shown
    answered(*arguments, "--json")
    made = json.loads(capsys.readouterr().out)
    assert made["chosen"] == ["mid"]
    assert made["proposals"][0]["name"] == "mid"


def test_a_forecast_is_registered_and_scored(
    runs_file: Path, points: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "registered.json"
    answered("forecast", str(runs_file), "--at", str(points), "--register", str(file))
    digest = json.loads(file.read_text())["sha256"]
    assert f"sha256 {digest}" in capsys.readouterr().out
    answered("score", str(file), "--actual", "2.2", "--actual", "nan", "--sha256", digest, "--json")
    scored = json.loads(capsys.readouterr().out)
    assert [row["actual"] for row in scored["scores"]] == [2.2]
    assert scored["basis"]["model_hash"]
    answered("score", str(file), "--actual", "2.2", "--actual", "2.5")
    assert digest in capsys.readouterr().out


def test_decide_says_which_assumption_turns_the_verdict(
    runs_file: Path, plan_file: Path, capsys: pytest.CaptureFixture[str]
):
    answered("decide", str(runs_file), "--plan", str(plan_file), "--sensitivity")
    shown = capsys.readouterr().out
    for part in ("funding breaks even at", "prior: weak", "floor E: lowest third", "price.mfu ="):
        assert part in shown
    answered("decide", str(runs_file), "--plan", str(plan_file), "--sensitivity", "--json", "-")
    made = json.loads(capsys.readouterr().out)
    assert made["sensitivity"][0]["assumption"] == "as asked"
    assert made["budget"]["probability"] == 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["next-run", "{runs}", "--plan", "{plan}", "--goal", "speed"],
            "goal is 'speed', expected",
        ),
        (["next-run", "{runs}", "--plan", "{plan}", "--budget-usd", "-5"], "--budget-usd is '-5'"),
        (["next-run", "{runs}", "--plan", "{plan}", "-k", "0"], "k is 0, expected a whole number"),
        (["next-run", "{runs}", "--plan", "none.yaml"], "'none.yaml' does not exist"),
        (["score", "none.json", "--actual", "2.2"], "'none.json' cannot be read: No such file"),
        (["score", "{plan}", "--actual", "two"], "--actual is 'two', expected a positive number"),
        (["score", "{plan}", "--actual", "2.2"], "is corrupt: Expecting value"),
    ],
)
def test_bad_input_ends_in_status_2(
    arguments: list[str],
    message: str,
    runs_file: Path,
    plan_file: Path,
    capsys: pytest.CaptureFixture[str],
):
    given = [word.format(runs=runs_file, plan=plan_file) for word in arguments]
    with pytest.raises(SystemExit, match="2"):
        main(given)
    assert message in capsys.readouterr().err


def test_a_fit_says_for_what_its_table_fails_the_check(
    runs_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, spoiled = pd.read_csv(runs_file), tmp_path / "spoiled.csv"
    runs.assign(flops=6e3 * runs["n_params"] * runs["n_tokens"]).to_csv(spoiled, index=False)
    answered("allocate", str(runs_file), "--flops", "1e20", "--json")
    assert "fails" not in capsys.readouterr().err
    answered("allocate", str(spoiled), "--flops", "1e20", "--json")
    shown = capsys.readouterr()
    assert "check units_flops fails: flops is 1e+03 times 6 N D" in " ".join(shown.err.split())
    assert json.loads(shown.out)
