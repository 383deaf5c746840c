"""Simulated runs with a known law, and posteriors of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
NOISE = 0.004


def true_loss(n: Any, d: Any) -> Any:
    return TRUTH["E"] + TRUTH["A"] / n ** TRUTH["alpha"] + TRUTH["B"] / d ** TRUTH["beta"]


def simulated_runs(seed: int = 1, n_runs: int = 40, ratio: float | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = np.exp(rng.uniform(np.log(2e7), np.log(8e8), n_runs))
    per_param = np.exp(rng.uniform(np.log(5), np.log(80), n_runs)) if ratio is None else ratio
    d = n * per_param
    loss = true_loss(n, d) * np.exp(NOISE * rng.standard_normal(n_runs))
    return pd.DataFrame({"n_params": n, "n_tokens": d, "loss": loss})


@pytest.fixture(scope="session")
def plain() -> Posterior:
    """Usual practice on runs that the law describes: intervals of mostly noise and exponents."""
    return fit(simulated_runs(), "chinchilla_plain_weak")


@pytest.fixture(scope="session")
def posterior() -> Posterior:
    """The same runs with the law's own error."""
    return fit(simulated_runs(), "coupled_gp_weak")


@pytest.fixture(scope="session")
def grouped() -> Posterior:
    """Two datasets, fitted apart."""
    tables = [simulated_runs(seed).assign(dataset=name) for seed, name in ((1, "c4"), (2, "pile"))]
    with pytest.warns(UserWarning, match="2 groups were fitted apart"):
        return fit(pd.concat(tables), "chinchilla_plain_weak", group="dataset", pooling="none")


@pytest.fixture
def plan() -> Callable[..., dict[str, Any]]:
    """Return plain data of a plan; keywords replace its sections."""

    def make(**sections: Any) -> dict[str, Any]:
        data: dict[str, Any] = {
            "title": "Fund it?",
            "candidates": [{"name": "big", "n_params": 7e9, "n_tokens": 140e9}],
            "target": {"loss": 2.15},
            "price": {
                "usd_per_gpu_hour": 2.5,
                "peak_flops": 989e12,
                "mfu": 0.4,
                "flops_convention": "6ND",
                "failure_allowance": 0.1,
            },
            "value": {"usd": 30000},
            "pilots": [{"name": "mid", "n_params": 2e9, "n_tokens": 40e9}],
        }
        return {**data, **sections}

    return make
