"""On the synthetic table, whose irreducible loss is known exactly, the posterior of E finds it."""

from __future__ import annotations

import numpy as np
import pytest

import bayescale as bs
from bayescale.runs.catalog import load_card

TABLE = "synthetic_zipf_llama"
WIDTH = 0.35
"""Widest useful 90 % interval, nats per token."""


@pytest.mark.parametrize("model", ["coupled_gp_weak", "chinchilla_gp_weak"])
def test_the_posterior_of_the_floor_covers_the_truth_and_is_narrow(model: str) -> None:
    truth = load_card(TABLE).true_values["E"]
    floor = bs.fit(bs.read_runs(TABLE), model).textbook()["E"]
    low, high = np.quantile(floor, [0.05, 0.95])
    assert low <= truth <= high
    assert high - low <= WIDTH
