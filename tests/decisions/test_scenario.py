"""Plans become scenarios with every field resolved."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bayescale.decisions.scenario import Scenario, load_scenario
from bayescale.errors import DecisionError

Plan = Callable[..., dict[str, Any]]

TEXT = """
title: Fund the 1.4B run?
candidates:
  - {name: big, n_params: 1.4B, n_tokens: 28e9, group: {dataset: c4, seed: 42}}
target: {bits_per_byte: 0.8, bytes_per_token: 4.5}
price: {usd_per_gpu_hour: 2.5, peak_flops: 989e12, mfu: 0.4}
value: {usd: 50K}
pilots:
  - {name: 70, n_params: 70M, n_tokens: 1.4B, group: {dataset: c4, seed: 42}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    (tmp_path / "plan.yaml").write_text(TEXT)
    return load_scenario(tmp_path / "plan.yaml")


def test_number_words_and_labels_are_read(scenario: Scenario) -> None:
    assert scenario.candidates[0].n_params == 1.4e9
    assert scenario.candidates[0].n_tokens == 28e9
    assert scenario.candidates[0].group == {"dataset": "c4", "seed": "42"}
    assert scenario.pilots[0].name == "70"
    assert scenario.pilots[0].n_params == 7e7
    assert scenario.value.usd == 50000


def test_bits_per_byte_become_nats_per_token(scenario: Scenario) -> None:
    assert scenario.target.loss == pytest.approx(0.8 * 4.5 * math.log(2))


def test_a_written_scenario_names_every_field_and_reads_back(scenario: Scenario) -> None:
    written = scenario.to_dict()
    assert written["price"]["failure_allowance"] == 0.0
    assert written["price"]["flops_convention"] == "6ND"
    assert Scenario.from_dict(written) == scenario


def test_defaults_are_said(scenario: Scenario, plan: Plan) -> None:
    assert scenario.assumed == ("price.flops_convention = 6ND", "price.failure_allowance = 0.0")
    assert Scenario.from_dict(plan()).assumed == ()


def test_cost_is_six_n_d_at_the_price_with_failures(plan: Plan) -> None:
    scenario = Scenario.from_dict(plan())
    hours = 6 * 7e9 * 140e9 * 1.1 / (989e12 * 0.4 * 3600)
    assert scenario.cost_usd({"n_params": 7e9, "n_tokens": 140e9}) == pytest.approx(2.5 * hours)
    assert scenario.cost_usd(scenario.candidates[0].inputs) == pytest.approx(2.5 * hours)


def test_stated_flops_are_priced(plan: Plan) -> None:
    price = {**plan()["price"], "flops_convention": "stated"}
    runs = [{"name": "big", "n_params": 7e9, "n_tokens": 140e9, "flops": 1e21}]
    scenario = Scenario.from_dict(plan(price=price, candidates=runs, pilots=[]))
    assert scenario.flops(scenario.candidates[0].inputs) == 1e21
    with pytest.raises(DecisionError, match="a run with n_params has no flops"):
        scenario.flops({"n_params": 1.0})


def test_cost_of_a_run_without_tokens_is_refused(plan: Plan) -> None:
    with pytest.raises(DecisionError, match="a run with n_params has no n_tokens"):
        Scenario.from_dict(plan()).cost_usd({"n_params": 7e9})


def test_a_scenario_does_not_change(scenario: Scenario) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        scenario.title = "Another"


def test_a_price_of_nothing_is_allowed(plan: Plan) -> None:
    price = {**plan()["price"], "usd_per_gpu_hour": 0}
    assert Scenario.from_dict(plan(price=price)).cost_usd({"n_params": 1.0, "n_tokens": 1.0}) == 0


def test_a_key_that_is_no_word_is_refused(plan: Plan) -> None:
    with pytest.raises(DecisionError, match="unknown key '7'"):
        Scenario.from_dict({**plan(), 7: 1})  # type: ignore[dict-item]


def test_a_scenario_made_in_python_is_checked_alike(plan: Plan) -> None:
    assert Scenario(**plan()) == Scenario.from_dict(plan())
    with pytest.raises(DecisionError, match=r"^scenario: value\.usd is -1, expected positive USD"):
        Scenario(**plan(value={"usd": -1}))
