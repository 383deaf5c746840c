"""A law that bends is noticed; a law that is right is left alone, at the stated rate."""

from __future__ import annotations

import pytest
from scipy import stats

from bayescale.inference.checks.residual_structure import FALSE_ALARMS
from bayescale.models.catalog import DEFAULT_MODEL
from tests.inference.checks.conftest import finding, isoflop_table, simulate

# Some of these tables give importance weights a khat of .70; the check does not read them.
pytestmark = pytest.mark.filterwarnings("ignore::bayescale.errors.ConvergenceWarning")

MODEL = "chinchilla_plain_weak"
TABLES = 20


def alarms(fit, seeds: range, gamma: float, table=simulate) -> int:
    levels = [finding("residual_structure", fit(table(seed, gamma), MODEL)).level for seed in seeds]
    return levels.count("REVIEW")


# The seeds were fixed before any of their tables was looked at.
def test_a_coupled_truth_under_the_additive_law_is_noticed(fit) -> None:
    assert alarms(fit, range(TABLES), gamma=0.6) >= 18


def test_an_additive_truth_under_the_additive_law_is_left_alone(fit) -> None:
    assert alarms(fit, range(100, 100 + TABLES), gamma=1.0) <= 1


def test_the_peer_studys_coupled_tables_are_noticed(fit) -> None:
    """The best peer raises no note on any of 20 such tables."""
    assert alarms(fit, range(TABLES), 0.5, isoflop_table) >= 18


@pytest.mark.calibration
@pytest.mark.parametrize("table", [simulate, isoflop_table])
def test_false_alarms_come_at_the_stated_rate(fit, table) -> None:
    """Fails once in a thousand times for a test that keeps its rate."""
    n_tables = 300
    found = alarms(fit, range(1000, 1000 + n_tables), 1.0, table)
    assert found <= stats.binom.ppf(0.999, n_tables, FALSE_ALARMS)


def test_a_plain_model_is_shown_the_way_out(fit) -> None:
    found = finding("residual_structure", fit(simulate(0, 0.6), MODEL))
    assert found.level == "REVIEW"
    assert "chinchilla law bends" in found.message
    assert "intervals are too narrow" in found.message
    assert f"model='{DEFAULT_MODEL}'" in found.recommendation


def test_a_discrepancy_carries_what_the_law_leaves(fit) -> None:
    found = finding("residual_structure", fit(simulate(0, 0.6), "chinchilla_gp_weak"))
    assert found.level == "REVIEW"
    assert "carried by the model's discrepancy" in found.message


def test_the_right_law_passes(fit) -> None:
    posterior = fit(simulate(0, 0.6), "coupled_plain_weak")
    assert finding("residual_structure", posterior).level == "PASS"


def test_too_few_runs_are_not_judged(fit) -> None:
    found = finding("residual_structure", fit(simulate(0, 0.6, n_runs=9), MODEL))
    assert found.message.startswith("Not checked: too few runs")
