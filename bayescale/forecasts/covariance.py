"""How the losses of runs not yet made move together: means and covariances without sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayescale.forecasts.points import Points
from bayescale.forecasts.predict import predict, surface_covariance
from bayescale.inference.components import Components, components
from bayescale.inference.conditioned import condition
from bayescale.inference.posterior import Posterior
from bayescale.inference.threads import one_thread
from bayescale.models.discrepancy import Floats


@dataclass(frozen=True)
class Joint:
    """First two moments of log losses, over the posterior and all that is unknown beyond it.

    Parameters
    ----------
    mean : array, shape (P,)
        Expected log loss.
    covariance : array, shape (P, P)
        Of the log losses without run-to-run noise.
    noise : array, shape (P,)
        Variance of run-to-run noise.
    """

    mean: Floats
    covariance: Floats
    noise: Floats


def joint_moments(posterior: Posterior, points: Points) -> Joint:
    """Return the predictive moments of log loss at several points.

    By the law of total covariance: what each draw leaves unknown, averaged, and how the draws'
    means differ. Groups share what the draws share. Variances are those of `predict`, widened or
    hedged as it says; what a draw leaves unknown is correlated as under the fit itself.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    points : Points
        Where.
    """
    n_points = len(points)
    means = np.empty((posterior.n_draws, n_points))
    covariance, noise = np.zeros((n_points, n_points)), np.empty(n_points)
    groups = np.array([posterior.group_index(label) for label in points.labels])
    blocks = {int(group): np.flatnonzero(groups == group) for group in np.unique(groups)}
    with one_thread():
        for group, rows in blocks.items():
            inputs = {name: values[rows] for name, values in points.inputs.items()}
            parts = predict(posterior, group, inputs)
            means[:, rows] = parts.mean
            noise[rows] = np.broadcast_to(parts.noise, parts.mean.shape).mean(axis=0)
            covariance[np.ix_(rows, rows)] = _within(posterior, group, inputs, parts)
    between = np.cov(means.T, bias=True).reshape(n_points, n_points)
    return Joint(means.mean(axis=0), covariance + between, noise)


def _within(
    posterior: Posterior, group: int, inputs: Mapping[str, Floats], final: Components
) -> Floats:
    """Return the average over draws of what one draw leaves unknown, with a forecast's variance."""
    given = condition(posterior, group)
    parts = components(given, inputs)
    undelivered = parts.share * parts.improvement
    covariance = undelivered.T @ undelivered / len(undelivered)
    if posterior.spec.discrepancy is not None:
        covariance = covariance + surface_covariance(given, inputs)
    wanted = (final.discrepancy + (final.share * final.improvement) ** 2).mean(axis=0)
    scale = np.sqrt(wanted / np.maximum(np.diag(covariance), 1e-300))
    return np.asarray(covariance * scale * scale[:, None])
