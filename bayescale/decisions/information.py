"""What it is worth to know more before deciding: perfect information, and one pilot's loss.

Everything is read off one set of joint draws, so that two numbers of one decision differ by what
they mean and not by luck.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import isotonic_regression

from bayescale.models.discrepancy import Floats

REPEATS = 8
"""Random halvings of the draws that the value of one pilot is averaged over."""

N_BINS = 40
"""Bins of the pilot's loss, equally filled; neighbours are pooled until the payoff is monotone."""


def evpi(payoffs: Floats) -> float:
    """Return the expected value of perfect information, zero or more.

    Parameters
    ----------
    payoffs : array, shape (S, A)
        Payoff of every action in each joint draw, doing nothing included.

    Returns
    -------
    float
        In the payoffs' unit.
    """
    usual = payoffs[:, payoffs.mean(axis=0).argmax()]
    return float((payoffs.max(axis=1) - usual).mean())


def evsi(
    payoffs: Floats, signal: Floats, clusters: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the expected value of seeing a signal before acting, and its standard error.

    A rule from signal to action is learned on one half of the draws and paid out on the other, so
    a signal that says nothing is worth nothing, and a rule that could be better only understates.

    Parameters
    ----------
    payoffs : array, shape (S, A)
        Payoff of every action in each joint draw, doing nothing included.
    signal : array, shape (S,)
        What the pilot would show in each draw.
    clusters : array of int, shape (S,)
        Draws that share a posterior draw share a cluster, and never face each other.
    rng : Generator
        Source of the halvings.

    Returns
    -------
    value, standard_error : float
        In the payoffs' unit; the error is over draws and over halvings. The value never exceeds
        `evpi`, and falls below zero only by noise.
    """
    usual = payoffs.mean(axis=0).argmax()
    n_clusters = int(clusters.max()) + 1
    bins = _bins(signal)
    gains = np.empty((REPEATS, len(payoffs)))
    for gain in gains:
        half = rng.permutation(n_clusters)[clusters] < n_clusters // 2
        for learned, paid in ((half, ~half), (~half, half)):
            actions = _best_in_bins(payoffs[learned], bins[learned])[bins[paid]]
            gain[paid] = payoffs[paid, actions] - payoffs[paid, usual]
    by_cluster = np.bincount(clusters, gains.mean(axis=0)) / np.bincount(clusters)
    over_draws = by_cluster.std(ddof=1) / np.sqrt(n_clusters)
    over_halvings = gains.mean(axis=1).std(ddof=1) / np.sqrt(REPEATS)
    return float(gains.mean()), float(np.hypot(over_draws, over_halvings))


def _bins(signal: Floats) -> np.ndarray:
    """Return the bin of each draw; ends are chosen from the signal alone, never from payoffs."""
    ranks = np.empty(len(signal), dtype=np.intp)
    ranks[np.argsort(signal, kind="stable")] = np.arange(len(signal))
    return ranks * N_BINS // len(signal)


def _best_in_bins(payoffs: Floats, bins: np.ndarray) -> np.ndarray:
    """Return the action that pays best in each bin of the signal."""
    counts = np.bincount(bins, minlength=N_BINS)
    means = [np.bincount(bins, pay, minlength=N_BINS) / np.maximum(counts, 1) for pay in payoffs.T]
    return np.argmax([_monotone(mean, counts) for mean in means], axis=0)


def _monotone(means: Floats, counts: np.ndarray) -> Floats:
    """Return bin means pooled until they rise or fall throughout, whichever fits them."""
    weights = np.maximum(counts, 1e-6)
    steps = np.arange(N_BINS) - np.average(np.arange(N_BINS), weights=weights)
    rising = bool((weights * steps) @ means > 0)
    return np.asarray(isotonic_regression(means, weights=weights, increasing=rising).x)
