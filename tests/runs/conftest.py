"""A clean simulated table that no check of the linter complains about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bayescale.runs.lint import Finding, lint
from bayescale.runs.table import RunsTable, read_runs


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return thirty runs of a Chinchilla law on a grid of N and D with a little noise."""
    rng = np.random.default_rng(3)
    grid = [
        (n, d) for n in (1e8, 2e8, 4e8, 8e8, 1.6e9) for d in (4e9, 8e9, 16e9, 32e9, 64e9, 128e9)
    ]
    n, d = np.array(grid).T
    law = 1.7 + 400 / n**0.34 + 410 / d**0.28
    return pd.DataFrame(
        {
            "n_params": n,
            "n_tokens": d,
            "loss": law * np.exp(rng.normal(0, 1e-3, n.size)),
            "dataset": "c4",
        }
    )


@pytest.fixture
def runs(frame: pd.DataFrame) -> RunsTable:
    """Return the clean frame as a table."""
    return read_runs(frame, name="clean")


@pytest.fixture
def check(frame: pd.DataFrame) -> Callable[..., Finding]:
    """Return a function that lints the clean frame with some columns changed by one check."""

    def run(name: str, group: tuple[str, ...] = (), **columns: object) -> Finding:
        runs = read_runs(frame.assign(**columns), name="changed")
        return next(finding for finding in lint(runs, group) if finding.check == name)

    return run
