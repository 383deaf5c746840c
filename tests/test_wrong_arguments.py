"""What a stranger passes where something else is expected: an answer, or an error that helps."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import BayescaleError

POINT = {"n_params": 7e9, "n_tokens": 1.4e11}
PLAN = {
    "title": "Fund it?",
    "candidates": [{"name": "big", **POINT}],
    "target": {"loss": 2.2},
    "price": {"usd_per_gpu_hour": 2.5, "peak_flops": 989e12, "mfu": 0.4},
    "value": {"usd": 200000},
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Eighteen runs of a Chinchilla law."""
    n_params, ratio = (m.ravel() for m in np.meshgrid(np.geomspace(2e7, 8e8, 6), [5, 20, 80]))
    loss = 1.7 + 400 / n_params**0.34 + 410 / (n_params * ratio) ** 0.28
    noise = np.exp(0.003 * np.random.default_rng(0).standard_normal(18))
    return pd.DataFrame({"n_params": n_params, "n_tokens": n_params * ratio, "loss": loss * noise})


@pytest.fixture(scope="module")
def posterior(frame: pd.DataFrame) -> Any:
    return bs.fit(frame)


TAKEN: dict[str, Callable[[Any], Any]] = {
    "forecast": lambda given: bs.forecast(given, **POINT).interval(0.9).tolist(),
    "allocate": lambda given: bs.allocate(given, flops=1e22).n_params,
    "decide": lambda given: bs.decide(given, PLAN).evpi_usd,
    "check_posterior": bs.check_posterior,
}


@pytest.mark.parametrize("question", TAKEN)
def test_a_frame_a_table_and_saved_posteriors_answer_as_the_posterior_does(
    question: str, frame: pd.DataFrame, posterior: Any, tmp_path: Path
) -> None:
    ask = TAKEN[question]
    saved = posterior.save(tmp_path / "p.nc")
    frame.to_csv(tmp_path / "runs.csv", index=False)
    expected = ask(posterior)
    for given in (frame, bs.read_runs(frame), saved, str(saved), str(tmp_path / "runs.csv")):
        assert ask(given) == expected


def test_a_report_is_written_of_frames_and_paths(
    frame: pd.DataFrame, posterior: Any, tmp_path: Path
) -> None:
    saved = str(posterior.save(tmp_path / "p.nc"))
    path = bs.write_report(tmp_path / "r.html", posterior=saved, runs=frame)
    assert "whole table" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["runs.csv", "p.nc", "report", "report.pdf"])
def test_a_report_is_written_over_nothing_but_a_report(
    name: str, posterior: Any, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(BayescaleError, match=r"write_report: path is .* expected a name ending in"):
        bs.write_report(tmp_path / name, posterior=posterior)
    assert (tmp_path / name).read_text() == "mine"


WRONG = [[{"n_params": 1e9, "n_tokens": 2e10, "loss": 2.9}], {"loss": [2.9]}, 7, None]
"""Rows as dictionaries, columns as a dictionary, a number, nothing."""

REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "check_posterior": (lambda _, x: bs.check_posterior(x), "runs are read from a path"),
    "forecast of a fit": (
        lambda p, x: bs.check_posterior(p, 7 if x is None else x),
        "forecast is .*, expected a Forecast",
    ),
    "prob_best": (lambda _, x: bs.prob_best(x, **POINT), "runs are read from a path"),
    "contrast": (lambda _, x: bs.contrast(x, "a", "b", "alpha"), "runs are read from a path"),
    "multiplier": (lambda _, x: bs.multiplier(x, "a", "b", **POINT), "runs are read from a path"),
    "crossing": (lambda _, x: bs.crossing(x, "a", "b", **POINT), "runs are read from a path"),
    "decide": (lambda p, x: bs.decide(p, [x]), "the plan is a list, expected a Scenario"),
    "register": (
        lambda _, x: bs.register_forecast(x, "never.json"),
        "forecast is .*, expected a Forecast",
    ),
    "downstream": (lambda p, x: bs.downstream(x, p), "forecast is .*, expected a Forecast"),
    "errors": (lambda _, x: bs.downstream(np.ones((4, 1)), x), "errors is .* a Posterior"),
    "watch": (lambda p, x: bs.watch(x, p), "log of a job is read from a path .* not from"),
    "report's decision": (
        lambda p, x: bs.write_report("never.md", posterior=p, decision=x or 7),
        "decision is .*, expected a Decision",
    ),
}


@pytest.mark.parametrize("question", REFUSED)
@pytest.mark.parametrize("given", WRONG, ids=["rows", "columns", "number", "nothing"])
def test_what_cannot_be_used_is_refused_by_its_type(
    question: str, given: Any, posterior: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ask, message = REFUSED[question]
    with pytest.raises(BayescaleError, match=message):
        ask(posterior, given)
    assert not list(tmp_path.iterdir())


BAD: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "load_posterior": (lambda _, x: bs.load_posterior(x), "path is .*, expected the path"),
    "load_curve_posterior": (lambda _, x: bs.load_curve_posterior(x), "path is .*, expected the"),
    "load_forecast": (lambda _, x: bs.load_forecast(x), "path is .*, expected the path of a file"),
    "load_decision": (lambda _, x: bs.load_decision(x), "path is .*, expected the path of a file"),
    "load_registration": (lambda _, x: bs.load_registration(x), "path is .*, expected the path"),
    "load_scenario": (lambda _, x: bs.load_scenario(x), "path is .*, expected the path of a file"),
    "load_law": (lambda _, x: bs.load_law(x), "name is .*, expected a name, as text"),
    "load_model": (lambda _, x: bs.load_model(x or 7), "name is .*, expected a model's name"),
    "score_forecast": (lambda _, x: bs.score_forecast(x, 2.0), "path is .*, expected the path"),
    "variance_components": (
        lambda _, x: bs.variance_components(x),
        "posterior is .*, expected a Posterior. Make one with fit",
    ),
    "shrinkage": (lambda p, x: bs.shrinkage(p, x), "apart is .*, expected a Posterior"),
    "forecast_curve": (lambda _, x: bs.forecast_curve(x, 1e3), "expected a CurvePosterior"),
    "where": (lambda _, x: bs.read_runs("cpu_tuning", where=x or 7), "expected a condition"),
    "columns": (lambda _, x: bs.read_runs("cpu_tuning", columns=[x]), "expected a mapping"),
    "seed": (
        lambda p, x: bs.forecast(p, seed=x and [x], **POINT),
        "seed is .*, expected a whole number",
    ),
    "group": (lambda _, x: bs.lint("cpu_tuning", x), "group is .*, expected a name or several"),
    "engine": (lambda _, x: bs.fit("cpu_tuning", engine=x), "engine is .*, expected a name"),
    "n_draws": (lambda p, x: bs.decide(p, PLAN, n_draws=x), "n_draws is .*, expected"),
    "label": (lambda p, x: bs.allocate(p, flops=1e22, label=x or 7), "expected the values of the"),
    "interval": (lambda p, x: bs.forecast(p, **POINT).interval(x), "ci_prob is .*, expected"),
    "draws": (
        lambda p, x: bs.forecast(p, **POINT).draws(x and [x]),
        "n_draws is .*, expected a whole",
    ),
    "save": (lambda p, x: p.save(x), "path is .*, expected the path of a file"),
    "findings": (
        lambda p, x: bs.write_report("never.md", posterior=p, findings=[x]),
        "findings is a list, expected findings. Make them with lint",
    ),
    "contrast": (lambda p, x: bs.contrast(p, "a", "b", x), "coefficient is .*, expected a name"),
    "metric": (lambda p, x: bs.watch("job", p, metric=x or 7), "metric is .*, expected a name"),
}
"""Arguments that say how, of calls that say what rightly."""


@pytest.mark.parametrize("question", BAD)
@pytest.mark.parametrize("given", WRONG, ids=["rows", "columns", "number", "nothing"])
def test_an_argument_of_another_type_is_named_with_what_was_found(
    question: str, given: Any, posterior: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ask, message = BAD[question]
    with pytest.raises(BayescaleError, match=message):
        ask(posterior, given)
    assert not list(tmp_path.iterdir())


def test_errors_survive_the_way_from_another_process() -> None:
    with pytest.raises(BayescaleError, match="unknown law 'chinchila'") as raised:
        bs.load_law("chinchila")
    again = pickle.loads(pickle.dumps(raised.value))
    assert (type(again), str(again)) == (type(raised.value), str(raised.value))
    assert again.at == {"what": "law", "name": "chinchila"}


def test_arms_of_a_frame_are_asked_for_their_groups(frame: pd.DataFrame) -> None:
    with pytest.raises(BayescaleError, match=r"the fit has one group.*Fit with group="):
        bs.prob_best(frame, **POINT)
