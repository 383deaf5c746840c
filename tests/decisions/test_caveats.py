"""Each rule that earns a decision a caveat, and the groups of its runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayescale.decisions.decide import decide
from bayescale.errors import DecisionError
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior
from decisions.conftest import simulated_runs

Plan = Callable[..., dict[str, Any]]


def said(posterior: Posterior, plan: dict[str, Any]) -> str:
    return " | ".join(decide(posterior, plan).caveats)


def sized(n_params: float, n_tokens: float) -> list[dict[str, Any]]:
    return [{"name": "run", "n_params": n_params, "n_tokens": n_tokens}]


def test_reach(plain: Posterior, plan: Plan) -> None:
    assert "times the compute" not in said(plain, plan(candidates=sized(5e9, 100e9)))
    assert "Review the interval" in said(plain, plan(candidates=sized(10e9, 200e9)))
    strong = said(plain, plan(candidates=sized(70e9, 1.4e12)))
    assert "run has 2,643 times the compute of the largest fitted run" in strong
    assert "Do not rest a large sum on it alone" in strong
    assert "only 0.054 of the compute" in said(plain, plan(candidates=sized(1e8, 20e9)))


def test_gates_and_notes(plain: Posterior, plan: Plan) -> None:
    poor = replace(plain.diagnostics, khat=(0.9,), ess=120.0, rhat=1.05, divergences=3)
    found = said(replace(plain, diagnostics=poor, notes=("a row was left out",)), plan())
    for part in ("khat is 0.9, above 0.7", "size is 120, below 300", "R-hat is 1.05, above 1.01"):
        assert part in found
    assert "number of divergences is 3" in found
    assert "a row was left out" in found
    assert "badly sampled" not in said(plain, plan())


def test_weak_priors_say_so(plain: Posterior, plan: Plan) -> None:
    assert "intervals of _weak models have not been recalibrated" in said(plain, plan())
    learned = replace(plain, spec=replace(plain.spec, name="chinchilla_plain"))
    assert "recalibrated" not in said(learned, plan())


def test_one_ray(plan: Plan) -> None:
    ray = fit(simulated_runs(ratio=20.0), "chinchilla_gp_weak")
    assert "one line" not in said(ray, plan())
    off = said(ray, plan(candidates=sized(7e9, 700e9)))
    assert "run lies off it by a factor of 5 in tokens" in off


def test_target_in_the_tail(plain: Posterior, plan: Plan) -> None:
    assert "lies below the central 99 %" in said(plain, plan(target={"loss": 2.0}))
    assert "lies above the central 99 %" in said(plain, plan(target={"loss": 3.0}))
    assert "central 99 %" not in said(plain, plan(target={"loss": 2.13}))


def test_target_below_the_floor(plain: Posterior, plan: Plan) -> None:
    found = said(plain, plan(target={"loss": 1.2}))
    assert "The target of 1.2 lies below the irreducible loss E with a probability of more" in found
    assert "irreducible" not in said(plain, plan(target={"loss": 2.0}))


def test_defaults_are_said(plain: Posterior, plan: Plan) -> None:
    price = {k: v for k, v in plan()["price"].items() if k != "failure_allowance"}
    assert "to their default: price.failure_allowance = 0.0." in said(plain, plan(price=price))


def test_pilots_that_share_their_news(posterior: Posterior, plan: Plan) -> None:
    pilots = [{"name": f"p{k}", "n_params": 2e9, "n_tokens": k * 1e10} for k in (4, 5)]
    made = decide(posterior, plan(pilots=pilots, target={"loss": 2.13}))
    assert all(pilot.net_gain_usd > 0 for pilot in made.pilots)
    assert any("several together are worth less" in caveat for caveat in made.caveats)


def test_groups_are_forecast_apart(grouped: Posterior, plan: Plan) -> None:
    runs = [{**sized(7e9, 140e9)[0], "name": d, "group": {"dataset": d}} for d in ("c4", "pile")]
    made = decide(grouped, plan(candidates=runs, pilots=[]))
    assert [o.label for o in made.candidates] == [("c4",), ("pile",)]
    assert made.candidates[0].prob_target != made.candidates[1].prob_target
    assert any("fitted apart" in caveat for caveat in made.caveats)


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"dataset": "c4x"}, "run 'run': group 'c4x' is unknown .*Did you mean 'c4'"),
        ({"data_set": "c4"}, "group names 'data_set', but the fit groups by dataset. Did you mean"),
        ({}, r"group is \{\}, but the fit has 2 groups by dataset: c4, pile.*\{'dataset': 'c4'\}"),
        ("C4", "run 'run': group 'C4' is not one of the fit, but 'c4' is"),
        (["c4", "xlstm"], "group is 'c4/xlstm', but the fit groups by dataset"),
    ],
)
def test_a_group_the_fit_does_not_know_is_refused(
    grouped: Posterior, plan: Plan, group: dict[str, str], message: str
) -> None:
    with pytest.raises(DecisionError, match=message):
        decide(grouped, plan(candidates=[{**sized(1e9, 2e10)[0], "group": group}], pilots=[]))


@pytest.mark.parametrize(
    "written",
    [
        {"group": {"Corpus": "pile"}},
        {"group": "dataset = pile"},
        {"group": "pile"},
        {"group": ["pile"]},
        {"dataset": "pile"},
    ],
)
def test_a_group_is_read_as_people_write_it(
    grouped: Posterior, plan: Plan, written: dict[str, Any]
) -> None:
    made = decide(grouped, plan(candidates=[{**sized(1e9, 2e10)[0], **written}], pilots=[]))
    assert [outcome.label for outcome in made.candidates] == [("pile",)]
    assert decide(grouped, made.scenario.to_dict()).verdict == made.verdict


def test_a_group_without_groups_is_refused(plain: Posterior, plan: Plan) -> None:
    runs = [{**sized(1e9, 2e10)[0], "group": {"dataset": "c4"}}]
    with pytest.raises(DecisionError, match=r"group is \{'dataset': 'c4'\}, but the fit has no"):
        decide(plain, plan(candidates=runs))


def test_a_law_of_compute_reads_the_plans_flops(plan: Plan) -> None:
    table = simulated_runs(ratio=20.0)
    table["flops"] = 6.0 * table["n_params"] * table["n_tokens"]
    made = decide(fit(table, "power_law_compute_plain_weak"), plan())
    assert made.outcome.extrapolation_factor == pytest.approx(
        6 * 7e9 * 140e9 / np.max(table["flops"])
    )
