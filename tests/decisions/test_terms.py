"""Value, price, serving and risk: closed forms, and what each does to a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bayescale.decisions.decide import decide
from bayescale.decisions.price import Inference, Price
from bayescale.decisions.scenario import Scenario
from bayescale.decisions.value import Risk, Value
from bayescale.inference.posterior import Posterior

Plan = Callable[..., dict[str, Any]]

LOSSES = np.array([1.9, 2.0, 2.05, 2.1, 2.3])
PRICE = {"usd_per_gpu_hour": 2.0, "peak_flops": 1e15, "mfu": 0.5}


def test_a_step_is_all_or_nothing() -> None:
    assert Value(usd=100).worth(LOSSES, 2.0).tolist() == [100, 100, 0, 0, 0]


def test_a_line_goes_through_the_target_and_through_nothing() -> None:
    value = Value(usd=100, shape="linear", worthless_at=2.1)
    assert value.worth(LOSSES, 2.0) == pytest.approx([200, 100, 50, 0, 0])
    assert value.at(2.0) == pytest.approx(100)


def test_pieces_are_level_beyond_their_ends() -> None:
    value = Value(shape="piecewise", points=((2.0, 300), (2.1, 100), (2.2, 0)))
    assert value.worth(LOSSES, 2.0) == pytest.approx([300, 300, 200, 100, 0])


def test_days_and_serving_in_closed_form() -> None:
    price = Price(**PRICE, gpus=64, failure_allowance=0.25)
    assert price.days(1e22) == pytest.approx(1e22 * 1.25 / (0.5e15 * 3600 * 64 * 24))
    assert Price(**PRICE).days(1e22) is None
    served = Inference(lifetime_tokens=1e12, mfu=0.25, usd_per_gpu_hour=1.0)
    assert served.cost_usd(7e9, price) == pytest.approx(2 * 7e9 * 1e12 / (0.25e15 * 3600))
    like_training = Inference(lifetime_tokens=1e12)
    assert like_training.cost_usd(7e9, price) == pytest.approx(served.cost_usd(7e9, price))


def test_risk_is_constant_and_averse() -> None:
    risk = Risk(tolerance_usd=1e6)
    even = np.array([0.0, 1e6])
    sure = risk.certain(float(risk.utility(even).mean()))
    assert 0 < sure < 5e5
    moved = risk.certain(float(risk.utility(even + 3e5).mean()))
    assert moved == pytest.approx(sure + 3e5)
    patient = Risk(tolerance_usd=1e12)
    assert patient.certain(float(patient.utility(even).mean())) == pytest.approx(5e5, rel=1e-4)


def test_a_certain_outcome_is_its_own_certainty_equivalent(
    posterior: Posterior, plan: Plan
) -> None:
    asked = plan(target={"loss": 3.0}, risk={"tolerance_usd": 20000})
    made = decide(posterior, asked).outcome
    assert made.certain_usd == pytest.approx(made.expected_net_value_usd, rel=1e-3)


def test_whoever_minds_losing_turns_an_even_chance_down(posterior: Posterior, plan: Plan) -> None:
    asked = plan(target={"loss": 2.13}, pilots=[])
    calm = decide(posterior, asked)
    timid = decide(posterior, {**asked, "risk": {"tolerance_usd": 5000}})
    assert calm.verdict == "FUND"
    assert timid.verdict == "DO NOT FUND"
    assert timid.outcome.expected_net_value_usd == calm.outcome.expected_net_value_usd
    assert any("is as good as a sure loss of" in reason for reason in timid.reasons)


def test_whoever_minds_losing_breaks_even_where_the_plan_turns(
    posterior: Posterior, plan: Plan
) -> None:
    asked = plan(target={"loss": 2.13}, pilots=[], risk={"tolerance_usd": 20000})
    made = decide(posterior, asked)
    turns = {found.name: found.flips_at for found in made.assumptions}
    best = made.outcome
    assert best.certain_usd < 0 < best.expected_net_value_usd
    assert best.break_even_value_usd == pytest.approx(turns["value.usd"])
    price = turns["price.usd_per_gpu_hour"]
    assert best.break_even_price_usd_per_gpu_hour == pytest.approx(price)
    asked["risk"] = {"tolerance_usd": 5000}
    timid = decide(posterior, asked)
    assert timid.outcome.break_even_value_usd == np.inf
    assert any("make up for the risk of losing its cost" in reason for reason in timid.reasons)


def test_a_prize_is_the_inverse_of_what_it_is_as_good_as() -> None:
    risk = Risk(tolerance_usd=2e4)
    prize = risk.prize(5e3, 0.4)
    won, lost = risk.utility(np.array([prize, 0.0]))
    assert risk.certain(0.4 * won + 0.6 * lost) == pytest.approx(5e3)
    assert Risk(tolerance_usd=1e13).prize(5e3, 0.4) == pytest.approx(12500, rel=1e-3)
    assert risk.prize(5e3, 0.0) == risk.prize(1e5, 0.4) == np.inf


def test_no_pilot_is_worth_more_than_knowing_all(posterior: Posterior, plan: Plan) -> None:
    # The pilot is the candidate itself, made once more.
    twin = [{**plan()["candidates"][0], "name": "twin", "cost_usd": 1}]
    for tolerance in (10_000, 15_000, 20_000, 30_000):
        asked = plan(target={"loss": 2.13}, pilots=twin, risk={"tolerance_usd": tolerance})
        made = decide(posterior, asked)
        assert made.pilots[0].evsi_usd <= made.evpi_usd


def test_serving_is_paid_where_it_pays(posterior: Posterior, plan: Plan) -> None:
    asked = plan(pilots=[])
    dry = decide(posterior, asked).outcome
    served = decide(posterior, {**asked, "inference": {"lifetime_tokens": "100B"}}).outcome
    loss = served.prob_target * served.serving_usd
    assert served.serving_usd > 0
    assert served.expected_net_value_usd == pytest.approx(dry.expected_net_value_usd - loss)
    swamped = decide(posterior, {**asked, "inference": {"lifetime_tokens": "100T"}}).outcome
    assert swamped.expected_net_value_usd == pytest.approx(-swamped.cost_usd)


def test_a_run_past_the_deadline_is_worth_nothing(posterior: Posterior, plan: Plan) -> None:
    price = {**plan()["price"], "gpus": 64, "deadline_days": 1}
    late = decide(posterior, plan(target={"loss": 2.5}, price=price, pilots=[]))
    assert late.verdict == "DO NOT FUND"
    assert late.outcome.days == pytest.approx(2.95, abs=0.05)
    assert any("past the deadline of 1" in caveat for caveat in late.caveats)
    price["deadline_days"] = 4
    assert decide(posterior, plan(target={"loss": 2.5}, price=price, pilots=[])).verdict == "FUND"


def test_a_pilot_that_makes_the_candidate_late_is_worth_less_than_nothing(
    posterior: Posterior, plan: Plan
) -> None:
    price = {**plan()["price"], "gpus": 64, "deadline_days": 3}
    pilot = decide(posterior, plan(target={"loss": 2.13}, price=price)).pilots[0]
    in_time = decide(posterior, plan(target={"loss": 2.13})).pilots[0]
    assert in_time.evsi_usd > 0 > pilot.evsi_usd


def test_a_stated_cost_replaces_the_price(posterior: Posterior, plan: Plan) -> None:
    runs = [{**plan()["candidates"][0], "cost_usd": "12K"}]
    made = decide(posterior, plan(candidates=runs, pilots=[]))
    assert made.outcome.cost_usd == 12000
    assert "price.mfu" not in {found.name for found in made.assumptions}
    assert made.budget is not None
    assert made.budget.cost_usd == pytest.approx(12000 * made.budget.factor)
    assert not any("GPU-hour" in reason for reason in made.reasons)


def test_shapes_of_value_agree_where_they_must(posterior: Posterior, plan: Plan) -> None:
    step = decide(posterior, plan(pilots=[])).outcome
    cliff = {"shape": "piecewise", "points": [[2.15, 30000], [2.1500001, 0]]}
    close = decide(posterior, plan(pilots=[], value=cliff)).outcome
    error = 30000 * 0.5 / np.sqrt(4000)
    assert abs(step.expected_net_value_usd - close.expected_net_value_usd) < 4 * error
    line = {"usd": 30000, "shape": "linear", "worthless_at": 2.2}
    sloped = decide(posterior, plan(pilots=[], value=line))
    assert sloped.outcome.break_even_value_usd > 0


def test_a_plan_with_everything_reads_back_and_saves(plan: Plan) -> None:
    asked = plan(
        price={**plan()["price"], "gpus": 512, "deadline_days": 30},
        value={"shape": "piecewise", "points": [[2.1, "50K"], [2.2, 0]]},
        inference={"lifetime_tokens": "2T", "mfu": 0.2},
        risk={"tolerance_usd": "2M"},
    )
    scenario = Scenario.from_dict(asked)
    assert Scenario.from_dict(scenario.to_dict()) == scenario
    assert scenario.value_usd == pytest.approx(25000)
