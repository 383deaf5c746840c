"""Batch, beta2 and rate of every size, from trial units to the units of the sweep."""

from __future__ import annotations

import json

import pytest
import yaml

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError
from bayescale.harness.plan import SweepPlan
from bayescale.harness.plan_file import load_plan
from bayescale.harness.sweep import run_sweep, sweep_units
from bayescale.harness.trials import tuning_units

PLAN = {
    "name": "tiny",
    "corpus": "synthetic_zipf",
    "facts": {"vocab_size": 8},
    "sizes": [{"d_model": 8, "n_layers": 1}, {"d_model": 16, "n_layers": 1}],
    "context": 16,
    "milestones": [5120],
    "seeds": [0],
    "tuning": {
        "sizes": [0],
        "grid": [0.005, 0.01, 0.02],
        "batch_tokens": [64, 128, 256],
        "beta2": [0.9, 0.99],
        "tokens": 5120,
    },
    "eval_tokens": 512,
}


def test_one_unit_per_size_batch_and_beta2_with_the_rates_stacked():
    units = tuning_units(SweepPlan.model_validate(PLAN), "")
    found = [(unit.train.batch_tokens, unit.optim.beta2) for unit in units]
    assert found == [(b, beta2) for b in (64, 128, 256) for beta2 in (0.9, 0.99)]
    assert {unit.train.milestones for unit in units} == {(1280, 2560, 5120)}
    assert {len(unit.members) for unit in units} == {3}


def test_a_trial_is_measured_by_its_loss_alone_on_fewer_tokens():
    asked = {"measure": {"noise_batches": 2}, "tuning": PLAN["tuning"] | {"eval_tokens": 128}}
    units = tuning_units(SweepPlan.model_validate(PLAN | asked), "")
    assert {(unit.data.eval_tokens, unit.measure.noise_batches) for unit in units} == {(128, 0)}
    assert {u.data.eval_tokens for u in tuning_units(SweepPlan.model_validate(PLAN), "")} == {512}


@pytest.mark.slow
def test_what_was_found_is_trained_and_can_be_written_into_a_plan(tmp_path):
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    run_sweep(tmp_path / "plan.yaml", tmp_path / "out")
    found = json.loads((tmp_path / "out" / "learning_rates.json").read_text())
    (trial,) = found["trials"]
    assert len(trial["losses"]) == 3 * 2 * 3
    assert set(trial["best"]) == {"batch_tokens", "one_minus_beta2", "learning_rate"}
    assert "critical_batch" in trial
    assert all(batch % 16 == 0 and 64 <= batch <= 256 for batch in found["batch_tokens"])
    assert all(0.9 <= beta2 <= 0.99 for beta2 in found["beta2"])
    fixed = {
        "learning_rates": found["rates"],
        "batch_tokens": found["batch_tokens"],
        "beta2": found["beta2"],
        "tuning": None,
    }
    given = SweepPlan.model_validate(PLAN | fixed)
    tuned = sweep_units(load_plan(tmp_path / "plan.yaml"), found, "")
    assert sweep_units(given, {"rates": found["rates"]}, "") == tuned


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_tokens": [64, 128, 256]}, r"batch_tokens has 3 values for 2 sizes"),
        ({"beta2": [0.9]}, r"beta2 has 1 values for 2 sizes"),
        ({"tuning": PLAN["tuning"] | {"beta2": [0.99, 0.9]}}, r"tuning.beta2.*not ascending"),
    ],
)
def test_faulty_settings_are_named(tmp_path, change, message):
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN | change))
    with pytest.raises(HarnessError, match=message):
        load_plan(tmp_path / "plan.yaml")
