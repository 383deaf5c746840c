"""The predictive distribution of log loss, draw by draw: law, discrepancy, delivery and noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayescale.forecasts.hedging import hedged_rows
from bayescale.forecasts.versions import Versions, normals
from bayescale.inference.components import Components, components, rotation
from bayescale.inference.conditioned import Conditioned, condition
from bayescale.inference.guard import guarded_groups, posterior_alone, share_alone
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import positions


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

    To the centre and the standard deviation that the group has alone, as far as it is forecast so.
    A group without either takes the factor of the sibling cut alike that is widened most, about its
    own centre.
    """
    guarded = np.isfinite(next(iter(posterior.alone.values()))[0, 0])
    centre, widest = pooled.mean.mean(axis=0), np.ones(pooled.mean.shape[1])
    if len(posterior.problems[group]) and not guarded[group]:
        return centre, widest
    cut_alike = [g for g in guarded_groups(posterior.problems) if guarded[g]]
    for g in [group] if len(posterior.problems[group]) else cut_alike:
        share = share_alone(posterior, g, inputs)
        mine = pooled if g == group else components(condition(posterior, g), inputs)
        single = components(condition(posterior_alone(posterior, g), 0), inputs)
        if g == group:
            centre = centre + share * (single.mean.mean(axis=0) - centre)
        widest = np.maximum(widest, (single.sd / mine.sd) ** share)
    return centre, widest


def _surface_factors(given: Conditioned, inputs: Mapping[str, Floats]) -> Floats:
    """Return Cholesky factors of the discrepancy's conditional covariance, shape (S, P, P).

    A billionth of the prior variance is added, far below the noise: the surface at a fitted run, or
    at the same place twice, has none left of its own.
    """
    at = positions(given.problem.law, inputs)
    prior = given.problem.own_covariance(at, at)
    prior += 1e-9 * np.diag(np.diag(prior))
    loadings = given.problem.cross_covariance(at) @ rotation(given.problem)
    gain = given.tau**4 / given.variance
    covariance = given.tau[:, :, None] ** 2 * prior - (loadings * gain[:, None, :]) @ loadings.T
    return np.asarray(np.linalg.cholesky(covariance))


def surface_covariance(given: Conditioned, inputs: Mapping[str, Floats]) -> Floats:
    """Return the discrepancy's conditional covariance at points, averaged over draws, (P, P)."""
    at = positions(given.problem.law, inputs)
    loadings = given.problem.cross_covariance(at) @ rotation(given.problem)
    gain = (given.tau**4 / given.variance).mean(axis=0)
    prior = (given.tau**2).mean() * given.problem.own_covariance(at, at)
    return np.asarray(prior - (loadings * gain) @ loadings.T)
