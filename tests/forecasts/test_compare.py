"""Models ranked by backtest, and what may not be concluded from the ranking."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import ForecastError, UnknownNameError
from bayescale.forecasts.compare import Comparison, servable
from bayescale.forecasts.comparison import TASK
from bayescale.registry import shipped
from tests.forecasts.conftest import simulate

MODELS = ("chinchilla_gp_weak", "kaplan_plain_weak", "chinchilla_plain_weak")


@pytest.fixture(scope="module")
def made() -> Comparison:
    return bs.compare(simulate(seed=4, sizes=9, lengths=9), MODELS)


def scored(gaps: list[float], models: tuple[str, str] = ("coupled_gp", "own")) -> Comparison:
    """Return two models whose CRPS differ by `gaps` on as many tasks."""
    rows = [
        {"model": model, "group": "", "evaluation": "", "factor": float(k), "crps": 0.01 + gap,
         "coverage_90": 0.9, "abs_error": 0.01, "width_90": 0.1}
        for model, found in zip(models, ([0.0] * len(gaps), gaps), strict=True)
        for k, gap in enumerate(found)
    ]  # fmt: skip
    return Comparison("t", models, pd.DataFrame(rows))


def test_models_are_ranked_by_crps(made) -> None:
    assert set(made.models) == set(MODELS)
    assert made.frame["crps"].is_monotonic_increasing
    assert made.best == made.frame["model"][0]
    assert made.frame["rank"].tolist() == [1, 2, 3]


def test_scores_are_those_of_the_backtest(made) -> None:
    alone = bs.backtest(simulate(seed=4, sizes=9, lengths=9), "kaplan_plain_weak").frame
    wanted = alone.groupby(TASK)["crps"].mean().to_numpy()
    found = made.scores.query("model == 'kaplan_plain_weak'").sort_values(TASK)["crps"]
    assert found.to_numpy() == pytest.approx(wanted)
    assert made.n_tasks == len(wanted)


def test_a_law_without_a_floor_is_told_from_the_truth(made) -> None:
    assert made.models[-1] == "kaplan_plain_weak"
    assert made.told_apart("kaplan_plain_weak")
    gap, low, high = made.difference("kaplan_plain_weak")
    assert 0 < low < gap < high
    assert f"{made.best} predicts better than" in made.sentences[-1]


def test_the_best_differs_from_itself_by_nothing(made) -> None:
    assert made.difference(made.best) == (0.0, 0.0, 0.0)
    assert not made.told_apart(made.best)


def test_a_difference_that_covers_zero_is_no_difference() -> None:
    found = scored([0.002, -0.001, 0.001, -0.001, 0.0015])
    assert not found.told_apart("own")
    assert "own cannot be told from it on this table: the 90 % interval" in found.sentences[0]
    assert "not told apart from it: own" in repr(found)


def test_a_difference_on_every_task_is_one() -> None:
    found = scored([0.002, 0.001, 0.003])
    assert found.told_apart("own")
    assert found.sentences == ("coupled_gp predicts better than own on this table.",)


def test_two_tasks_tell_nothing_apart() -> None:
    found = scored([0.02, 0.03])
    assert not found.told_apart("own")
    assert found.sentences == (
        "The models cannot be told apart on this table: it yields 2 task(s), fewer than 3.",
    )
    assert scored([0.02]).difference("own")[1:] == (-np.inf, np.inf)


def test_public_tables_speak_where_this_one_cannot() -> None:
    found = scored([0.02, 0.03], models=("chinchilla_gp_weak", "coupled_gp"))
    assert found.sentences[1].startswith("On public tables coupled_gp scores best of them (CRPS")


def test_shipped_models_come_with_their_scores_on_public_tables() -> None:
    frame = scored([0.0, 0.0, 0.0]).frame.set_index("model")
    file = shipped("benchmarks", "results", "backtest_coupled_gp.json")
    overall = json.loads(file.read_text())["overall"]
    for name in ("crps", "coverage_90"):
        wanted = overall[name]["mean"]
        assert frame[f"corpus_{name}"]["coupled_gp"] == pytest.approx(wanted, abs=5e-5)
        assert np.isnan(frame[f"corpus_{name}"]["own"])


def test_a_law_stands_for_its_model_with_a_discrepancy() -> None:
    runs = simulate(seed=4)
    found = bs.compare(runs, ["coupled", "chinchilla", "kaplan"])
    assert set(found.models) == {"coupled_growing_gp", "chinchilla_gp_weak", "kaplan_plain_weak"}


def test_every_model_the_table_can_serve_is_the_default() -> None:
    runs = bs.read_runs(simulate())
    assert "chinchilla_plain_weak_partial" not in servable(runs)
    assert {"coupled_growing_gp", "kaplan_plain_weak"} <= set(servable(runs))


def test_a_law_of_compute_is_compared(made) -> None:
    runs = simulate(seed=4)
    runs["flops"] = 6 * runs["n_params"] * runs["n_tokens"]
    models = ["power_law_compute_plain_weak", "chinchilla_gp_weak"]
    assert bs.compare(runs, models).models[1] == "power_law_compute_plain_weak"


def test_any_law_of_loss_is_compared_by_its_own_model() -> None:
    runs = simulate(seed=4)
    runs["n_tokens_unique"] = runs["n_tokens"]
    ranked = bs.compare(runs, ["data_constrained", "power_law_params"]).models
    assert ranked == ("data_constrained_plain_weak", "power_law_params_plain_weak")


@pytest.mark.parametrize(
    ("models", "error", "match"),
    [
        (
            ["coupled_growing_gp", "coupled"],
            ForecastError,
            "one model, coupled_growing_gp, was given",
        ),
        ("coupled_gp", ForecastError, "one model, coupled_gp, was given"),
        (["coupled_gp", "chincilla"], UnknownNameError, "unknown model 'chincilla'"),
        (["coupled_gp", "batch_of_size"], ForecastError, "'batch_of_size' predicts batch_tokens"),
    ],
)
def test_what_cannot_be_compared_is_refused(models, error, match) -> None:
    with pytest.raises(error, match=match):
        bs.compare(simulate(), models)
