"""Means and variances of a curve, draw by draw: the law, its drift, and what a job has shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.inference.curve_posterior import CurveFit
from bayescale.models.curve_problem import CurveProblem, thin
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.drift import Places
from bayescale.runs.curves import Curve
from bayescale.runs.schedule import Schedule

OBSERVED_POINTS = 40
"""Points kept of a running job."""


@dataclass(frozen=True)
class Predicted:
    """Normal components on the linked scale, one a draw.

    Parameters
    ----------
    mean, variance : array, shape (S, m)
        At each step.
    ess : float
        Effective draws behind them.
    """

    mean: Floats
    variance: Floats
    ess: float


def predict_curve(
    fit: CurveFit,
    at: Floats,
    run: str,
    schedule: Schedule | None,
    observed: Curve | None,
    smooth: bool,
) -> Predicted:
    """Return the predictive distribution of a run under one law; see `forecast_curve`."""
    problem, density = fit.problem, Density(fit.problem)
    curve = _Conditional(density, fit.x)
    places = problem.places_of(at, run, schedule)
    target = _Points(problem, places, problem.inputs_at(at, schedule), at)
    mean, variance = curve.mean(target), curve.variance(target, schedule)
    weights = np.full(len(fit.x), 1.0 / len(fit.x))
    if observed is not None:
        part = thin(problem.law, observed, problem.constants.reference, OBSERVED_POINTS)
        seen_at = problem.constants.reference["at"] * np.exp(part.x)
        places = problem.places_of(seen_at, run, schedule)
        seen = _Points(problem, places, dict(part.inputs), seen_at)
        shift, less, fits = curve.told(target, seen, part.y, part.weights, schedule)
        mean, variance = mean + shift, variance - less
        weights = np.exp(fits - fits.max())
        weights /= weights.sum()
    if not smooth:
        variance = variance + curve.noise * problem.noise_scale(mean)
    ess = float(1.0 / (weights @ weights))
    rows = _systematic(weights)
    return Predicted(mean[rows], np.maximum(variance[rows], 1e-12), ess)


def _systematic(weights: Floats) -> np.ndarray:
    """Return as many rows as there are draws, each as often as its weight says."""
    steps = (np.arange(len(weights)) + 0.5) / len(weights)
    return np.minimum(np.searchsorted(np.cumsum(weights), steps), len(weights) - 1)


@dataclass(frozen=True)
class _Points:
    problem: CurveProblem
    places: Places
    inputs: dict[str, Floats]
    at: Floats


class _Conditional:
    """The error of a group given its fitted curves, for every draw."""

    def __init__(self, density: Density, x: Floats) -> None:
        self._density, self._x = density, x
        self._problem: CurveProblem = density.problem  # type: ignore[assignment]
        scales = np.exp(2.0 * x[:, density.n_law :])
        self._tau2 = scales[:, [1]]
        self.noise = scales[:, [0]] + self._problem.spec.noise.floor**2
        self._precision = 1.0 / density.variances(x)
        self._pull = density.rotated(x) * self._precision

    def _seen(self, points: _Points) -> Floats:
        """Return unit-tau covariances with the fitted points, rotated, (m, n)."""
        rotate = self._problem.whitening.rotate
        return np.asarray(rotate(self._problem.covariance(points.places, self._problem.places)))

    def mean(self, points: _Points) -> Floats:
        """Return the linked output at points, (S, m)."""
        law = self._density.log_loss(self._x, points.inputs)
        return np.asarray(law + self._tau2 * (self._pull @ self._seen(points).T))

    def variance(self, points: _Points, schedule: Schedule | None) -> Floats:
        """Return its variance without noise, (S, m)."""
        own = np.diag(self._problem.covariance(points.places, points.places))
        known = self._precision @ (self._seen(points) ** 2).T
        beyond = (self._problem.kappa * self._promised(points, schedule)) ** 2
        return np.asarray(self._tau2 * own - self._tau2**2 * known + beyond)

    def told(
        self,
        points: _Points,
        seen: _Points,
        y: Floats,
        counts: Floats,
        schedule: Schedule | None,
    ) -> tuple[Floats, Floats, Floats]:
        """Return what observed points add to mean and take from variance, and their log density.

        Shapes (S, m), (S, m) and (S,).
        """
        own = self._covariance(seen, seen, schedule)
        own += self.noise[:, :, None] * np.diag(self._problem.noise_scale(y) / counts)
        factor = np.linalg.cholesky(own)
        residual = (y - self.mean(seen))[:, :, None]
        z = np.linalg.solve(factor, residual)
        cross = np.linalg.solve(factor, self._covariance(seen, points, schedule))
        log_density = -0.5 * (z**2).sum(axis=(1, 2))
        log_density -= np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        return (cross * z).sum(axis=1), (cross**2).sum(axis=1), log_density

    def _covariance(self, points: _Points, others: _Points, schedule: Schedule | None) -> Floats:
        """Return covariances without noise, (S, m, k)."""
        prior = self._problem.covariance(points.places, others.places)
        left, right = self._seen(points), self._seen(others)
        known = (left[None] * self._precision[:, None, :]) @ right.T
        tau2, kappa2 = self._tau2[:, :, None], self._problem.kappa**2
        promised = self._promised(points, schedule)[:, :, None]
        others_promised = self._promised(others, schedule)[:, None, :]
        return np.asarray(tau2 * prior - tau2**2 * known + kappa2 * promised * others_promised)

    def _promised(self, points: _Points, schedule: Schedule | None) -> Floats:
        """Return what the law promises a run beyond the last fitted step, (S, m); zero before."""
        edge = self._problem.constants.reference["at"]
        beyond = points.at > edge
        promised = np.zeros((len(self._x), len(points.at)))
        if self._problem.kappa and beyond.any():
            ends = (points.at[beyond], np.full(1, edge))
            far, near = (
                self._density.log_loss(self._x, self._problem.inputs_at(at, schedule))
                for at in ends
            )
            promised[:, beyond] = far - near
        return promised
