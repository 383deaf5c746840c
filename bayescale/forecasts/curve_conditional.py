"""What the fitted curves of a group say of any of its runs, for every draw: exact and normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.inference.curve_fit import CurveFit
from bayescale.models.curve_problem import CurveProblem, thin
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.drift import Places
from bayescale.runs.curves import Curve
from bayescale.runs.schedule import Schedule


@dataclass(frozen=True)
class Stretch:
    """Steps of one run, made ready for a problem.

    Parameters
    ----------
    at : array, shape (m,)
        The steps.
    places : Places
        Where they stand.
    inputs : dict of str to array
        What the law reads there.
    schedule : Schedule or None
        Learning rate of the run.
    """

    at: Floats
    places: Places
    inputs: dict[str, Floats]
    schedule: Schedule | None


@dataclass(frozen=True)
class Seen:
    """What a run has shown: a stretch of it, means there, and the measurements behind each.

    Parameters
    ----------
    stretch : Stretch
        Where.
    y, counts : array, shape (m,)
        Linked outputs, and how many measurements each is the mean of.
    """

    stretch: Stretch
    y: Floats
    counts: Floats


def stretch_of(problem: CurveProblem, at: Floats, run: str, schedule: Schedule | None) -> Stretch:
    """Return steps of a run, of a name that was fitted or a new one."""
    places = problem.places_of(at, run, schedule)
    return Stretch(at, places, problem.inputs_at(at, schedule, places.run), schedule)


def seen_of(problem: CurveProblem, observed: Curve, points: int) -> Seen:
    """Return what a run has shown, as at most so many means."""
    clock = problem.clock_of(observed.run)
    part = thin(problem.law, observed, {**problem.constants.reference, "at": clock}, points)
    at = clock * np.exp(part.x)
    places = problem.places_of(at, observed.run, observed.schedule)
    inputs = problem.indexed(part.inputs, places.run)
    stretch = Stretch(at, places, inputs, observed.schedule)
    return Seen(stretch, part.y, part.weights)


class Conditional:
    """A group's curves given its fitted points.

    Parameters
    ----------
    fit : CurveFit
        One law on the group.
    """

    def __init__(self, fit: CurveFit) -> None:
        self._problem, self._x = fit.problem, fit.x
        self._density = density = Density(fit.problem)
        scales = np.exp(2.0 * fit.x[:, density.n_law :])
        self._tau2 = scales[:, [1]]
        self._noise = scales[:, [0]] + self._problem.spec.noise.floor**2
        self._precision = 1.0 / density.variances(fit.x)
        self._pull = density.rotated(fit.x) * self._precision

    def mean(self, stretch: Stretch) -> Floats:
        """Return the linked output, (S, m)."""
        law = self._density.log_loss(self._x, stretch.inputs)
        return np.asarray(law + self._tau2 * (self._pull @ self._with_fitted(stretch).T))

    def variance(self, stretch: Stretch) -> Floats:
        """Return its variance without noise, (S, m)."""
        own = np.diag(self._problem.covariance(stretch.places, stretch.places))
        known = self._precision @ (self._with_fitted(stretch) ** 2).T
        beyond = (self._problem.kappa * self._promised(stretch)) ** 2
        return np.asarray(self._tau2 * own - self._tau2**2 * known + beyond)

    def covariance(self, stretch: Stretch, other: Stretch) -> Floats:
        """Return covariances of two stretches without noise, (S, m, k)."""
        prior = self._problem.covariance(stretch.places, other.places)
        left, right = self._with_fitted(stretch), self._with_fitted(other)
        known = (left[None] * self._precision[:, None, :]) @ right.T
        tau2, kappa2 = self._tau2[:, :, None], self._problem.kappa**2
        promised, others = self._promised(stretch)[:, :, None], self._promised(other)[:, None, :]
        return np.asarray(tau2 * prior - tau2**2 * known + kappa2 * promised * others)

    def noise(self, mean: Floats) -> Floats:
        """Return the noise variance of one measurement where the linked output is `mean` (S, m)."""
        return np.asarray(self._noise * self._problem.noise_scale(mean))

    def told(self, stretch: Stretch, seen: Seen) -> tuple[Floats, Floats, Floats]:
        """Return what observed points add to mean and take from variance, and their log density.

        Shapes (S, m), (S, m) and (S,).
        """
        own = self.covariance(seen.stretch, seen.stretch)
        noise = np.diag(self._problem.noise_scale(seen.y) / seen.counts)
        factor = np.linalg.cholesky(own + self._noise[:, :, None] * noise)
        residual = (seen.y - self.mean(seen.stretch))[:, :, None]
        z = np.linalg.solve(factor, residual)
        cross = np.linalg.solve(factor, self.covariance(seen.stretch, stretch))
        log_density = -0.5 * (z**2).sum(axis=(1, 2))
        log_density -= np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        return (cross * z).sum(axis=1), (cross**2).sum(axis=1), log_density

    def _with_fitted(self, stretch: Stretch) -> Floats:
        """Return unit-tau covariances with the fitted points, rotated, (m, n)."""
        rotate = self._problem.whitening.rotate
        return np.asarray(rotate(self._problem.covariance(stretch.places, self._problem.places)))

    def _promised(self, stretch: Stretch) -> Floats:
        """Return what the law promises a run beyond the last fitted step, (S, m); zero before."""
        edge = self._problem.clocks_of(stretch.places.run)
        beyond = stretch.at > edge
        promised = np.zeros((len(self._x), len(stretch.at)))
        if self._problem.kappa and beyond.any():
            run = stretch.places.run[beyond]
            far, near = (
                self._density.log_loss(
                    self._x, self._problem.inputs_at(at, stretch.schedule, run[: len(at)])
                )
                for at in (stretch.at[beyond], edge[beyond][:1])
            )
            promised[:, beyond] = far - near
        return promised
