"""The checks as a whole: one finding each, and none of them touches what it looks at."""

from __future__ import annotations

import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import PoolingWarning
from bayescale.inference.checks.check_posterior import CHECKS
from tests.inference.checks.conftest import simulate


def test_a_good_fit_passes_every_check(clean) -> None:
    forecast = bs.forecast(clean, n_params=2e9, n_tokens=4e10)
    findings = bs.check_posterior(clean, forecast)
    assert [f.check for f in findings] == [check.name for check in CHECKS]
    assert {f.check: f.message for f in findings if f.level != "PASS"} == {}
    assert all(f.message.endswith(".") and not f.recommendation and not f.rows for f in findings)


def test_what_is_found_comes_with_a_way_out(fit) -> None:
    frame = simulate(2, gamma=0.6)
    frame.loc[7, "loss"] *= 1.1
    frame.loc[9, "loss"] *= 40.0
    posterior = fit(frame, "chinchilla_plain_weak")
    forecast = bs.forecast(posterior, n_params=2e10, n_tokens=4e13, warn=False)
    for found in bs.check_posterior(posterior, forecast):
        assert bool(found.recommendation) == (found.level != "PASS")
        assert all(0 <= row < posterior.n_runs for row in found.rows)


@pytest.mark.parametrize("model", ["coupled_gp", "kaplan_plain_weak", "chinchilla_gp_weak"])
def test_every_kind_of_model_is_checked(model: str, fit) -> None:
    assert len(bs.check_posterior(fit(simulate(3), model))) == len(CHECKS)


def test_a_law_of_compute_is_checked(fit) -> None:
    frame = simulate(3)
    frame["flops"] = 6.0 * frame["n_params"] * frame["n_tokens"]
    found = bs.check_posterior(fit(frame, "power_law_compute_plain_weak"))
    not_checked = {f.check for f in found if f.message.startswith("Not checked")}
    assert {"identified", "one_ratio", "reach"} == not_checked


def test_a_floor_that_the_runs_do_not_allow_is_said() -> None:
    prior = {"distribution": "Normal", "mu": 17.0, "sigma": 0.1}
    stated = {mu: bs.fit(simulate(3), priors={"E": {**prior, "mu": mu}}) for mu in (17.0, 1.65)}
    found = {
        mu: {f.check: f for f in bs.check_posterior(fitted)}["prior_predictive"]
        for mu, fitted in stated.items()
    }
    assert found[17.0].level == "FAIL"
    assert "E 16.74 to 17.26 at 99 %, fitted" in found[17.0].message
    assert found[1.65].level == "PASS"


def test_rows_count_through_the_groups(fit) -> None:
    second = simulate(5).assign(dataset="pile")
    second.loc[4, "loss"] *= 1.08
    both = pd.concat([simulate(4).assign(dataset="c4"), second], ignore_index=True)
    with pytest.warns(PoolingWarning, match="2 groups were fitted apart"):
        posterior = fit(both, "chinchilla_plain_weak", group="dataset")
    found = {f.check: f for f in bs.check_posterior(posterior)}["outlier_runs"]
    assert found.rows == (64,)
    assert "pile: n_params" in found.message


def test_a_saved_posterior_says_the_same(clean, tmp_path) -> None:
    again = bs.load_posterior(clean.save(tmp_path / "posterior.nc"))
    assert bs.check_posterior(again) == bs.check_posterior(clean)
