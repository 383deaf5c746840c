"""Every law recovers what made its tables: intervals of the right width, samplers that converge.

The default model of each law is put to 100 tables, whose coefficients and noise come from its own
prior, on the law's own design of 60 runs. Of the 90 % intervals of all coordinates, pooled, the
share that holds the truth must lie about .9: by a normal limit whose standard deviation is that of
the tables, at least that of independent intervals, and Bonferroni over laws, so that a right
sampler fails somewhere one time in a hundred. `make test-all` takes 12 tables a law, with the
largest standard deviation there can be, and leaves out the laws that need chains.
`benchmarks/laws_recovery.py` writes the numbers down. The seeds were chosen before any result was
seen.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from bayescale.inference.amis import MAX_COORDINATES
from bayescale.inference.fit import RHAT_MAX, fit
from bayescale.inference.importance import fails, importance_sample
from bayescale.inference.tempered import TemperedEffort, agreed
from bayescale.laws import list_laws, load_law
from bayescale.models.density import Density
from bayescale.models.from_law import plain_weak
from bayescale.models.problem import Problem
from tests.laws.simulated_tables import empty_problem, own_frame, replicate

pytestmark = pytest.mark.calibration

FALSE_ALARM = 0.01
COVERAGE = 0.9

HARD = {
    "broken_once": "a break narrower than the runs are apart",
    "broken_twice": "several modes: which bend belongs to which break",
    "broken_thrice": "several modes, and 13 coordinates",
    "data_constrained": "intervals too short by a twentieth where khat is above .5",
    "domain_continual": "intervals of the floor and the domain's terms a third too short",
    "double_descent": "a ridge that bends where no peak lies among the runs",
    "farseer": "intervals a tenth too short, and of single tables much more",
    "fine_grained": "intervals too short by a thirtieth, khat below .7 on all",
    "moe_sparsity": "four terms that fall alike in one table of 60 runs",
    "shape": "three terms that fall alike: tails that the proposals do not reach",
    "vocabulary": "shares of terms that fall alike, khat below .7 on nearly all",
}
"""Laws on which importance sampling misses its gates or its coverage, and why: numbers in
`bayescale/laws/README.md`. `fit` takes tempered ensembles for them."""


SMALL = TemperedEffort(members=256, climbs=64, moves=6)
"""Ensembles of the recovery: with half the members of those of `fit`."""

TABLES = 100
"""Of each law. Those that need chains take 1 to 10 CPU seconds each."""


def dimensions(name: str) -> int:
    spec = plain_weak(name)
    return len(spec.priors) + len(spec.scale_priors)


@dataclass(frozen=True)
class Recovered:
    """Which 90 % intervals of one simulated table hold the truth, and whether the gates are met."""

    held: np.ndarray
    passes: bool


def recovered(name: str, table: int) -> Recovered:
    """Simulate one table of a law and fit it by the engine that `fit` takes first."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), table])
    problem, truth = replicate(empty_problem(load_law(name)), rng)
    by = by_ensembles if load_law(name).needs_chains else by_weights
    below, passes = by(problem, truth, table)
    return Recovered(np.abs(below - 0.5) < COVERAGE / 2, passes)


def by_weights(problem: Problem, truth: np.ndarray, seed: int) -> tuple[np.ndarray, bool]:
    """Return how much of the posterior lies below the truth, by importance sampling."""
    found = importance_sample(problem, seed)
    return np.exp(found.log_weights) @ (found.x < truth), not fails(found)


def by_ensembles(problem: Problem, truth: np.ndarray, seed: int) -> tuple[np.ndarray, bool]:
    """Return the same by tempered ensembles."""
    found = agreed(Density(problem), np.random.default_rng(seed), RHAT_MAX, [SMALL])
    return (found.x < truth).mean(axis=(0, 1)), found.rhat <= RHAT_MAX


def standard_error(shares: np.ndarray, n_coordinates: int, *, widest: bool = False) -> float:
    """Return that of the pooled share, by the tables' own scatter or the widest there can be."""
    own = np.sqrt(COVERAGE * (1.0 - COVERAGE))
    sd = own if widest else max(shares.std(ddof=1), own / np.sqrt(n_coordinates))
    return float(sd / np.sqrt(len(shares)))


def p_value(coverage: float, error: float) -> float:
    """Return the chance that a right sampler's pooled share lies so far from .9."""
    return float(2.0 * stats.norm.sf(abs(coverage - COVERAGE) / error))


def alarm() -> float:
    """Return the p-value of one law below which the catalogue fails, one time in a hundred."""
    return FALSE_ALARM / len(list_laws())


RECOVERED = [name for name in list_laws() if name not in HARD]


def assert_recovered(name: str, n_tables: int) -> None:
    inside = np.array([recovered(name, table).held for table in range(n_tables)])
    shares = inside.mean(axis=1)
    error = standard_error(shares, inside.shape[1], widest=n_tables < TABLES)
    assert p_value(shares.mean(), error) > alarm(), f"{shares.mean():.3f}: {inside.mean(axis=0)}"


@pytest.mark.parametrize("name", RECOVERED)
def test_intervals_hold_what_made_the_table(name: str):
    assert_recovered(name, 12)


@pytest.mark.thorough
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", list_laws())
def test_intervals_hold_what_made_many_tables(name: str):
    assert_recovered(name, TABLES)


def test_fit_takes_chains_for_the_laws_that_need_them():
    assert {name for name in list_laws() if load_law(name).needs_chains} == set(HARD)


@pytest.mark.filterwarnings("ignore::bayescale.errors.ConvergenceWarning")
@pytest.mark.parametrize("name", RECOVERED)
def test_importance_sampling_passes_its_gate_on_a_table_of_the_laws_own(name: str):
    if dimensions(name) > MAX_COORDINATES:
        pytest.skip(f"{dimensions(name)} coordinates: sampled by NUTS")
    posterior = fit(own_frame(load_law(name)), f"{name}_plain_weak", engine="amis")
    assert max(posterior.diagnostics.khat) < 0.7


@pytest.mark.thorough
@pytest.mark.mcmc
@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore::bayescale.errors.ConvergenceWarning")
@pytest.mark.parametrize("name", list_laws())
def test_chains_of_a_table_of_the_laws_own_converge(name: str):
    """By NUTS; laws that it does not serve, by ensembles that share nothing."""
    engine = "tempered" if load_law(name).needs_chains else "nuts"
    posterior = fit(own_frame(load_law(name)), f"{name}_plain_weak", engine=engine)
    assert posterior.diagnostics.rhat <= RHAT_MAX
    assert posterior.diagnostics.divergences == 0


@pytest.mark.parametrize("name", ["chinchilla", "data_constrained"])
def test_truth_is_drawn_from_the_prior_that_is_fitted(name: str):
    """The replication is that of the model: at the truth the density is finite."""
    rng = np.random.default_rng(5)
    problem, truth = replicate(empty_problem(load_law(name)), rng)
    assert np.isfinite(Density(problem)(truth[None])).all()
