"""A small question with a known answer: runs simulated from a published law, some hidden."""

from __future__ import annotations

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.laws import load_law

TRUE = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
NOISE = 0.003


def simulated_frame(seed: int = 0) -> pd.DataFrame:
    """Return 48 runs of the Chinchilla law on a grid of N and D/N, with 0.3 % noise."""
    law, unit = load_law("chinchilla"), {"n_params": 1.0, "n_tokens": 1.0}
    n_params, ratio = np.meshgrid(np.geomspace(2e7, 3e9, 8), [5.0, 10.0, 20.0, 40.0, 80.0, 160.0])
    inputs = {"n_params": n_params.ravel(), "n_tokens": (n_params * ratio).ravel()}
    loss = law.evaluate(inputs, law.from_textbook(TRUE, unit))
    noise = np.exp(NOISE * np.random.default_rng(seed).standard_normal(len(loss)))
    return pd.DataFrame({**inputs, "loss": loss * noise})


def simulated_runs(seed: int = 0) -> bs.RunsTable:
    """Return `simulated_frame` as a checked table."""
    return bs.read_runs(simulated_frame(seed), name="simulated")


def simulated_plan(**changes: object) -> dict[str, object]:
    """Return a plan of two candidates and one pilot as plain data."""
    plan: dict[str, object] = {
        "title": "Fund the 7B run?",
        "candidates": [
            {"name": "7B on 140B", "n_params": 7e9, "n_tokens": 1.4e11},
            {"name": "3B on 300B", "n_params": 3e9, "n_tokens": 3e11},
        ],
        "target": {"loss": 2.2},
        "price": {"usd_per_gpu_hour": 2.0, "peak_flops": 989e12, "mfu": 0.4},
        "value": {"usd": 50_000},
        "pilots": [{"name": "1B on 20B", "n_params": 1e9, "n_tokens": 2e10}],
    }
    return {**plan, **changes}
