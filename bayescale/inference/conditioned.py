"""A group's draws given its runs: residuals, their variances, and what is told of what arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayescale.models.delivery import promised, undelivered
from bayescale.models.density import variances
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem
from bayescale.models.spec import ModelSpec

if TYPE_CHECKING:
    from bayescale.inference.posterior import Posterior


@dataclass(frozen=True)
class Share:
    """The share of promised improvement that does not arrive, given a group's runs.

    Parameters
    ----------
    mean, sd : array, shape (S, 1)
        By draw.
    promise : array, shape (S, n)
        Rotated improvement promised to the runs; zero but for runs beyond the fitted compute.
    """

    mean: Floats
    sd: Floats
    promise: Floats


@dataclass(frozen=True)
class Conditioned:
    """A group's draws, conditioned on its runs: all that does not depend on the points."""

    spec: ModelSpec
    problem: Problem
    columns: Mapping[str, Floats]
    tau: Floats
    weights: Floats
    rotated: Floats
    variance: Floats
    share: Share

    def common(self, at: Floats) -> Floats:
        """Return what siblings share of the discrepancy at some positions, shape (S, m)."""
        return self.tau * (self.weights @ self.problem.features(at).T)


def condition(posterior: Posterior, group: int) -> Conditioned:
    """Return a group's draws conditioned on its runs."""
    problem = posterior.problems[group]
    columns = {name: values[:, None] for name, values in posterior.coefficients(group).items()}
    sigma = columns["sigma"]
    tau = columns.get("tau", np.zeros_like(sigma))
    fitted = problem.law.link(problem.law.evaluate(problem.ratios, columns))
    weights = _weights(posterior, problem)
    fitted = fitted + tau * (weights @ problem.features(problem.positions).T)
    rotated = problem.whitening.rotate(problem.log_loss - fitted)
    floor = problem.spec.noise.floor
    variance = np.asarray(variances(problem.whitening.eigenvalues, sigma, tau, floor))
    kappa = posterior.spec.discrepancy.kappa if posterior.spec.discrepancy else 0.0
    share = _share(problem, kappa, columns, np.asarray(rotated), variance)
    freed = np.asarray(rotated) - share.mean * share.promise
    return Conditioned(posterior.spec, problem, columns, tau, weights, freed, variance, share)


def _weights(posterior: Posterior, problem: Problem) -> Floats:
    """Return draws (S, M) of the weights of the discrepancy that siblings share."""
    n_weights = len(problem.constants.anchors)
    if not n_weights:
        return np.zeros((posterior.n_draws, 0))
    return posterior.population["weights"].reshape(-1, n_weights)


def _share(
    problem: Problem,
    kappa: float,
    columns: Mapping[str, Floats],
    rotated: Floats,
    variance: Floats,
) -> Share:
    if not problem.reaches_beyond:
        zero = np.zeros((len(rotated), 1))
        return Share(zero, zero + kappa, np.zeros((1, len(problem))))
    promise = promised(problem.law, problem.ratios, problem.ratios_at_edge, columns)
    promise = np.asarray(problem.whitening.rotate(promise))
    mean, spread = undelivered(
        rotated, variance, promise, kappa, lambda terms: terms.sum(-1, keepdims=True)
    )
    return Share(mean, np.sqrt(spread), promise)
