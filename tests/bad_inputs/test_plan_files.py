"""Every plan with one fault is refused, and the message shows the value found."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayescale.decisions.scenario import load_scenario
from bayescale.errors import DecisionError

FOLDER = Path(__file__).parent / "plans"

FAULTS = {
    "empty.yaml": r"plan file 'empty\.yaml' is empty, expected a mapping.*Start with title",
    "list.yaml": r"holds list \"\['big'\]\", expected a mapping",
    "not_yaml.yaml": r"is not YAML: .*title: \[Fund it\?",
    "latin1.yaml": r"byte 0xe9 is not UTF-8",
    "runs_code.yaml": r"line 1: .*python/object/apply:os\.system'.*nothing in it is run",
    "key_twice.yaml": r"line 7: key 'value' is given twice",
    "unknown_key.yaml": r"unknown key 'mfuu' in price\. Did you mean 'mfu'\?",
    "unknown_section.yaml": r"unknown key 'candidate'\. Did you mean 'candidates'\?",
    "missing_tokens.yaml": r"candidates\[0\]\.n_tokens is missing, expected a positive number",
    "missing_value.yaml": r"value is missing, expected a mapping with usd",
    "negative_price.yaml": r"price\.usd_per_gpu_hour is -2\.5, expected USD, zero or more",
    "mfu_above_one.yaml": r"price\.mfu is 40, expected .*at most 1 \(40 % is 0\.4\)",
    "mfu_in_percent.yaml": r"price\.mfu is '40%' \(not a number\), expected the share",
    "peak_in_teraflops.yaml": r"price\.peak_flops is 989, expected FLOPs per second.*989e12",
    "negative_allowance.yaml": r"price\.failure_allowance is -0\.1, expected .*zero or more",
    "unknown_convention.yaml": r"price\.flops_convention is '2ND', expected 6ND, or stated",
    "flops_not_stated.yaml": r"run 'big' has no flops, but price\.flops_convention is 'stated'",
    "flops_stated.yaml": r"run 'big' states flops 2e\+20, but price\.flops_convention is '6ND'",
    "no_candidates.yaml": r"candidates is \[\], expected a list of at least one run",
    "candidate_is_a_name.yaml": r"candidates\[0\] is 'big', expected a mapping with name, n_params",
    "one_name_twice.yaml": r"name 'big' is used twice",
    "zero_params.yaml": r"candidates\[0\]\.n_params is 0, expected a positive number of parameters",
    "params_in_words.yaml": r"n_params is 'about a billion' \(not a number\), expected .*1\.4B",
    "params_true.yaml": r"n_params is True \(a truth value\), expected",
    "tokens_infinite.yaml": r"candidates\[0\]\.n_tokens is inf, expected",
    "group_is_true.yaml": r"candidates\[0\]\.group is True \(True is no label\), expected",
    "group_said_twice.yaml": r"dataset and group both say the group",
    "target_zero.yaml": r"target\.loss is 0, expected a positive loss in nats per token",
    "target_negative.yaml": r"target\.loss is -2\.55, expected a positive loss",
    "target_empty.yaml": r"target\.loss is missing, expected a positive loss",
    "target_without_bytes.yaml": r"'bits_per_byte': 0\.9\} \(bits_per_byte needs bytes_per_token",
    "target_disagrees.yaml": r"loss 2\.55 disagrees with 2\.80725 from bits_per_byte",
    "value_zero.yaml": r"value\.usd is 0, expected positive USD",
    "value_nan.yaml": r"value\.usd is nan, expected positive USD",
    "target_is_a_perplexity.yaml": r"target\.loss is 31\.5, expected a positive loss in nats",
    "target_probability_in_percent.yaml": r"target\.probability is 90, expected a probability",
    "target_error_in_percent.yaml": r"downstream\.error is 45, expected an error rate between 0",
    "target_error_without_runs.yaml": r"target\.downstream\.runs is missing, expected a table with",
    "unknown_key_downstream.yaml": r"unknown key 'eror' in target\.downstream.*Did you mean 'err",
    "peak_of_a_cluster.yaml": r"peak_flops is 9\.89e\+20, expected .* one GPU at its peak, 1e9 to",
    "allowance_in_percent.yaml": r"failure_allowance is 40, expected extra compute .* such as 0\.1",
    "deadline_without_gpus.yaml": r"price is .*deadline_days 30 needs gpus, the number at work",
    "deadline_negative.yaml": r"price\.deadline_days is -3, expected positive days",
    "gpus_zero.yaml": r"price\.gpus is 0, expected a positive number of GPUs",
    "price_absurd.yaml": r"run 'big' would cost 4\.1e\+14 USD, more than all the money",
    "cost_negative.yaml": r"candidates\[0\]\.cost_usd is -12, expected USD, zero or more",
    "value_linear_without_end.yaml": r"shape 'linear' needs worthless_at, which is missing",
    "value_linear_upside_down.yaml": r"worthless_at is 2\.4, expected above the target of 2\.55",
    "value_shape_unknown.yaml": r"value\.shape is 'sigmoid', expected step, linear or piecewise",
    "value_points_for_a_step.yaml": r"points is given, but shape is 'step', not 'piecewise'",
    "value_points_out_of_order.yaml": r"\[2\.5, 10000\] and \[2\.6, 50000\] are out of order",
    "value_points_and_usd.yaml": r"usd is 50000, but shape 'piecewise' reads it off points",
    "value_points_one.yaml": r"points needs two or more, the first of them worth something",
    "value_points_worth_nothing_at_target.yaml": r"points make the target of 2\.55 worth nothing",
    "inference_negative.yaml": r"lifetime_tokens is .*, expected a positive number of tokens, such",
    "inference_without_tokens.yaml": r"inference\.lifetime_tokens is missing, expected a positive",
    "risk_zero.yaml": r"risk\.tolerance_usd is 0, expected positive USD, such as 2M",
    "risk_below_the_cost.yaml": r"tolerance_usd is 1, but run 'big' costs 413 USD: expected",
    "unknown_key_risk.yaml": r"unknown key 'tolerance' in risk\. Did you mean 'tolerance_usd'",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_plan_is_refused_with_the_value_found(name: str) -> None:
    with pytest.raises(DecisionError, match=f"(?s){FAULTS[name]}"):
        load_scenario(FOLDER / name)


def test_every_faulty_plan_is_tried() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(FAULTS)


def test_a_missing_plan_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DecisionError, match=r"nothing\.yaml' does not exist"):
        load_scenario(tmp_path / "nothing.yaml")
    with pytest.raises(DecisionError, match="cannot be read: Is a directory"):
        load_scenario(tmp_path)
