"""The predictive distribution of log loss, draw by draw: law, discrepancy, delivery and noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.special import chdtri

from bayescale.forecasts.hedging import hedged_rows
from bayescale.forecasts.versions import Versions, normals
from bayescale.inference.conditioned import Conditioned, condition
from bayescale.inference.guard import posterior_alone
from bayescale.inference.posterior import Posterior
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
    own = components(condition(posterior, group), inputs)
    if posterior.alone:
        own = own.moved(*_as_alone(posterior, group, inputs, own))
    if posterior.hedge is None:
        return own
    is_hedge, row = hedged_rows(posterior)
    return own.taking(is_hedge, row, predict(posterior.hedge, group, inputs))


def components(given: Conditioned, inputs: Mapping[str, Floats]) -> Components:
    """Return the predictive components at some points; see `predict`."""
    problem, spec = given.problem, given.spec
    at = positions(problem.law, inputs)
    scaled = ratios(inputs, problem.constants)
    law = np.asarray(problem.law.link(problem.law.evaluate(scaled, given.columns)))
    improvement = _improvement(problem, given.columns, inputs, law)
    mean, spread = law, np.zeros_like(law)
    if spec.discrepancy is not None:
        loadings = problem.cross_covariance(at) @ _rotation(problem)
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


def predictive_draws(
    posterior: Posterior,
    group: int,
    inputs: Mapping[str, Floats],
    n_draws: int,
    rng: np.random.Generator,
    *,
    noise: bool = True,
    versions: Versions | None = None,
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
    noise : bool
        Leave the run-to-run noise out when false: the expected log loss of a run.
    versions : Versions, optional
        Which points are other sizes of an earlier one.

    Returns
    -------
    array, shape (n_draws, P)
        Log loss.
    """
    which = np.arange(n_draws) % posterior.n_draws
    if posterior.hedge is None:
        return _joint_draws(posterior, group, inputs, which, rng, noise, versions)
    is_hedge, row = (values[which] for values in hedged_rows(posterior))
    out = np.empty((n_draws, len(next(iter(inputs.values())))))
    for whose, taken in ((posterior, ~is_hedge), (posterior.hedge, is_hedge)):
        out[taken] = _joint_draws(whose, group, inputs, row[taken], rng, noise, versions)
    return out


def _joint_draws(
    posterior: Posterior,
    group: int,
    inputs: Mapping[str, Floats],
    which: np.ndarray,
    rng: np.random.Generator,
    noise: bool,
    versions: Versions | None,
) -> Floats:
    given = condition(posterior, group)
    parts = components(given, inputs)
    shape = (len(which), parts.mean.shape[1])
    delivery = parts.share[which] * rng.standard_normal((len(which), 1)) * parts.improvement[which]
    own: Floats | float = 0.0
    if noise:
        own = np.sqrt(parts.noise[which]) * normals(rng, shape, versions, shared=True)
    surface = np.zeros(shape)
    if posterior.spec.discrepancy is not None:
        factors = _surface_factors(given, inputs)
        normal = normals(rng, shape, versions, shared=False)
        surface = np.einsum("spq,sq->sp", factors[which], normal)
    drawn = np.asarray(parts.mean[which] + delivery + surface + own)
    if not posterior.alone:
        return drawn
    centre, factor = _as_alone(posterior, group, inputs, parts)
    return np.asarray(centre + factor * (drawn - parts.mean.mean(axis=0)))


def _as_alone(
    posterior: Posterior, group: int, inputs: Mapping[str, Floats], pooled: Components
) -> tuple[Floats, Floats]:
    """Return a guarded group's centre, and by how much its forecasts are widened, both (P,).

    To the centre and the standard deviation that the group has alone. A group without either takes
    the factor of the guarded sibling that is widened most, about its own centre.
    """
    guarded = np.isfinite(next(iter(posterior.alone.values()))[0, 0])
    centre, widest = pooled.mean.mean(axis=0), np.ones(pooled.mean.shape[1])
    if len(posterior.problems[group]) and not guarded[group]:
        return centre, widest
    for g in [group] if len(posterior.problems[group]) else np.flatnonzero(guarded).tolist():
        mine = pooled if g == group else components(condition(posterior, g), inputs)
        single = components(condition(posterior_alone(posterior, g), 0), inputs)
        centre = single.mean.mean(axis=0) if g == group else centre
        widest = np.maximum(widest, single.sd / mine.sd)
    return centre, widest


def _surface_factors(given: Conditioned, inputs: Mapping[str, Floats]) -> Floats:
    """Return Cholesky factors of the discrepancy's conditional covariance, shape (S, P, P).

    A billionth of the prior variance is added, far below the noise: the surface at a fitted run, or
    at the same place twice, has none left of its own.
    """
    at = positions(given.problem.law, inputs)
    prior = given.problem.own_covariance(at, at)
    prior += 1e-9 * np.diag(np.diag(prior))
    loadings = given.problem.cross_covariance(at) @ _rotation(given.problem)
    gain = given.tau**4 / given.variance
    covariance = given.tau[:, :, None] ** 2 * prior - (loadings * gain[:, None, :]) @ loadings.T
    return np.asarray(np.linalg.cholesky(covariance))


def surface_covariance(given: Conditioned, inputs: Mapping[str, Floats]) -> Floats:
    """Return the discrepancy's conditional covariance at points, averaged over draws, (P, P)."""
    at = positions(given.problem.law, inputs)
    loadings = given.problem.cross_covariance(at) @ _rotation(given.problem)
    gain = (given.tau**4 / given.variance).mean(axis=0)
    prior = (given.tau**2).mean() * given.problem.own_covariance(at, at)
    return np.asarray(prior - (loadings * gain) @ loadings.T)


def _rotation(problem: Problem) -> Floats:
    rotation = problem.whitening.rotation
    assert rotation is not None
    return rotation


def _improvement(
    problem: Problem, columns: Mapping[str, Floats], inputs: Mapping[str, Floats], law: Floats
) -> Floats:
    """Return the log improvement promised from the largest fitted compute to each point."""
    back = moved_back(problem.law, inputs, problem.excess(positions(problem.law, inputs)))
    nearer = ratios(back, problem.constants)
    return np.asarray(problem.law.link(problem.law.evaluate(nearer, columns)) - law)
