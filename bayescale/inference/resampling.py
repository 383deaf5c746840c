"""Equally weighted draws from weighted ones."""

from __future__ import annotations

import numpy as np

from bayescale.models.discrepancy import Floats


def systematic_picks(weights: Floats, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return indices (n_draws,), rising, by systematic resampling.

    Parameters
    ----------
    weights : array, shape (S,)
        Not negative; they need not sum to one.
    n_draws : int
        How many.
    rng : Generator
        One uniform number is drawn.

    References
    ----------
    Kitagawa (1996), Monte Carlo filter and smoother, JCGS 5.
    """
    steps = (np.arange(n_draws) + rng.uniform()) / n_draws
    cumulative = np.cumsum(weights)
    picks = np.searchsorted(cumulative / cumulative[-1], steps)
    return np.asarray(np.minimum(picks, len(weights) - 1))
