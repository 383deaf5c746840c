"""Groups of runs whose coefficients come from a known population, for tests of pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from simulated import design

from bayescale.inference.pooled_chains import Chains
from bayescale.inference.population_moves import PopulationState
from bayescale.laws import load_law
from bayescale.laws.ops import from_unconstrained
from bayescale.models.problem import Problem, pooled_constants
from bayescale.models.spec import ModelSpec

REFERENCE = {"n_params": 1e9, "n_tokens": 2e10}
MEAN = {"E_share": 1.0, "N_share": 0.2, "alpha": -1.05, "beta": -1.1}
"""Population means on the sampling coordinates of the Chinchilla law at `REFERENCE`."""


def crossed_frame(
    n_datasets: int,
    n_architectures: int,
    n_runs: int = 12,
    seed: int = 0,
    *,
    spread: float = 0.15,
    noise: float = 0.003,
    left_out: Sequence[tuple[int, int]] = (),
) -> tuple[pd.DataFrame, dict[tuple[str, str], dict[str, float]]]:
    """Return runs of every combination but those left out, and each combination's coordinates.

    Effects of dataset and architecture have standard deviation `spread` on E_share, half of it on
    the exponents; a combination adds a tenth of that.
    """
    rng = np.random.default_rng(seed)
    law, frames, truth = load_law("chinchilla"), [], {}
    sizes = {s: spread * (1.0 if s == "E_share" else 0.5) for s in MEAN}
    one = {s: sizes[s] * rng.standard_normal(n_datasets) for s in MEAN}
    two = {s: sizes[s] * rng.standard_normal(n_architectures) for s in MEAN}
    for d in range(n_datasets):
        for a in range(n_architectures):
            x = {s: MEAN[s] + one[s][d] + two[s][a] for s in MEAN}
            x = {s: v + 0.1 * sizes[s] * rng.standard_normal() for s, v in x.items()}
            x["loss_ref"] = np.log(2.4) + 0.1 * rng.standard_normal()
            truth[f"d{d}", f"a{a}"] = x
            if (d, a) in left_out:
                continue
            values = {
                c.symbol: from_unconstrained(x[c.symbol], c.support) for c in law.coefficients
            }
            inputs = design(n_runs, rng)
            loss = law.evaluate({k: v / REFERENCE[k] for k, v in inputs.items()}, values)
            loss = loss * np.exp(rng.normal(0.0, noise, n_runs))
            frame = pd.DataFrame({**inputs, "loss": loss, "dataset": f"d{d}"})
            frames.append(frame.assign(architecture=f"a{a}"))
    return pd.concat(frames, ignore_index=True), truth


def crossed_problems(spec: ModelSpec, sizes: Sequence[int], seed: int = 0) -> list[Problem]:
    """Return groups of two columns near a smooth surface; a size may be zero."""
    rng = np.random.default_rng(seed)
    groups = []
    for size in sizes:
        inputs = design(size, rng)
        compute = 6.0 * inputs["n_params"] * inputs["n_tokens"]
        log_loss = np.log(1.7 + 2.5 * (compute / 1e18) ** -0.12) + rng.normal(0.0, 0.004, size)
        groups.append((inputs, log_loss))
    constants = pooled_constants(spec, groups)
    return [
        Problem(
            spec=spec,
            inputs=inputs,
            log_loss=log_loss,
            trunks=np.full(len(log_loss), ""),
            constants=fixed,
            levels={"dataset": f"d{k // 2}", "architecture": f"a{k % 2}"},
        )
        for k, ((inputs, log_loss), fixed) in enumerate(zip(groups, constants, strict=True))
    ]


def prior_draws(chains: Chains, rng: np.random.Generator) -> tuple[PopulationState, np.ndarray]:
    """Return a state of the population and coordinates of the groups drawn from the prior."""
    population, size = chains.target.population, chains.n_chains
    own = np.column_stack([p.quantile(rng.uniform(size=size)) for p in population.own])
    spreads = [
        np.column_stack([p.quantile(rng.uniform(size=size)) for p in priors])
        for priors in population.spreads
    ]
    for together in population.equal:
        for given in (own, *spreads):
            given[:, together] = given[:, together[:1]]
    shape = (size, len(spreads), len(population.symbols))
    spreads = np.array(spreads).reshape(shape[1], size, shape[2]).swapaxes(0, 1)
    effects = np.zeros((size, shape[2], population.design.shape[1]))
    slopes = [r.mean + r.sd * rng.standard_normal(size) for r in population.regressions]
    slopes = np.array(slopes).reshape(-1, size).T
    effects[:, :, 0] = population.mean + population.sd * rng.standard_normal((size, shape[2]))
    for f, block in enumerate(population.blocks):
        number = block.stop - block.start
        effects[:, :, block] = spreads[:, f, :, None] * rng.standard_normal(
            (size, shape[2], number)
        )
    state = PopulationState(effects, own, spreads, slopes)
    follow = np.linalg.inv(state.rows(population))
    for block in population.blocks:
        effects[:, :, block] = follow @ effects[:, :, block]
    x = np.stack([g.sample_prior(size, rng) for g in chains.target.groups], axis=1)
    departures = own[:, None, :] * rng.standard_normal((size, x.shape[1], shape[2]))
    departures = departures @ follow.swapaxes(1, 2)
    x[:, :, chains.target.pooled] = state.centres(population) + departures
    return state, x
