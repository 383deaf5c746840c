"""The log density of a model: one likelihood for every engine, and its NumPy posterior.

`log_likelihood` is written with `laws.ops` and plain arithmetic: `models.build` hands it PyTensor
variables, `Density` hands it batches of draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from bayescale.laws import Prior
from bayescale.laws.ops import (
    Array,
    from_unconstrained,
    log,
    log1p,
    log_jacobian,
    to_unconstrained,
)
from bayescale.models.delivery import log_evidence, promised, undelivered
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem

_LOG_2PI = float(np.log(2.0 * np.pi))

_BLOCK = 100_000
"""Values of a law worked out together: so many, and what comes between, stay in a core's cache."""


def variances(eigenvalues: Array, sigma: Array, tau: Array, floor: float) -> Array:
    """Return the variance of each rotated residual: tau^2 lambda + sigma^2 + floor^2."""
    return tau**2 * eigenvalues + sigma**2 + floor**2


def log_likelihood(
    rotated: Array, variance: Array, log_scale: Array, nu: float | None = None
) -> Array:
    """Return the log likelihood of log losses.

    Parameters
    ----------
    rotated : array, shape (..., n)
        Residuals of log loss in the coordinates of `Whitening`.
    variance : array, shape (..., n)
        Their variances; squared scales where the noise is Student-t.
    log_scale : array
        `Whitening.log_scale`, summed over groups.
    nu : float, optional
        Degrees of freedom of Student-t noise; None for normal noise.

    Returns
    -------
    array, shape (...)
        Summed over runs, constants included.
    """
    return -0.5 * deviances(rotated, variance, nu).sum(axis=-1) - log_scale


def deviances(rotated: Array, variance: Array, nu: float | None = None) -> Array:
    """Return minus twice the log density of each rotated residual, shape (..., n)."""
    if nu is None:
        return rotated**2 / variance + log(variance) + _LOG_2PI
    tails = (nu + 1.0) * log1p(rotated**2 / (nu * variance))
    return tails + log(variance) + _student_t_constant(nu)


def _student_t_constant(nu: float) -> float:
    """Return minus twice the log density of a standard Student-t variable at zero."""
    gammas = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu)
    return math.log(nu * math.pi) - 2.0 * gammas


class Density:
    """The unconstrained log posterior of one group, for batches of draws.

    Coordinates are the law's coefficients, then sigma, then tau where there is a discrepancy, each
    mapped to the real line by its support.

    Parameters
    ----------
    problem : Problem
        Runs and model.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        spec, law, coordinates = problem.spec, problem.law, problem.coordinates
        self.priors: dict[str, Prior] = {**coordinates, **spec.scale_priors}
        self.symbols = tuple(self.priors)
        self.supports = tuple(prior.support for prior in self.priors.values())
        self.n_law = len(coordinates)
        self._replaced = {law.derived[q]: (q, p) for q, p in (spec.derived_priors or {}).items()}
        self._set_normal_coordinates()

    def _set_normal_coordinates(self) -> None:
        """Find the coordinates whose prior is normal: there Jacobian and density cancel."""
        level = self.problem.constants.level
        found = {
            k: normal
            for k, symbol in enumerate(self.symbols)
            if symbol not in self._replaced
            and (normal := self.priors[symbol].normal_on_coordinate(level)) is not None
        }
        self._normal = np.array(list(found), dtype=int)
        self._other = np.setdiff1d(np.arange(len(self.symbols)), self._normal)
        self._mu, self._sigma = np.array(list(found.values())).reshape(-1, 2).T
        self._constant = float(np.log(self._sigma).sum() + 0.5 * len(found) * _LOG_2PI)

    def constrain(self, x: Floats) -> dict[str, Floats]:
        """Return coefficients by symbol, each shape (S, 1), for coordinates x of shape (S, P)."""
        return {
            symbol: from_unconstrained(x[:, [k]], self.supports[k])
            for k, symbol in enumerate(self.symbols)
        }

    def unconstrain(self, values: Mapping[str, float]) -> Floats:
        """Return the coordinates of one point, shape (1, P), for its values by symbol."""
        pairs = zip(self.symbols, self.supports, strict=True)
        return np.array([[float(to_unconstrained(values[s], support)) for s, support in pairs]])

    def log_loss(self, x: Floats, inputs: Mapping[str, Floats] | None = None) -> Floats:
        """Return the law's output, linked, shape (S, n), at the runs or at other input ratios."""
        at = self.problem.ratios if inputs is None else inputs
        points = max((np.shape(v)[-1] for v in at.values() if np.ndim(v)), default=1)
        rows = max(1, _BLOCK // max(1, points))
        if len(x) > rows:
            parts = [self.log_loss(x[k : k + rows], at) for k in range(0, len(x), rows)]
            return np.concatenate(parts)
        law, values = self.problem.law, self.constrain(x)
        return np.asarray(law.link(law.evaluate(at, self.problem.coefficients(values, at))))

    def variances(self, x: Floats) -> Floats:
        """Return the variances of the rotated residuals, shape (S, n)."""
        scales = np.exp(x[:, self.n_law :])
        tau = scales[:, [1]] if scales.shape[1] > 1 else np.zeros((len(x), 1))
        eigenvalues = self.problem.whitening.eigenvalues
        return np.asarray(
            variances(eigenvalues, scales[:, [0]], tau, self.problem.spec.noise.floor)
        )

    def rotated(self, x: Floats) -> Floats:
        """Return the rotated residuals of log loss, shape (S, n)."""
        residuals = self.problem.log_loss - self.log_loss(x)
        return np.asarray(self.problem.whitening.rotate(residuals))

    def promised(self, x: Floats) -> Floats:
        """Return the rotated improvement promised to each run from c*, shape (S, n)."""
        found, values = self.problem, self.constrain(x)
        promise = promised(found.law, found.ratios, found.ratios_at_edge, values)
        return np.asarray(found.whitening.rotate(promise))

    def undelivered(
        self, x: Floats, rotated: Floats, variance: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Return mean and variance of xi, both (S, 1), and what `promised` returns."""
        promise = self.promised(x)
        return *undelivered(rotated, variance, promise, self.problem.kappa, _of_group), promise

    def log_likelihood(self, x: Floats) -> Floats:
        """Return the log likelihood at coordinates x (S, P), shape (S,)."""
        rotated, variance = self.rotated(x), self.variances(x)
        log_scale, nu = self.problem.whitening.log_scale, self.problem.spec.noise.nu
        value = log_likelihood(rotated, variance, log_scale, nu)
        if not self.problem.reaches_beyond:
            return np.asarray(value)
        mean, spread, _ = self.undelivered(x, rotated, variance)
        return np.asarray(value + log_evidence(mean, spread, self.problem.kappa)[:, 0])

    def log_prior(self, x: Floats) -> Floats:
        """Return the log prior density of coordinates x (S, P), Jacobians included, shape (S,)."""
        z = (x[:, self._normal] - self._mu) / self._sigma
        total = np.asarray(-0.5 * (z**2).sum(axis=1) - self._constant)
        for term in self._other_terms(x):
            total += term
        return total

    @property
    def normal_coordinates(self) -> tuple[np.ndarray, Floats, Floats]:
        """Positions of the coordinates whose prior is normal there, their means and sds."""
        return self._normal, self._mu, self._sigma

    def log_prior_of_others(self, x: Floats) -> Floats:
        """Return the log prior density of all other coordinates of x (S, P), shape (S,)."""
        return np.asarray(sum(self._other_terms(x), np.zeros(len(x))))

    def _other_terms(self, x: Floats) -> Iterator[Floats]:
        if not len(self._other):
            return
        values = self.constrain(x)
        for k in self._other:
            yield np.squeeze(self._log_prior_of(self.symbols[k], values), axis=1)
            yield log_jacobian(x[:, k], self.supports[k])

    def _log_prior_of(self, symbol: str, values: Mapping[str, Floats]) -> Floats:
        level = self.problem.constants.level
        if symbol not in self._replaced:
            return np.asarray(self.priors[symbol].logpdf(values[symbol], level))
        _, prior = self._replaced[symbol]
        return product_prior(prior, values[symbol], values[self.symbols[0]], level)

    def __call__(self, x: Floats) -> Floats:
        """Return the log posterior at coordinates x (S, P), shape (S,); -inf if undefined."""
        with np.errstate(all="ignore"):
            value = self.log_prior(x) + self.log_likelihood(x)
        return np.where(np.isfinite(value), value, -np.inf)

    def sample_prior(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Return draws from the prior in unconstrained coordinates, shape (n_draws, P).

        A prior on a derived quantity is drawn by inverting its truncated distribution.
        """
        return self.prior_quantiles(rng.uniform(1e-9, 1 - 1e-9, (n_draws, len(self.symbols))))

    def prior_quantiles(self, p: Floats) -> Floats:
        """Return unconstrained coordinates at prior probabilities p of shape (S, P)."""
        level, columns = self.problem.constants.level, []
        first = np.asarray(self.priors[self.symbols[0]].quantile(p[:, 0], level))
        for k, symbol in enumerate(self.symbols):
            if symbol in self._replaced:
                value = product_quantile(self._replaced[symbol][1], p[:, k], first, level)
            else:
                value = np.asarray(self.priors[symbol].quantile(p[:, k], level))
            columns.append(to_unconstrained(value, self.supports[k]))
        return np.column_stack(columns)


def _of_group(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=-1, keepdims=True))


def product_prior(prior: Prior, share: Floats, whole: Floats, level: float) -> Floats:
    """Return the log density of a share in (0, 1) whose product with `whole` has a prior.

    The product is truncated to (0, whole); the density is normalised, Jacobian included.
    """
    below = prior.logcdf(whole, level)
    if prior.support == "real":
        below = below + np.log1p(-np.exp(prior.logcdf(np.zeros_like(whole), level) - below))
    return np.asarray(prior.logpdf(share * whole, level) + np.log(whole) - below)


def product_quantile(prior: Prior, p: Floats, whole: Floats, level: float) -> Floats:
    """Return the share below which a probability `p` of `product_prior` lies."""
    low = np.exp(prior.logcdf(np.zeros_like(whole), level)) if prior.support == "real" else 0.0
    high = np.exp(prior.logcdf(whole, level))
    product = prior.quantile(low + p * (high - low), level)
    return np.asarray(np.clip(product / whole, 1e-12, 1 - 1e-12))
