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
    "group_is_a_word.yaml": r"candidates\[0\]\.group is 'c4', expected a mapping of group columns",
    "target_zero.yaml": r"target\.loss is 0, expected a positive loss in nats per token",
    "target_negative.yaml": r"target\.loss is -2\.55, expected a positive loss",
    "target_empty.yaml": r"target\.loss is missing, expected a positive loss",
    "target_without_bytes.yaml": r"'bits_per_byte': 0\.9\} \(bits_per_byte needs bytes_per_token",
    "target_disagrees.yaml": r"loss 2\.55 disagrees with 2\.80725 from bits_per_byte",
    "value_zero.yaml": r"value\.usd is 0, expected positive USD",
    "value_nan.yaml": r"value\.usd is nan, expected positive USD",
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
