"""A moved question is weighed as if it had been asked: against `decide`, number by number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayescale.decisions.decide import decide
from bayescale.decisions.scenario import Scenario
from bayescale.decisions.what_if import N_SIZES, WhatIf, what_if
from bayescale.errors import DecisionError
from bayescale.inference.posterior import Posterior

Make = Callable[..., dict[str, Any]]

TWO = [
    {"name": "big", "n_params": 7e9, "n_tokens": 140e9},
    {"name": "long", "n_params": 3e9, "n_tokens": 250e9},
]
PILOTS = [
    {"name": "mid", "n_params": 2e9, "n_tokens": 40e9},
    {"name": "small", "n_params": 5e8, "n_tokens": 40e9},
]
PRICE = {"usd_per_gpu_hour": 2.5, "peak_flops": 989e12, "mfu": 0.4, "failure_allowance": 0.1}

QUESTIONS: dict[str, dict[str, Any]] = {
    "step": {},
    "linear": {"value": {"usd": 30000, "shape": "linear", "worthless_at": 2.3}},
    "piecewise": {"value": {"shape": "piecewise", "points": [[2.1, 4e4], [2.2, 2e4], [2.3, 0]]}},
    "served": {"inference": {"lifetime_tokens": 3e11, "usd_per_gpu_hour": 1.0}},
    "careful": {"risk": {"tolerance_usd": 50000}},
    "late": {"price": {**PRICE, "gpus": 64, "deadline_days": 4.5}},
}


def asked(plan: Make, **changes: Any) -> dict[str, Any]:
    return plan(**{"candidates": TWO, "pilots": PILOTS, **changes})


@pytest.fixture(scope="module")
def step(posterior: Posterior) -> WhatIf:
    question = {
        "title": "Fund it?", "candidates": TWO, "pilots": PILOTS, "target": {"loss": 2.15},
        "price": PRICE, "value": {"usd": 30000},
    }  # fmt: skip
    return what_if(posterior, decide(posterior, question))


def numbers(found: Any) -> list[float]:
    """Return every number of a verdict, in one order."""
    out = [found.evpi_usd]
    for c in found.candidates:
        out += [c.prob_target, c.expected_net_value_usd, c.weighed_usd, c.break_even_value_usd]
        out += [c.break_even_price_usd_per_gpu_hour, c.cost_usd, c.prob_best, *c.loss_interval_90]
    for p in found.every_pilot:
        out += [p.cost_usd, p.evsi_usd, p.evsi_se_usd, p.net_gain_usd]
    return out


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_is_not_moved_is_the_one_asked(
    name: str, posterior: Posterior, plan: Make
) -> None:
    made = decide(posterior, asked(plan, **QUESTIONS[name]))
    again = what_if(posterior, made).at()
    assert (again.verdict, again.ranked[0].name) == (made.verdict, made.chosen)
    assert [p.name for p in again.every_pilot] == [p.name for p in made.every_pilot]
    assert numbers(again) == pytest.approx(numbers(made), rel=1e-5)
    assert again.evpi_usd == made.evpi_usd
    assert [p.evsi_usd for p in again.pilots] == [p.evsi_usd for p in made.pilots]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_moved_question_is_decided_like_a_plan_that_says_so(
    name: str, posterior: Posterior, plan: Make
) -> None:
    data = asked(plan, **QUESTIONS[name])
    question = what_if(posterior, decide(posterior, data))
    plan_as = Scenario.from_dict(data)
    worth = {k: v for k, v in plan_as.value.model_dump().items() if v is not None}
    if "usd" in worth:
        worth["usd"] *= 1.4
    else:
        worth["points"] = [[at, usd * 1.4] for at, usd in worth["points"]]
    price = {**data["price"], "usd_per_gpu_hour": 2.5 * 0.7}
    moved = {**data, "target": {"loss": 2.17}, "value": worth, "price": price}
    wanted = decide(posterior, moved)
    found = question.at(target=2.17, value=1.4, price=0.7)
    assert found.verdict == wanted.verdict
    assert numbers(found) == pytest.approx(numbers(wanted), rel=1e-5)


def test_a_target_in_downstream_error_moves_too(
    posterior: Posterior, plan: Make, tmp_path: Path
) -> None:
    loss = np.linspace(2.15, 4.0, 25)
    error = 0.857 - 2.21 * np.exp(-0.715 * loss)
    np.savetxt(
        tmp_path / "scored.csv", np.column_stack([loss, error]), delimiter=",",
        header="loss,average", comments="",
    )  # fmt: skip
    runs = str(tmp_path / "scored.csv")
    target = {"downstream": {"error": 0.38, "runs": runs, "column": "average"}}
    made = decide(posterior, asked(plan, target=target))
    question = what_if(posterior, made)
    assert numbers(question.at()) == pytest.approx(numbers(made), rel=1e-6)
    wanted = decide(
        posterior, asked(plan, target={"downstream": {**target["downstream"], "error": 0.385}})
    )
    assert numbers(question.at(target=0.385)) == pytest.approx(numbers(wanted), rel=1e-6)
    chances = question.probability()
    assert chances[0] < 0.01 < 0.95 < chances[-1]


def test_sizes_hold_the_candidate_itself(step: WhatIf) -> None:
    own = [run.name for run in step.scenario.runs].index(step.chosen)
    place = int(np.flatnonzero(step.scales == 1.0)[0])
    assert len(step.scales) == N_SIZES
    assert np.array_equal(step.sizes.losses[:, place], step.runs.losses[:, own])
    assert np.all(np.diff(step.probability()) > -0.02)


def test_another_budget_is_that_of_a_scaled_run(posterior: Posterior, step: WhatIf) -> None:
    scale = float(step.scales[-8])
    found = step.at(scale=scale)
    runs = [
        {**run, "n_params": run["n_params"] * scale**0.5, "n_tokens": run["n_tokens"] * scale**0.5}
        if run["name"] == step.chosen
        else run
        for run in TWO
    ]
    data = step.scenario.to_dict() | {"candidates": runs, "pilots": PILOTS}
    wanted = decide(posterior, Scenario.from_dict(data))
    for mine, theirs in zip(found.candidates, wanted.candidates, strict=True):
        assert mine.prob_target == pytest.approx(theirs.prob_target, abs=1e-6)
        assert mine.cost_usd == pytest.approx(theirs.cost_usd)
        assert mine.loss_median == pytest.approx(theirs.loss_median, rel=1e-6)
        assert mine.extrapolation_factor == pytest.approx(theirs.extrapolation_factor)
    # Other draws: pilots' values agree within five Monte Carlo errors of both.
    for mine, theirs in zip(found.pilots, wanted.pilots, strict=True):
        both = np.hypot(mine.evsi_se_usd, theirs.evsi_se_usd)
        assert abs(mine.evsi_usd - theirs.evsi_usd) < 5 * both + 1e-9


def test_between_two_sizes_the_chance_lies_between(step: WhatIf) -> None:
    low, high = step.scales[-8], step.scales[-7]
    ends = step.probability()[[-8, -7]]
    own = [run.name for run in step.scenario.candidates].index(step.chosen)
    found = step.at(scale=float(np.sqrt(low * high))).candidates[own].prob_target
    assert ends.min() <= found <= ends.max()


@pytest.mark.parametrize(
    ("moved", "message"),
    [
        ({"scale": 1e9}, "scale is 1000000000.0, expected 0.0625 to"),
        ({"target": 0.0}, "target is 0.0, expected a positive number"),
        ({"price": float("nan")}, "price is nan, expected a positive number"),
    ],
)
def test_what_cannot_be_moved_is_refused(step: WhatIf, moved: Any, message: str) -> None:
    with pytest.raises(DecisionError, match=message):
        step.at(**moved)
