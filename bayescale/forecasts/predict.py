"""The predictive distribution of log loss, draw by draw: law, discrepancy, delivery and noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayescale.inference.posterior import Posterior
from bayescale.models.density import variances
from bayescale.models.discrepancy import Floats, kernel
from bayescale.models.problem import Problem, positions, ratios
from bayescale.models.spec import ModelSpec


@dataclass(frozen=True)
class Components:
    """Mixture components of log loss at some points of one group.

    Parameters
    ----------
    law : array, shape (S, P)
        Log loss by the law alone.
    mean : array, shape (S, P)
        Law plus the discrepancy's conditional mean.
    discrepancy : array, shape (S, P)
        The discrepancy's conditional variance.
    improvement : array, shape (S, P)
        Log improvement promised beyond the largest fitted compute, along constant D/N.
    noise : array, shape (S, 1)
        Variance of run-to-run noise.
    kappa : float
        Standard deviation of the share of `improvement` that does not arrive.
    """

    law: Floats
    mean: Floats
    discrepancy: Floats
    improvement: Floats
    noise: Floats
    kappa: float

    @property
    def variance(self) -> Floats:
        """Variance of one new run's log loss within each draw, shape (S, P)."""
        delivered = (self.kappa * self.improvement) ** 2
        return self.discrepancy + delivered + self.noise


@dataclass(frozen=True)
class _Conditioned:
    """A group's draws, conditioned on its runs: all that does not depend on the points."""

    spec: ModelSpec
    problem: Problem
    columns: Mapping[str, Floats]
    tau: Floats
    rotated: Floats
    variance: Floats


def _condition(posterior: Posterior, group: int) -> _Conditioned:
    problem = posterior.problems[group]
    columns = {name: values[:, None] for name, values in posterior.coefficients(group).items()}
    sigma = columns["sigma"]
    tau = columns.get("tau", np.zeros_like(sigma))
    fitted = np.log(problem.law.evaluate(problem.ratios, columns))
    rotated = problem.whitening.rotate(problem.log_loss - fitted)
    floor = problem.spec.noise.floor
    variance = np.asarray(variances(problem.whitening.eigenvalues, sigma, tau, floor))
    return _Conditioned(posterior.spec, problem, columns, tau, np.asarray(rotated), variance)


def predict(posterior: Posterior, group: int, inputs: Mapping[str, Floats]) -> Components:
    """Return the predictive components at some points of one group.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    group : int
        Index of the group.
    inputs : mapping of str to array, shape (P,)
        The law's inputs, in their own units.

    Returns
    -------
    Components
        One per draw and point.
    """
    return _components(_condition(posterior, group), inputs)


def _components(given: _Conditioned, inputs: Mapping[str, Floats]) -> Components:
    problem, spec = given.problem, given.spec
    at = positions(problem.law, inputs)
    scaled = ratios(inputs, problem.constants)
    law = np.log(problem.law.evaluate(scaled, given.columns))
    mean, spread = law, np.zeros_like(law)
    if spec.discrepancy is not None:
        loadings = problem.cross_covariance(at) @ _rotation(problem)
        gain = given.tau**2 / given.variance
        mean = law + (gain * given.rotated) @ loadings.T
        own = np.exp(-2.0 * spec.discrepancy.rho * np.minimum(problem.excess(at), 0.0))
        shrink = (given.tau**2 * gain) @ (loadings**2).T
        spread = np.maximum(given.tau**2 * own - shrink, 0.0)
    return Components(
        law=law,
        mean=mean,
        discrepancy=spread,
        improvement=_improvement(problem, given.columns, inputs, law),
        noise=np.asarray(variances(0.0, given.columns["sigma"], 0.0, spec.noise.floor)),
        kappa=spec.discrepancy.kappa if spec.discrepancy else 0.0,
    )


def predictive_draws(
    posterior: Posterior,
    group: int,
    inputs: Mapping[str, Floats],
    n_draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw the log losses of new runs at several points of one group jointly.

    Points share each draw's coefficients, the discrepancy's surface, and the one unknown that says
    how much of the promised improvement arrives; only run-to-run noise is their own.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    group : int
        Index of the group.
    inputs : mapping of str to array, shape (P,)
        The law's inputs.
    n_draws : int
        Draws wanted; the posterior's draws are repeated in turn.
    rng : Generator
        Source of randomness.

    Returns
    -------
    array, shape (n_draws, P)
        Log loss.
    """
    given = _condition(posterior, group)
    parts = _components(given, inputs)
    which = np.arange(n_draws) % len(parts.mean)
    shape = (n_draws, parts.mean.shape[1])
    delivery = parts.kappa * rng.standard_normal((n_draws, 1)) * parts.improvement[which]
    noise = np.sqrt(parts.noise[which]) * rng.standard_normal(shape)
    surface = np.zeros(shape)
    if posterior.spec.discrepancy is not None:
        factors = _surface_factors(given, inputs)
        normal = rng.standard_normal(shape)
        surface = np.einsum("spq,sq->sp", factors[which], normal)
    return np.asarray(parts.mean[which] + delivery + surface + noise)


def _surface_factors(given: _Conditioned, inputs: Mapping[str, Floats]) -> Floats:
    """Return square roots of the discrepancy's conditional covariance, shape (S, P, P)."""
    shape = given.spec.discrepancy
    assert shape is not None
    at = positions(given.problem.law, inputs)
    beyond = given.problem.excess(at)
    prior = kernel(shape, at, at, beyond, beyond)
    loadings = given.problem.cross_covariance(at) @ _rotation(given.problem)
    gain = given.tau**4 / given.variance
    covariance = given.tau[:, :, None] ** 2 * prior - (loadings * gain[:, None, :]) @ loadings.T
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :])


def _rotation(problem: Problem) -> Floats:
    rotation = problem.whitening.rotation
    assert rotation is not None
    return rotation


def _improvement(
    problem: Problem, columns: Mapping[str, Floats], inputs: Mapping[str, Floats], law: Floats
) -> Floats:
    """Return the log improvement promised from the largest fitted compute to each point."""
    beyond = np.maximum(problem.excess(positions(problem.law, inputs)), 0.0)
    back = np.exp(beyond / len(problem.law.inputs))
    nearer = ratios({name: values / back for name, values in inputs.items()}, problem.constants)
    return np.asarray(np.log(problem.law.evaluate(nearer, columns)) - law)
