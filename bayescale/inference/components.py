"""Mixture components of log loss at points: law, discrepancy, delivery and noise, by draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.special import chdtri

from bayescale.inference.conditioned import Conditioned
from bayescale.models.delivery import moved_back
from bayescale.models.density import variances
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem, positions, ratios

_GOLDEN, _SILVER = 0.5 * (np.sqrt(5.0) - 1.0), np.sqrt(2.0) - 1.0
"""Irrational steps: their multiples fill the unit interval evenly."""


@dataclass(frozen=True)
class Components:
    """Mixture components of log loss at some points of one group.

    A share xi of the promised improvement does not arrive (`models.delivery`). The runs beyond the
    largest fitted compute, if there are any, say what it is: its mean is in `mean`.

    Parameters
    ----------
    law : array, shape (S, P)
        Log loss by the law alone.
    mean : array, shape (S, P)
        Law plus the conditional mean of the discrepancy and of what does not arrive.
    discrepancy : array, shape (S, P)
        The discrepancy's conditional variance.
    improvement : array, shape (S, P)
        Log improvement promised beyond the largest fitted compute, along constant D/N, less what
        of it the discrepancy takes up.
    noise : array, shape (S, 1) or (S, P)
        Variance of run-to-run noise; by point where it is Student-t.
    share : array, shape (S, 1)
        Conditional standard deviation of the share of `improvement` that does not arrive.
    """

    law: Floats
    mean: Floats
    discrepancy: Floats
    improvement: Floats
    noise: Floats
    share: Floats

    @property
    def variance(self) -> Floats:
        """Variance of one new run's log loss within each draw, shape (S, P)."""
        delivered = (self.share * self.improvement) ** 2
        return self.discrepancy + delivered + self.noise

    def taking(self, from_other: np.ndarray, row: np.ndarray, other: Components) -> Components:
        """Return components of which some draws are another's: draw s is `row[s]` of its own."""
        merged = {}
        for part in fields(self):
            mine, theirs = getattr(self, part.name), getattr(other, part.name)
            merged[part.name] = mine.copy()
            merged[part.name][from_other] = theirs[row[from_other]]
        return Components(**merged)

    @property
    def sd(self) -> Floats:
        """Standard deviation of one new run's log loss over all draws, shape (P,)."""
        return np.asarray(np.sqrt(self.variance.mean(axis=0) + self.mean.var(axis=0)))

    def moved(self, centre: Floats, factor: Floats) -> Components:
        """Return the components about another centre (P,), all widened by factors (P,)."""
        return replace(
            self,
            mean=centre + factor * (self.mean - self.mean.mean(axis=0)),
            discrepancy=self.discrepancy * factor**2,
            improvement=self.improvement * factor,
            noise=self.noise * factor**2,
        )


def components(given: Conditioned, inputs: Mapping[str, Floats]) -> Components:
    """Return the predictive components at some points; see `forecasts.predict.predict`."""
    problem, spec = given.problem, given.spec
    at = positions(problem.law, inputs)
    scaled = ratios(inputs, problem.constants)
    law = np.asarray(problem.law.link(problem.law.evaluate(scaled, given.columns)))
    improvement = _improvement(problem, given.columns, inputs, law)
    mean, spread = law, np.zeros_like(law)
    if spec.discrepancy is not None:
        loadings = problem.cross_covariance(at) @ rotation(problem)
        gain = given.tau**2 / given.variance
        mean = law + given.common(at) + (gain * given.rotated) @ loadings.T
        if problem.reaches_beyond:
            # What the runs say of xi is in their residuals too, which the surface interpolates.
            mean = mean + given.share.mean * improvement
            improvement = improvement - (gain * given.share.promise) @ loadings.T
        own = problem.own_variance(at)
        shrink = (given.tau**2 * gain) @ (loadings**2).T
        spread = np.maximum(given.tau**2 * own - shrink, 0.0)
    return Components(
        law=law,
        mean=mean,
        discrepancy=spread,
        improvement=improvement,
        noise=_noise(given, law.shape[1]),
        share=given.share.sd,
    )


def _noise(given: Conditioned, n_points: int) -> Floats:
    """Return the variance of run-to-run noise by draw.

    A Student-t variable is a normal one whose variance is drawn first: every draw of the posterior
    takes another quantile of it, in an order that differs by point.
    """
    noise = given.spec.noise
    variance = np.asarray(variances(0.0, given.columns["sigma"], 0.0, noise.floor))
    if noise.nu is None:
        return variance
    steps = np.arange(len(variance))[:, None] + 0.5
    probability = (steps * _GOLDEN + np.arange(n_points) * _SILVER) % 1.0
    return np.asarray(variance * noise.nu / chdtri(noise.nu, probability))


def rotation(problem: Problem) -> Floats:
    """Return the rotation that whitens a group's discrepancy, shape (n, n)."""
    found = problem.whitening.rotation
    assert found is not None
    return found


def _improvement(
    problem: Problem, columns: Mapping[str, Floats], inputs: Mapping[str, Floats], law: Floats
) -> Floats:
    """Return the log improvement promised from the largest fitted compute to each point."""
    back = moved_back(problem.law, inputs, problem.excess(positions(problem.law, inputs)))
    nearer = ratios(back, problem.constants)
    return np.asarray(problem.law.link(problem.law.evaluate(nearer, columns)) - law)
