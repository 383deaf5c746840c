"""The acceptance of a forecast: small runs of the public Chinchilla table predict large ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bayescale import fit, read_runs
from bayescale.forecasts.held_out import hold_out


def test_intervals_hold_the_larger_chinchilla_runs(public_data: Path):
    runs = read_runs(public_data / "chinchilla.csv", where="excluded_by_refit=0")
    small, large = runs.split_by_compute(1.1e20)
    large, _ = large.usable()
    hidden = hold_out(fit(small), large)
    low, high = hidden.forecast.interval(0.9).T
    assert len(small) > 130
    assert len(hidden) > 60
    assert hidden.coverage(0.9) >= 0.80
    assert np.mean((high - low) / hidden.actual) <= 0.08
