"""Systematic resampling: every point comes as often as its weight says, to within one."""

import numpy as np
import pytest

from bayescale.inference.resampling import systematic_picks


@pytest.mark.parametrize("n_draws", [7, 400])
def test_counts_are_the_expected_ones_to_within_one(n_draws: int):
    weights = np.random.default_rng(3).exponential(size=50)
    picks = systematic_picks(weights, n_draws, np.random.default_rng(4))
    assert (np.diff(picks) >= 0).all()
    counts = np.bincount(picks, minlength=len(weights))
    expected = n_draws * weights / weights.sum()
    assert counts.sum() == n_draws
    assert (np.abs(counts - expected) < 1.0).all()


def test_points_without_weight_never_come():
    picks = systematic_picks(np.array([0.0, 3.0, 0.0]), 100, np.random.default_rng(5))
    assert (picks == 1).all()
