"""Runs drawn from a law with known coefficients, for tests of every room."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayescale.laws import load_law
from bayescale.models.problem import Problem, choose_constants
from bayescale.models.spec import ModelSpec

TEXTBOOK = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
"""Besiroglu et al. (2024): what simulated Chinchilla tables are drawn from."""


def design(n_runs: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return N between 3e7 and 3e9 and D/N between 5 and 100, as counts."""
    n_params = np.exp(rng.uniform(np.log(3e7), np.log(3e9), n_runs))
    n_tokens = n_params * np.exp(rng.uniform(np.log(5.0), np.log(100.0), n_runs))
    return {"n_params": n_params.round(), "n_tokens": n_tokens.round()}


def chinchilla_frame(
    n_runs: int = 60, seed: int = 0, noise: float = 0.005, **textbook: float
) -> pd.DataFrame:
    """Return runs of a Chinchilla law with normal noise on log loss."""
    rng = np.random.default_rng(seed)
    inputs, t = design(n_runs, rng), {**TEXTBOOK, **textbook}
    loss = (
        t["E"]
        + t["A"] / inputs["n_params"] ** t["alpha"]
        + t["B"] / inputs["n_tokens"] ** t["beta"]
    )
    return pd.DataFrame({**inputs, "loss": loss * np.exp(rng.normal(0.0, noise, n_runs))})


def problem(spec: ModelSpec, n_runs: int = 30, seed: int = 0, *, trunks: bool = False) -> Problem:
    """Return a group whose runs lie near a smooth surface in any law's inputs."""
    rng = np.random.default_rng(seed)
    columns = design(n_runs, rng)
    columns["flops"] = 6.0 * columns["n_params"] * columns["n_tokens"]
    inputs = {name: columns[name] for name in load_law(spec.law).inputs}
    log_loss = np.log(1.7 + 2.5 * (columns["flops"] / 1e18) ** -0.12)
    log_loss += rng.normal(0.0, 0.004, n_runs)
    names = [f"t{k // 3}" if trunks else "" for k in range(n_runs)]
    return Problem(
        spec=spec,
        inputs=inputs,
        log_loss=log_loss,
        trunks=np.array(names),
        constants=choose_constants(spec, inputs, log_loss),
    )
