"""The Pareto shape of importance weights: when it passes 0.7, estimates cannot be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]


def pareto_khat(log_weights: Floats) -> float:
    """Return khat of the largest importance weights.

    Parameters
    ----------
    log_weights : array, shape (S,)
        Log importance weights, any constant added.

    Returns
    -------
    float
        Shape of the generalised Pareto tail; ``inf`` when fewer than five weights are positive.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao and Gabry (2024), Pareto smoothed importance sampling,
    arXiv:1507.02646.
    """
    weights = np.exp(log_weights - log_weights.max())
    n_tail = int(np.ceil(min(0.2 * len(weights), 3.0 * np.sqrt(len(weights)))))
    if n_tail < 5 or np.count_nonzero(weights) <= n_tail:
        return float("inf")
    ordered = np.sort(weights)
    excess = ordered[-n_tail:] - ordered[-n_tail - 1]
    if excess[-1] <= 0.0:
        return float("-inf")
    return _generalised_pareto_shape(np.maximum(excess, np.finfo(float).tiny))


def _generalised_pareto_shape(x: Floats) -> float:
    """Fit the shape by the profile posterior mean of Zhang and Stephens (2009), sorted x > 0.

    The shape is shrunk towards 0.5 by ten pseudo-observations, as in PSIS.
    """
    n = len(x)
    n_grid = 30 + int(np.sqrt(n))
    quartile = x[int(n / 4 + 0.5) - 1]
    grid = 1.0 / x[-1] + (1.0 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))) / 3.0 / quartile
    shapes = np.log1p(-grid[:, None] * x).mean(axis=1)
    profile = n * (np.log(-grid / shapes) - shapes - 1.0)
    weights = np.exp(profile - profile.max())
    theta = float((grid * weights).sum() / weights.sum())
    shape = float(np.log1p(-theta * x).mean())
    return (n * shape + 5.0) / (n + 10.0)
