"""Held-out runs and ladders: the two results that plots draw besides a forecast."""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.errors import ForecastError
from bayescale.forecasts.held_out import hold_out
from bayescale.forecasts.ladder import ladder


def test_held_out_counts_by_hand(held_out) -> None:
    low, high = held_out.forecast.interval(0.9).T
    by_hand = [a <= y <= b for a, y, b in zip(low, held_out.actual, high, strict=True)]
    assert held_out.inside(0.9).tolist() == by_hand
    assert held_out.coverage(0.9) == pytest.approx(np.mean(by_hand))
    assert f"{sum(by_hand)} of {len(held_out)} hidden runs" in repr(held_out)


def test_hold_out_returns_what_is_already_forecast(held_out) -> None:
    assert hold_out(held_out.forecast.posterior, held_out) is held_out


def test_hold_out_refuses_an_empty_table(held_out) -> None:
    nothing = held_out.runs.select(np.zeros(len(held_out), dtype=bool))
    with pytest.raises(ForecastError, match='"simulated" holds no usable run'):
        hold_out(held_out.forecast.posterior, nothing)


def test_ladder_passes_through_the_largest_point_at_its_ratio(candidates) -> None:
    found = ladder(candidates).points.inputs
    ratio = found["n_tokens"] / found["n_params"]
    assert ratio == pytest.approx(np.full(len(ratio), 200.0))
    compute = 6 * found["n_params"] * found["n_tokens"]
    assert compute[0] == pytest.approx(6 * 2e7 * 1e8)
    assert compute[-1] > 6 * 3e9 * 6e11
