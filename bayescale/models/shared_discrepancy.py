"""What the discrepancies of siblings have in common, as a few basis functions.

A group's discrepancy is tau_g (sqrt(share) common + own_g). The common part is a weighted sum of
features phi with weights N(0, 1) of the whole population; the own part is a Gaussian process with
what remains of the kernel, K - share phi phi', so that one group alone has exactly the kernel that
it has without siblings. The features are those of a Nystroem approximation: phi(x) is the kernel
of x with a few anchors, whitened.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from bayescale.models.discrepancy import Discrepancy, Floats, kernel

MAX_ANCHORS = 20
"""More cost more than they explain: 20 hold all but a few percent of the common variance."""

_MAX_CANDIDATES = 400
_BEYOND = (10.0, 100.0)
_EXPLAINED = 0.01

Anchors = tuple[tuple[float, ...], ...]


def choose_anchors(shape: Discrepancy, positions: Sequence[Floats], cost: Sequence[int]) -> Anchors:
    """Return positions whose kernel functions span the common part over runs and targets.

    Parameters
    ----------
    shape : Discrepancy
        Kernel.
    positions : sequence of array, shape (n, dims)
        Of each group's runs.
    cost : sequence of int
        Columns that make up compute: targets may lie a hundred times beyond the largest run.

    Returns
    -------
    tuple of tuple of float
        Chosen greedily where most variance is unexplained (a pivoted Cholesky factorisation), until
        1 % of the variance is left anywhere, and at most `MAX_ANCHORS`.

    References
    ----------
    Fine and Scheinberg (2001), Efficient SVM training using low-rank kernel representations.
    """
    candidates = _candidates(np.concatenate(list(positions)), cost)
    left, rows = np.ones(len(candidates)), np.empty((0, len(candidates)))
    chosen: list[int] = []
    while len(chosen) < min(MAX_ANCHORS, len(candidates)) and left.max() > _EXPLAINED:
        pivot = int(left.argmax())
        at = candidates[[pivot]]
        column = kernel(shape, at, candidates)[0] - rows[:, pivot] @ rows
        rows = np.vstack([rows, column / np.sqrt(left[pivot])])
        left = np.maximum(left - rows[-1] ** 2, 0.0)
        chosen.append(pivot)
    return tuple(tuple(float(v) for v in candidates[k]) for k in chosen)


def features(shape: Discrepancy, anchors: Anchors, positions: Floats, amplitudes: Floats) -> Floats:
    """Return the basis functions at some positions, shape (m, anchors).

    Parameters
    ----------
    shape : Discrepancy
        Kernel.
    anchors : tuple of tuple of float
        From `choose_anchors`.
    positions : array, shape (m, dims)
        Where.
    amplitudes : array, shape (m,)
        The discrepancy's standard deviation there, at unit tau.
    """
    at = np.asarray(anchors)
    lower = np.linalg.cholesky(kernel(shape, at, at) + 1e-9 * np.eye(len(at)))
    cross = kernel(shape, at, positions) * amplitudes
    return np.asarray(linalg.solve_triangular(lower, cross, lower=True).T)


def _candidates(positions: Floats, cost: Sequence[int]) -> Floats:
    """Return the runs, thinned, and their largest moved beyond the largest compute."""
    compute = positions[:, cost].sum(axis=1)
    top = positions[compute >= compute.max() - np.log(10.0)]
    moved = [top + _step(top.shape[1], cost, factor) for factor in _BEYOND]
    everyone = np.unique(np.concatenate([positions, *moved]).round(2), axis=0)
    keep = np.linspace(0, len(everyone) - 1, min(len(everyone), _MAX_CANDIDATES)).astype(int)
    return np.asarray(everyone[np.unique(keep)])


def _step(dims: int, cost: Sequence[int], factor: float) -> Floats:
    step = np.zeros(dims)
    step[list(cost)] = np.log(factor) / len(cost)
    return step
