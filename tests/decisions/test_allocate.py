"""Allocations against the closed form, draw by draw, and what they say when runs cannot tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayescale.decisions.allocate import Allocation, allocate, load_allocation
from bayescale.errors import DecisionError, UnknownNameError
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior
from decisions.conftest import TRUTH, simulated_runs

FLOPS = 1e21


def closed_form(alpha, beta, A, B, flops=FLOPS):
    scale = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    return scale * (flops / 6) ** (beta / (alpha + beta))


@pytest.fixture(scope="module")
def allocation(plain: Posterior) -> Allocation:
    return allocate(plain, flops=FLOPS)


def test_every_draw_is_the_closed_form(plain: Posterior, allocation: Allocation) -> None:
    t = plain.textbook()
    wanted = closed_form(t["alpha"], t["beta"], t["A"], t["B"])
    assert allocation.n_params_opt == pytest.approx(wanted, rel=1e-5)
    assert 6 * allocation.n_params_opt * allocation.n_tokens_opt == pytest.approx(FLOPS)
    assert allocation.loss_opt == pytest.approx(
        t["E"] + t["A"] * wanted ** -t["alpha"] + t["B"] * (FLOPS / 6 / wanted) ** -t["beta"]
    )


def test_the_interval_holds_the_truth(allocation: Allocation) -> None:
    truth = closed_form(TRUTH["alpha"], TRUTH["beta"], TRUTH["A"], TRUTH["B"])
    low, high = allocation.interval("n_params_opt", 0.95)
    assert low < truth < high


def test_the_default_network_has_the_least_expected_regret(
    plain: Posterior, allocation: Allocation
) -> None:
    assert allocation.n_params == allocation.n_params_bayes
    assert (allocation.regret >= 0).all()
    for factor in (0.7, 0.95, 1.05, 1.4):
        other = allocate(plain, flops=FLOPS, n_params=factor * allocation.n_params)
        assert other.regret.mean() > allocation.regret.mean()
        assert other.n_params_bayes == allocation.n_params_bayes


def test_a_budget_and_a_network_fix_the_tokens(plain: Posterior) -> None:
    asked = allocate(plain, flops=FLOPS, n_params=1e9)
    assert asked.n_tokens == pytest.approx(FLOPS / 6e9)


def test_it_says_that_it_is_the_law_and_what_lies_outside(
    plain: Posterior, allocation: Allocation
) -> None:
    assert "the law alone" in allocation.caveats[0]
    assert any("number of parameters" in caveat for caveat in allocation.caveats)
    near = allocate(plain, flops=2e19)
    assert not any("lies outside the fitted runs" in caveat for caveat in near.caveats)


def test_runs_on_one_ray_leave_the_split_to_the_prior() -> None:
    ray = allocate(fit(simulated_runs(ratio=20.0), "chinchilla_gp_weak"), flops=FLOPS)
    spread = allocate(fit(simulated_runs(), "chinchilla_gp_weak"), flops=FLOPS)
    assert any("the prior's word" in caveat for caveat in ray.caveats)
    assert np.std(np.log(ray.n_params_opt)) > 2 * np.std(np.log(spread.n_params_opt))


def test_an_optimum_at_the_end_of_the_search_is_said(plain: Posterior) -> None:
    draws = {**plain.draws, "N_share": np.full_like(plain.draws["N_share"], 1 - 1e-12)}
    found = allocate(replace(plain, draws=draws), flops=FLOPS).caveats
    assert any("the loss still falls at an end of the search" in caveat for caveat in found)


def test_any_law_of_n_and_d_is_allocated(posterior: Posterior) -> None:
    coupled = allocate(posterior, flops=FLOPS)
    low, high = coupled.interval("n_params_opt", 0.98)
    assert low < closed_form(TRUTH["alpha"], TRUTH["beta"], TRUTH["A"], TRUTH["B"]) < high


def test_a_law_of_compute_alone_is_refused() -> None:
    table = simulated_runs(ratio=20.0)
    table["flops"] = 6.0 * table["n_params"] * table["n_tokens"]
    with pytest.raises(DecisionError, match="law 'power_law_compute' reads flops, but a budget"):
        allocate(fit(table, "power_law_compute_plain_weak"), flops=FLOPS)


@pytest.mark.parametrize(
    ("flops", "n_params"), [(-1e21, None), (np.nan, None), (1e21, 0.0), ("1e22", None)]
)
def test_a_budget_that_is_no_positive_number_is_refused(
    plain: Posterior, flops: float, n_params: float | None
) -> None:
    with pytest.raises(
        DecisionError, match=r"is (-1e\+21|nan|0\.0|'1e22'), expected a (positive )?number"
    ):
        allocate(plain, flops=flops, n_params=n_params)


def test_groups_are_named(grouped: Posterior) -> None:
    assert allocate(grouped, flops=FLOPS, label="pile").label == ("pile",)
    assert allocate(grouped, flops=FLOPS, label=("c4",)).label == ("c4",)
    with pytest.raises(DecisionError, match=r"2 groups, but no label was given.*c4, pile"):
        allocate(grouped, flops=FLOPS)
    with pytest.raises(UnknownNameError, match=r"unknown group 'c4x'\. Did you mean 'c4'"):
        allocate(grouped, flops=FLOPS, label="c4x")


def test_it_saves_and_reads_back(allocation: Allocation, tmp_path: Path) -> None:
    again = load_allocation(allocation.save(tmp_path / "a.json"))
    assert again.to_dict() == allocation.to_dict()
    assert (again.regret == allocation.regret).all()
    (tmp_path / "a.json").write_text('{"format": 1, "flops": 1e21}')
    with pytest.raises(DecisionError, match=r"a\.json' is not one of ours: 'draws'"):
        load_allocation(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"format": 7}')
    with pytest.raises(DecisionError, match="format is 7, expected at most 2"):
        load_allocation(tmp_path / "a.json")


def test_it_prints_on_one_line_and_as_a_frame(allocation: Allocation) -> None:
    assert repr(allocation).startswith("Allocation of 1e+21 FLOPs by law chinchilla: N* ")
    assert "\n" not in repr(allocation)
    frame = allocation.to_frame().set_index("quantity")
    assert frame.loc["n_params_opt", "q05"] < frame.loc["n_params_opt", "q95"]
    assert frame.loc["loss_opt", "unit"] == "nats per token"


def test_an_unknown_quantity_is_refused(allocation: Allocation) -> None:
    with pytest.raises(
        DecisionError, match=r"got 'n_layers' and 0\.9, expected one of n_params_opt"
    ):
        allocation.interval("n_layers")


def test_demand_for_inference_makes_the_best_network_smaller(plain: Posterior) -> None:
    demand = 5e11
    served = allocate(plain, flops=FLOPS * 10, lifetime_tokens=demand)
    dry = allocate(plain, flops=FLOPS * 10)
    assert (served.n_params_opt < dry.n_params_opt).all()
    spent = 6 * served.n_params_opt * served.n_tokens_opt + 2 * served.n_params_opt * demand
    assert spent == pytest.approx(np.full(len(spent), FLOPS * 10))
    assert served.n_tokens / served.n_params > dry.n_tokens / dry.n_params


def test_the_best_network_under_demand_is_a_minimum(plain: Posterior) -> None:
    for factor in (0.8, 0.95, 1.05, 1.25):
        best = allocate(plain, flops=FLOPS, lifetime_tokens=1e11)
        other = allocate(plain, flops=FLOPS, lifetime_tokens=1e11, n_params=factor * best.n_params)
        assert other.regret.mean() > best.regret.mean()


def test_a_network_that_serving_alone_pays_for_is_refused(plain: Posterior) -> None:
    with pytest.raises(DecisionError, match=r"serving 1e\+12 tokens takes a network of 1e\+09"):
        allocate(plain, flops=1e21, n_params=1e9, lifetime_tokens=1e12)
    with pytest.raises(DecisionError, match=r"lifetime_tokens is -1\.0, expected zero or more"):
        allocate(plain, flops=1e21, lifetime_tokens=-1.0)
    with pytest.raises(DecisionError, match="lifetime_tokens is '1T', expected zero or more"):
        allocate(plain, flops=1e21, lifetime_tokens="1T")  # type: ignore[arg-type]
    with pytest.raises(DecisionError, match=r"serving 1e\+20 tokens takes even a network of 1000"):
        allocate(plain, flops=1e21, lifetime_tokens=1e20)
    with pytest.raises(DecisionError, match=r"flops is 1e\+300, expected .* up to 1e\+50"):
        allocate(plain, flops=1e300)
