"""What is said of intervals at a factor agrees with the committed backtest."""

from __future__ import annotations

import pytest

import bayescale as bs
from bayescale.forecasts.backtest import load_backtest
from bayescale.forecasts.reliability import reliability, reliability_sentence
from bayescale.models.catalog import WEAK_MODEL
from bayescale.registry import shipped


def test_counts_are_those_of_the_committed_backtest() -> None:
    results = shipped("benchmarks", "results", "backtest_coupled_gp.csv")
    frame = load_backtest(results).frame.query("cell == '10x'")
    found = reliability("coupled_gp", 10.0)
    assert found is not None
    assert found.predicted == frame["n_points"].sum()
    assert found.held == round((frame["coverage_90"] * frame["n_points"]).sum())
    assert f"held in {found.held} of {found.predicted} predictions" in str(found)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.1, "hardly an extrapolation"),
        (3.0, "near 3x"),
        (100.0, "near 100x"),
        (1e4, "no table tells how intervals of coupled_gp do at 10,000 times the fitted"),
    ],
)
def test_every_factor_has_its_sentence(factor: float, words: str) -> None:
    assert words in reliability_sentence("coupled_gp", factor)


def test_a_model_nobody_backtested_is_said_to_be_so() -> None:
    assert "no table tells" in reliability_sentence("my_own", 10.0)


def test_a_model_for_other_tables_is_judged_by_such_tables() -> None:
    found = reliability(WEAK_MODEL, 10.0)
    assert found is not None
    assert found.tables == "of our own tables, unlike any public one"
    results = shipped("benchmarks", "results", f"backtest_{WEAK_MODEL}_locked.csv")
    frame = load_backtest(results).frame.query("cell == '10x'")
    assert found.predicted == frame[frame.family.str.startswith("bayescale_")].n_points.sum()


def test_every_model_recommended_by_name_has_counts() -> None:
    for name in ("coupled_gp", "coupled_gp_weak", "chinchilla_gp_weak"):
        assert name in bs.list_models()
        assert reliability(name, 30.0) is not None
