"""Every public name: importable, documented, and of the same answer when called twice."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.forecasts.scored import Backtest

Calls = dict[str, Callable[[], Any]]


@pytest.fixture(scope="module")
def posterior(runs_file: Path) -> bs.Posterior:
    return bs.fit(runs_file)


@pytest.fixture(scope="module")
def arms(runs_file: Path) -> bs.Posterior:
    """Two architectures, fitted apart."""
    first = pd.read_csv(runs_file)
    second = first.assign(architecture="b", loss=0.99 * first["loss"])
    table = pd.concat([first.assign(architecture="a"), second], ignore_index=True)
    with pytest.warns(UserWarning, match="2 groups were fitted apart"):
        return bs.fit(table, "chinchilla_plain_weak", group="architecture", pooling="none")


@pytest.fixture
def calls(
    posterior: bs.Posterior, arms: bs.Posterior, runs_file: Path, plan_file: Path, tmp_path: Path
) -> Calls:
    """Return one call of every public function, reduced to something that compares."""
    runs = bs.read_runs(runs_file)
    forecast = bs.forecast(posterior, n_params=7e9, n_tokens=1.4e11)
    decision = bs.decide(posterior, plan_file, n_draws=1000)
    errors = runs.frame.eval("downstream_error = 0.86 - 2.2 * exp(-0.72 * loss)")
    scored = (errors, "error_of_loss_plain_weak")
    curve = pd.DataFrame({"run_id": "r", "step": np.arange(1.0, 9.0), "loss": 3.0})
    curve = curve.assign(loss=lambda rows: 2.0 + rows["step"] ** -0.5, family="f")
    curves = bs.read_curves(curve)
    sibling = curve.assign(run_id="s", loss=lambda rows: 1.1 * rows["loss"])
    siblings = bs.read_curves(pd.concat([curve, sibling]), group="family")
    fitted = bs.fit_curves(curves)
    fitted.save(tmp_path / "curves.nc")
    posterior.save(tmp_path / "posterior.nc")
    forecast.save(tmp_path / "forecast.nc")
    decision.save(tmp_path / "decision.json")
    bs.register_forecast(forecast, tmp_path / "registered.json")
    job = tmp_path / "job.csv"
    job.write_text("tokens,loss\n1e9,3.1\n2e9,3.0\n4e9,2.9\n", encoding="utf-8")
    return {
        "allocate": lambda: repr(bs.allocate(posterior, flops=1e22)),
        "backtest": lambda: _scores(bs.backtest(runs, factors=(10,))),
        "check_posterior": lambda: bs.check_posterior(posterior, forecast),
        "choose": lambda: bs.choose(arms).to_dict(),
        "compare": lambda: bs.compare(runs, ["coupled_gp", "chinchilla"]).to_dict(),
        "contrast": lambda: bs.contrast(arms, "b", "a", "alpha").to_dict(),
        "count_flops": lambda: bs.count_flops(bs.read_runs("cpu_stdlib_llama")).fingerprint,
        "crossing": lambda: bs.crossing(arms, "b", "a", n_params=1e9, n_tokens=2e10).to_dict(),
        "decide": lambda: bs.decide(posterior, plan_file, n_draws=1000).to_dict(),
        "downstream": lambda: bs.downstream(forecast, bs.fit(*scored), n_draws=200).draws.tolist(),
        "fit": lambda: _draws(bs.fit(runs)),
        "fit_curves": lambda: [repr(bs.fit_curves(these)) for these in (curves, siblings)],
        "flips": lambda: bs.flips(posterior, plan_file, n_draws=1000).to_dict(),
        "forecast": lambda: _table(bs.forecast(posterior, n_params=7e9, n_tokens=1.4e11)),
        "forecast_curve": lambda: bs.forecast_curve(fitted, 1e5).median.tolist(),
        "lint": lambda: [str(finding) for finding in bs.lint(runs)],
        "list_laws": bs.list_laws,
        "list_models": bs.list_models,
        "list_runs": bs.list_runs,
        "list_sequence_laws": bs.list_sequence_laws,
        "load_curve_posterior": lambda: repr(bs.load_curve_posterior(tmp_path / "curves.nc")),
        "load_decision": lambda: bs.load_decision(tmp_path / "decision.json").to_dict(),
        "load_forecast": lambda: _table(bs.load_forecast(tmp_path / "forecast.nc")),
        "load_law": lambda: repr(bs.load_law("coupled")),
        "load_model": lambda: bs.load_model("coupled_gp_weak"),
        "load_posterior": lambda: _draws(bs.load_posterior(tmp_path / "posterior.nc")),
        "load_scenario": lambda: bs.load_scenario(plan_file),
        "multiplier": lambda: bs.multiplier(arms, "b", "a", n_params=1e9, n_tokens=2e10).to_dict(),
        "prob_best": lambda: bs.prob_best(arms, n_params=1e9, n_tokens=2e10).to_dict(),
        "load_registration": lambda: repr(bs.load_registration(tmp_path / "registered.json")),
        "next_run": lambda: bs.next_run(posterior, plan_file).to_dict(),
        "pymc_model": lambda: sorted(v.name for v in bs.pymc_model(posterior).free_RVs),
        "read_curves": lambda: repr(bs.read_curves(curve)),
        "read_runs": lambda: bs.read_runs(runs_file).fingerprint,
        "register_forecast": lambda: _registered(forecast, tmp_path / "again.json"),
        "score_forecast": lambda: bs.score_forecast(tmp_path / "registered.json", 2.2).to_dict(),
        "sensitivity": lambda: bs.sensitivity(posterior, forecast).to_dict("list"),
        "shrinkage": lambda: bs.shrinkage(arms, arms).to_dict("list"),
        "usable_laws": lambda: [repr(use) for use in bs.usable_laws(runs)],
        "variance_components": lambda: bs.variance_components(_pooled(arms)).to_dict("list"),
        "watch": lambda: repr(bs.watch(job, posterior, n_params=1e9, n_tokens=2e10)),
        "write_report": lambda: _page(tmp_path / "report.html", posterior, decision),
    }


def _pooled(arms: bs.Posterior) -> bs.Posterior:
    spread = np.linspace(0.1, 0.2, arms.n_draws)[None]
    return replace(arms, population={"spread_alpha": spread})


def _draws(posterior: bs.Posterior) -> dict[str, list[float]]:
    return {symbol: np.ravel(values).tolist() for symbol, values in posterior.draws.items()}


def _table(forecast: bs.Forecast) -> dict[str, list[float]]:
    return forecast.to_frame().to_dict("list")


def _scores(made: Backtest) -> str:
    return made.frame.drop(columns="cpu_seconds").to_json()


def _registered(forecast: bs.Forecast, path: Path) -> tuple[object, ...]:
    path.unlink(missing_ok=True)
    return bs.register_forecast(forecast, path).points


def _page(path: Path, posterior: bs.Posterior, decision: bs.Decision) -> str:
    bs.write_report(path, posterior=posterior, decision=decision)
    return re.sub(r"\d\d:\d\d UTC", "", path.read_text(encoding="utf-8"))


def test_all_lists_what_can_be_imported():
    assert bs.__all__ == sorted(bs.__all__)
    for name in bs.__all__:
        assert getattr(bs, name).__name__ == name


@pytest.mark.parametrize("name", bs.__all__)
def test_every_public_name_is_documented(name: str):
    found = getattr(bs, name)
    assert inspect.getdoc(found), f"{name} has no docstring"
    if inspect.isfunction(found) and len(inspect.signature(found).parameters) > 1:
        assert "Parameters\n" in (inspect.getdoc(found) or ""), f"{name} documents no parameter"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'forcast'"):
        bs.forcast  # noqa: B018


FUNCTIONS = [name for name in bs.__all__ if name.islower()]


def test_every_public_function_has_a_call(calls: Calls):
    assert sorted(calls) == FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_second_call_gives_the_same(name: str, calls: Calls):
    assert calls[name]() == calls[name]()


def test_the_example_in_the_readme_runs(
    repository: Path, runs_file: Path, monkeypatch: pytest.MonkeyPatch
):
    readme = (repository / "README.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)[0]
    monkeypatch.chdir(runs_file.parent)
    scope: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), scope)
    assert len(example.strip().splitlines()) <= 6
    assert isinstance(scope["forecast"], bs.Forecast)
