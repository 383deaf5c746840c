"""curves: whole training curves, in text, in JSON and as a file for watch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bayescale.cli import app
from bayescale.errors import (
    DecisionError,
    InferenceError,
    ModelError,
    RunsTableError,
    UnknownNameError,
)
from tests.simulated_curves import WARMUP, scheduled_frame

Run = Callable[..., str]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("curves") / "losses.csv"
    scheduled_frame().to_csv(path, index=False)
    return path


@pytest.fixture
def curves(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the verb in this process and return what it printed."""

    def call(*arguments: object) -> str:
        app(["curves", *map(str, arguments)], standalone_mode=False)
        return capsys.readouterr().out

    return call


SCHEDULED = ("--rate", "learning_rate", "--warmup", WARMUP, "--group", "family")


def test_a_saved_fit_forecasts_what_the_fit_did(curves: Run, table: Path, tmp_path: Path):
    saved = tmp_path / "curves.nc"
    first = json.loads(curves(table, *SCHEDULED, "--at", "48K", "--out", saved, "--json"))
    with pytest.raises(ModelError, match="--pooling was given with the saved posterior"):
        curves(saved, "--pooling", "none")
    again = json.loads(curves(saved, "--at", "48K", "--json"))
    assert first["laws"] == ["multi_power"]
    assert first["forecast"] == again["forecast"]
    assert [row["run"] for row in again["forecast"]] == ["constant", "cosine"]
    assert again["forecast"][1]["step"] == 48000.0


def test_without_a_place_coefficients_are_shown(curves: Run, table: Path):
    shown = curves(table, "--law", "learning_curve_m3", "--where", "run_id=constant")
    assert "saturation" in shown
    assert "CurvePosterior of learning_curve_m3 on 1 runs" in shown


def test_siblings_share_what_the_model_says(curves: Run, table: Path):
    asked = (table, "--law", "learning_curve_m3", "--group", "family", "--json")
    partly, apart = (
        json.loads(curves(*asked, *more))["coefficients"] for more in ((), ("--pooling", "none"))
    )
    assert {row["run"] for row in partly} == {"constant", "cosine"}
    assert {row["family"] for row in partly} == {"simulated"}
    assert {row["run_id"] for row in apart} == {"constant", "cosine"}


def test_bad_words_are_named(curves: Run, table: Path, tmp_path: Path):
    with pytest.raises(DecisionError, match="--at is 'soon'"):
        curves(table, *SCHEDULED, "--at", "soon")
    with pytest.raises(UnknownNameError, match="unknown law 'learning_curve_m5'"):
        curves(table, "--law", "learning_curve_m5")
    with pytest.raises(UnknownNameError, match="unknown pooling 'crossed'"):
        curves(table, *SCHEDULED, "--pooling", "crossed")
    with pytest.raises(RunsTableError, match="rate"):
        curves(table, "--rate", "rates")
    with pytest.raises(InferenceError, match=r"none\.nc' does not exist"):
        curves(tmp_path / "none.nc")
