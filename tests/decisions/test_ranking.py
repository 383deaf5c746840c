"""Rankings: joint draws counted by hand, and the order of arms that never win."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescale.decisions import ranking
from bayescale.decisions.ranking import prob_best
from bayescale.errors import DecisionError
from decisions.simulated_arms import three_arms, true_loss

POINT = {"n_params": 1e9, "n_tokens": 2e10}


def test_probabilities_are_shares_of_joint_draws() -> None:
    found = prob_best(three_arms(), **POINT)
    wins = [(found.losses.argmin(axis=1) == k).mean() for k in range(3)]
    assert found.prob_best.tolist() == wins
    assert found.prob_best.sum() == pytest.approx(1.0)
    assert (found.regret >= 0).all()
    assert found.arms[0] == ("fast",)


def test_intervals_hold_the_true_expected_losses() -> None:
    found = prob_best(three_arms(), **POINT)
    truth = [float(true_loss(arm, *map(np.float64, POINT.values()))) for (arm,) in found.arms]
    for (low, high), loss in zip(found.interval(0.99), truth, strict=True):
        assert low < loss < high


def test_arms_behind_the_best_stand_by_their_loss() -> None:
    found = prob_best(three_arms(), n_params=1e11, n_tokens=2e12)
    assert found.prob_best[0] == found.prob_best.max()
    assert found.median[1:].tolist() == sorted(found.median[1:])


def test_a_wide_arm_that_wins_at_times_is_no_runner_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close is never the lowest and wide is in a tenth of the draws, at a far higher loss."""
    draws = np.random.default_rng(0).normal(size=1000)
    drawn = [
        np.log(2.0) + 0.01 * draws,
        np.log(2.5) + 0.2 * draws[::-1],
        np.log(2.02) + 0.01 * draws,
    ]
    real = ranking.expected_log_loss

    def as_drawn(*arguments: Any) -> Any:
        return drawn, real(*arguments)[1]

    monkeypatch.setattr(ranking, "expected_log_loss", as_drawn)
    found = prob_best(three_arms(), ["fast", "slow", "early"], **POINT)
    assert found.arms == (("fast",), ("early",), ("slow",))
    assert found.prob_best[2] > found.prob_best[1] == 0.0


def test_some_arms_may_be_named() -> None:
    found = prob_best(three_arms(), ["slow", "early"], **POINT)
    assert {*found.arms} == {("slow",), ("early",)}
    assert len(found.to_frame()) == 2
    assert "P(lowest expected loss)" in repr(found)


def test_one_arm_is_refused() -> None:
    with pytest.raises(DecisionError, match="1 arm was given"):
        prob_best(three_arms(), ["slow"], **POINT)
