"""Runs of a known law, and posteriors of them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayescale import fit
from bayescale.inference.posterior import Posterior

E, A, B, ALPHA, BETA, NOISE = 1.7, 400.0, 800.0, 0.34, 0.33, 0.004


def true_loss(n_params: np.ndarray, n_tokens: np.ndarray) -> np.ndarray:
    return E + A / n_params**ALPHA + B / n_tokens**BETA


def simulate(seed: int = 0, sizes: int = 6, lengths: int = 6) -> pd.DataFrame:
    """Return a grid of runs of Chinchilla's law."""
    rng = np.random.default_rng(seed)
    n_params = np.repeat(np.geomspace(1e7, 1e9, sizes), lengths)
    n_tokens = np.tile(np.geomspace(2e9, 4e10, lengths), sizes)
    loss = true_loss(n_params, n_tokens) * np.exp(NOISE * rng.normal(size=len(n_params)))
    return pd.DataFrame({"n_params": n_params, "n_tokens": n_tokens, "loss": loss})


@pytest.fixture(scope="session")
def runs() -> pd.DataFrame:
    return simulate()


@pytest.fixture(scope="session")
def posterior(runs: pd.DataFrame) -> Posterior:
    """One group, with a discrepancy."""
    return fit(runs, "chinchilla_gp_weak", draws=200)


@pytest.fixture(scope="session")
def grouped_runs() -> pd.DataFrame:
    second = simulate(seed=1).assign(dataset="books")
    second["loss"] *= 1.1
    return pd.concat([simulate().assign(dataset="web"), second], ignore_index=True)


@pytest.fixture(scope="session")
def grouped(grouped_runs: pd.DataFrame) -> Posterior:
    """Two groups fitted apart."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(grouped_runs, "chinchilla_gp_weak", group="dataset", draws=200)


@pytest.fixture
def targets() -> pd.DataFrame:
    """Points inside, at the edge of and far beyond the runs, in no order of compute."""
    return pd.DataFrame(
        {
            "n_params": [7e9, 3e8, 1e9, 7e10, 2e7],
            "n_tokens": [1.4e11, 1e10, 4e10, 1.4e12, 3e9],
        }
    )
