"""Scores of predicted against measured log losses: coverage, CRPS, log score, error, width.

All are on log loss, so that 0.01 is one percent of the loss.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp, ndtr

from bayescale.forecasts.mixture import Mixture
from bayescale.models.discrepancy import Floats

COVERAGES = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the central intervals whose coverage is scored."""

MEASURES = (
    *(f"coverage_{100 * level:.0f}" for level in COVERAGES),
    "crps",
    "log_score",
    "abs_error",
    "bias",
    "width_90",
)
"""Names of the scores."""

_LAGS = 16
_SEED_NOISE = 4e-4


def score_points(predicted: Mixture | Floats, actual: Floats) -> dict[str, Floats]:
    """Score one prediction a point.

    Parameters
    ----------
    predicted : Mixture, or array of shape (S, P)
        Predictive distribution of log loss, or equally weighted draws from it.
    actual : array, shape (P,)
        Measured log loss.

    Returns
    -------
    dict of str to array, shape (P,)
        Keys are `MEASURES`. ``coverage_*`` is 1 inside the central interval and 0 outside;
        ``bias`` is positive where the loss was over-predicted; ``abs_error`` and ``bias`` are of
        the median; ``log_score`` is the log density, higher is better.
    """
    median, low, high = _quantiles(predicted, np.array([0.5, 0.05, 0.95]))
    inside = _inside(predicted, actual)
    if isinstance(predicted, Mixture):
        crps, density = crps_mixture(predicted, actual), predicted
    else:
        crps, density = crps_draws(predicted, actual), smoothed(predicted)
    return {
        **dict(zip(MEASURES[: len(COVERAGES)], inside, strict=True)),
        "crps": crps,
        "log_score": log_density(density, actual),
        "abs_error": np.abs(median - actual),
        "bias": median - actual,
        "width_90": high - low,
    }


def crps_mixture(predicted: Mixture, actual: Floats) -> Floats:
    """Return the continuous ranked probability score of normal mixtures, shape (P,).

    Parameters
    ----------
    predicted : Mixture
        S components at each of P points.
    actual : array, shape (P,)
        Measured values.

    Returns
    -------
    array, shape (P,)
        In the unit of `actual`. The spread term runs over all pairs of up to 33 components, and
        otherwise over evenly chosen lags of the components in the order of their means, which
        is right to about a thousandth.

    References
    ----------
    Grimit, Gneiting, Berrocal and Johnson (2006), The continuous ranked probability score for
    circular variables, equation 5 (its linear case).
    """
    order = np.argsort(predicted.mean, axis=0)
    mean = np.take_along_axis(predicted.mean, order, axis=0)
    variance = np.take_along_axis(np.broadcast_to(predicted.variance, mean.shape), order, axis=0)
    error = _mean_distance(mean - actual, variance).mean(axis=0)
    lags, weights = _lags(len(mean))
    spread = np.zeros_like(error)
    for lag, weight in zip(lags, weights, strict=True):
        difference = np.roll(mean, lag, axis=0) - mean
        total = np.roll(variance, lag, axis=0) + variance
        spread += weight * _mean_distance(difference, total).mean(axis=0)
    return np.asarray(error - 0.5 * spread)


def crps_draws(draws: Floats, actual: Floats) -> Floats:
    """Return the continuous ranked probability score of equally weighted draws, shape (P,).

    Parameters
    ----------
    draws : array, shape (S, P)
        Taken as the distribution itself: no correction for their finite number.
    actual : array, shape (P,)
        Measured values.

    References
    ----------
    Gneiting and Raftery (2007), Strictly proper scoring rules, prediction and estimation,
    equation 21, the pairs summed in the order of the draws.
    """
    n_draws = len(draws)
    ranks = 2.0 * np.arange(1, n_draws + 1) - n_draws - 1.0
    spread = ranks @ np.sort(draws, axis=0) / n_draws**2
    return np.asarray(np.abs(draws - actual).mean(axis=0) - spread)


def log_density(predicted: Mixture, actual: Floats) -> Floats:
    """Return the log density of normal mixtures at `actual`, shape (P,)."""
    terms = (actual - predicted.mean) ** 2 / predicted.variance
    terms = terms + np.log(2.0 * np.pi * predicted.variance)
    return np.asarray(logsumexp(-0.5 * terms, axis=0) - np.log(len(predicted.mean)))


def smoothed(draws: Floats) -> Mixture:
    """Return draws (S, P) as a mixture of normals of Silverman's width, for a log score.

    The width is at least the 4e-4 by which runs that differ in their seed alone differ.

    References
    ----------
    Silverman (1986), Density Estimation for Statistics and Data Analysis, equation 3.31.
    """
    low, high = np.quantile(draws, [0.25, 0.75], axis=0)
    scale = np.minimum(draws.std(axis=0), (high - low) / 1.349)
    width = np.maximum(0.9 * scale * len(draws) ** -0.2, _SEED_NOISE)
    return Mixture(draws, np.broadcast_to(width**2, draws.shape))


def _inside(predicted: Mixture | Floats, actual: Floats) -> Floats:
    """Return 1 where `actual` is inside the central interval, shape (len(COVERAGES), P)."""
    half = np.array(COVERAGES)[:, None] / 2
    if isinstance(predicted, Mixture):
        return (np.abs(predicted.cdf(actual) - 0.5) <= half).astype(float)
    low, high = np.quantile(predicted, [0.5 - half[:, 0], 0.5 + half[:, 0]], axis=0)
    return ((low <= actual) & (actual <= high)).astype(float)


def _quantiles(predicted: Mixture | Floats, levels: Floats) -> Floats:
    if isinstance(predicted, Mixture):
        return predicted.quantile(levels)
    return np.asarray(np.quantile(predicted, levels, axis=0))


def _mean_distance(mean: Floats, variance: Floats) -> Floats:
    """Return E|X| of normals."""
    sd = np.sqrt(variance)
    z = mean / sd
    return np.asarray(
        2.0 * sd * np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) + mean * (2.0 * ndtr(z) - 1.0)
    )


def _lags(n_components: int) -> tuple[np.ndarray, Floats]:
    """Return lags and weights whose sum stands for the mean over all pairs.

    The mean over pairs at one lag is a smooth function of the lag, symmetric about half the
    number of components, so Gauss-Legendre nodes integrate it.
    """
    if n_components <= 2 * _LAGS + 1:
        return np.arange(n_components), np.full(n_components, 1.0 / n_components)
    nodes, weights = np.polynomial.legendre.leggauss(_LAGS)
    lags = np.rint(0.25 * (nodes + 1.0) * n_components).astype(int)
    return lags, 0.5 * weights
