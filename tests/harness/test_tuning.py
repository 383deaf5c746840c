"""From a grid of trial runs to a rate for every size."""

from __future__ import annotations

import math

import pytest

from bayescale.errors import HarnessError
from bayescale.harness.tuning import best_rate, interpolated_rates


def test_the_minimum_of_a_parabola_in_log_rate_is_found():
    losses = {
        r: 2 + 0.1 * (math.log(r) - math.log(0.013)) ** 2 for r in (0.004, 0.008, 0.016, 0.032)
    }
    assert best_rate(losses) == pytest.approx(0.013)


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ({0.01: 1.0, 0.02: 2.0, 0.04: 3.0}, 0.01),
        ({0.01: 3.0, 0.02: 2.0, 0.04: math.nan}, 0.02),
        ({0.01: 1.0, 0.02: 1.0, 0.04: 1.0}, 0.01),
    ],
)
def test_at_an_edge_the_best_rate_tried_stands(losses, best):
    assert best_rate(losses) == best


def test_a_grid_that_diverged_throughout_is_named():
    with pytest.raises(HarnessError, match=r"grid \[0\.5, 1\.0\]: every run diverged"):
        best_rate({1.0: math.nan, 0.5: math.inf})


def test_rates_between_tuned_sizes_follow_a_power_law():
    rates = interpolated_rates({1000: 0.1, 100_000: 0.01}, [1000, 10_000, 100_000, 10**7])
    assert rates == pytest.approx([0.1, 0.0316, 0.01, 0.001], rel=1e-2)


def test_one_tuned_size_serves_all():
    assert interpolated_rates({1000: 0.02}, [10, 10**6]) == [0.02, 0.02]
