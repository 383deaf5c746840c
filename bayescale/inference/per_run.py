"""What ArviZ's checks of a fit ask for: run by run, its likelihood and what would be measured anew.

Runs of a group err together, by the law's own error and by trunks that they share, so that the
likelihood is no product over runs: that of a run is given all others at the same draw.

References
----------
Buerkner, Gabry and Vehtari (2021), Efficient leave-one-out cross-validation for Bayesian
non-factorized normal and Student-t models, Computational Statistics 36, equations 14 to 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayescale.inference.conditioned import Conditioned, condition
from bayescale.models.density import deviances
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from bayescale.inference.posterior import Posterior


def per_run(posterior: Posterior, seed: int = 0) -> tuple[Floats, Floats]:
    """Return log likelihoods and replicates of every run, both (draws, runs), groups in turn.

    A replicate has the draw's law and what siblings share of its error; the group's own error, the
    share that does not arrive and noise are drawn anew.

    Parameters
    ----------
    posterior : Posterior
        The fit; its hedge is left out.
    seed : int
        Seed of the replicates.
    """
    rng = np.random.default_rng(seed)
    groups = [condition(posterior, group) for group in range(len(posterior.labels))]
    likelihoods = [_log_likelihood(given) for given in groups]
    replicates = [_replicates(given, rng) for given in groups]
    return np.concatenate(likelihoods, axis=1), np.concatenate(replicates, axis=1)


def _log_likelihood(given: Conditioned) -> Floats:
    nu, rotation = given.spec.noise.nu, given.problem.whitening.rotation
    if rotation is None and not given.problem.reaches_beyond:
        return np.asarray(-0.5 * deviances(given.rotated, given.variance, nu))
    rotation = np.eye(len(given.problem)) if rotation is None else rotation
    pull = (given.rotated / given.variance) @ rotation.T
    told = (given.share.promise / given.variance) @ rotation.T
    precision = (1.0 / given.variance) @ (rotation**2).T - (given.share.sd * told) ** 2
    # Under Student-t noise of runs that share a trunk this is the normal of the same scale.
    return np.asarray(0.5 * np.log(precision / (2.0 * np.pi)) - 0.5 * pull**2 / precision)


def _replicates(given: Conditioned, rng: np.random.Generator) -> Floats:
    problem, nu = given.problem, given.spec.noise.nu
    shape = given.variance.shape
    drawn = rng.standard_normal(shape) if nu is None else rng.standard_t(nu, shape)
    measured = given.rotated + given.share.mean * given.share.promise
    anew = np.asarray(np.sqrt(given.variance) * drawn)
    if problem.reaches_beyond:
        anew += problem.kappa * rng.standard_normal((len(anew), 1)) * given.share.promise
    moved, rotation = anew - measured, problem.whitening.rotation
    back = moved if rotation is None else np.linalg.solve(rotation.T, moved.T).T
    return np.asarray(problem.log_loss + back)
