"""Fixtures for every test."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

RATIOS = (6.0, 12.0, 25.0, 50.0, 100.0, 200.0)

PLAN = """
title: A 7B run on 140B tokens
candidates: [{name: big, n_params: 7B, n_tokens: 140B}]
pilots: [{name: mid, n_params: 2B, n_tokens: 40B}]
target: {loss: 2.25}
price: {usd_per_gpu_hour: 2.5, peak_flops: 989e12, mfu: 0.4}
value: {usd: 200000}
"""


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Folder of the public tables of training runs, which are not part of the project."""
    asked = os.environ.get("BAYESCALE_PUBLIC_DATA")
    folder = Path(asked) if asked else REPOSITORY.parent / "shared" / "data"
    if asked and not folder.is_dir():
        pytest.fail(f"BAYESCALE_PUBLIC_DATA is {asked}, which is no folder")
    if not folder.is_dir():
        pytest.skip(f"public tables are not at {folder}; set BAYESCALE_PUBLIC_DATA")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds the package, the tests and the documents."""
    return REPOSITORY


@pytest.fixture(scope="session")
def runs_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of 30 simulated runs, 4e18 to 2e21 FLOPs, that every check passes."""
    rng = np.random.default_rng(3)
    n_params, ratio = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e8, 1e9, 5), RATIOS))
    n_tokens = n_params * ratio
    law = 1.7 + 400 / n_params**0.34 + 410 / n_tokens**0.28
    loss = law * np.exp(rng.normal(0, 2e-3, law.size))
    path = tmp_path_factory.mktemp("shared") / "runs.csv"
    table = np.column_stack([n_params, n_tokens, loss])
    header = "n_params,n_tokens,loss"
    np.savetxt(path, table, delimiter=",", header=header, comments="", fmt=["%.0f", "%.0f", "%.6f"])
    return path


@pytest.fixture(scope="session")
def plan_file(runs_file: Path) -> Path:
    """Return a plan for those runs: one candidate and one pilot."""
    path = runs_file.with_name("plan.yaml")
    path.write_text(PLAN, encoding="utf-8")
    return path
