"""The Chinchilla law by Huber regression on log loss, many starts and many weightings at once.

The usual practice minimises this objective by L-BFGS from a grid of starts; here damped, reweighted
least squares climbs down the same objective for every start or bootstrap weighting together.
Exponents are kept at or above zero: nobody extrapolates with a loss that grows with size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from bayescale.models.discrepancy import Floats

DELTA = 1e-3
"""Where the loss turns from squares to absolute values, on log loss."""

_EXPONENT = slice(3, 5)
_SHARES = (0.3, 0.6, 0.9)
_EXPONENTS = (0.15, 0.3, 0.6, 1.0)


@dataclass(frozen=True)
class Design:
    """Runs as the objective reads them.

    Parameters
    ----------
    log_n, log_d : array, shape (n,)
        Natural logs of parameters and tokens, their means taken off.
    log_loss : array, shape (n,)
        Natural log of the loss.
    """

    log_n: Floats
    log_d: Floats
    log_loss: Floats


def predict(theta: Floats, log_n: Floats, log_d: Floats) -> Floats:
    """Return log(exp(e) + exp(a - alpha n) + exp(b - beta d)).

    Parameters
    ----------
    theta : array, shape (B, 5)
        e, a, b, alpha, beta; the exponents are not negative.
    log_n, log_d : array, shape (n,)
        As in `Design`.

    Returns
    -------
    array, shape (B, n)
        Log loss.

    References
    ----------
    Hoffmann et al. (2022), Training compute-optimal large language models, arXiv:2203.15556,
    section D.2.
    """
    return np.asarray(logsumexp(_terms(theta, log_n, log_d), axis=0))


def objective(theta: Floats, design: Design, weights: Floats) -> Floats:
    """Return the weighted sum of Huber losses, shape (B,), for weights (B, n)."""
    residual = np.abs(design.log_loss - predict(theta, design.log_n, design.log_d))
    huber = np.where(residual < DELTA, 0.5 * residual**2, DELTA * (residual - 0.5 * DELTA))
    return np.asarray((weights * huber).sum(axis=1))


def starts(design: Design) -> Floats:
    """Return a grid of starts that all pass through the middle of the runs, shape (48, 5)."""
    grid = np.meshgrid(_SHARES, _EXPONENTS, _EXPONENTS, indexing="ij")
    share, alpha, beta = (axis.ravel() for axis in grid)
    floor = np.log(share) + design.log_loss.min()
    rest = np.log((np.exp(np.median(design.log_loss)) - np.exp(floor)) / 2.0)
    return np.column_stack([floor, rest, rest, alpha, beta])


def minimise(
    theta: Floats, design: Design, weights: Floats, *, steps: int, tolerance: float = 1e-9
) -> tuple[Floats, Floats]:
    """Climb down from every start.

    Parameters
    ----------
    theta : array, shape (B, 5)
        Starts.
    design : Design
        Runs.
    weights : array, shape (B, n)
        Weight of each run in each problem.
    steps : int
        Most steps.
    tolerance : float
        A problem stops when ten steps lower its objective by a smaller share than this.

    Returns
    -------
    theta : array, shape (B, 5)
        Where each start ended.
    value : array, shape (B,)
        Objective there.
    """
    theta, damping = theta.copy(), np.full(len(theta), 1e-2)
    value = objective(theta, design, weights)
    checked, active = value.copy(), np.arange(len(theta))
    for step in range(1, steps + 1):
        moved = theta[active] + _move(theta[active], design, weights[active], damping[active])
        moved[:, _EXPONENT] = np.maximum(moved[:, _EXPONENT], 0.0)
        new = objective(moved, design, weights[active])
        better = new < value[active]
        theta[active[better]], value[active[better]] = moved[better], new[better]
        damping[active] = np.clip(damping[active] * np.where(better, 0.3, 5.0), 1e-10, 1e8)
        if step % 10 == 0:
            active = np.flatnonzero(checked - value > tolerance * value)
            checked = value.copy()
            if not len(active):
                break
    return theta, value


def _move(theta: Floats, design: Design, weights: Floats, damping: Floats) -> Floats:
    """Return the damped Gauss-Newton step of the reweighted squares that bound the objective."""
    terms = _terms(theta, design.log_n, design.log_d)
    fitted = logsumexp(terms, axis=0)
    shares = np.exp(terms - fitted)
    slopes = [*shares, -shares[1] * design.log_n, -shares[2] * design.log_d]
    jacobian = np.stack(slopes, axis=1)
    residual = design.log_loss - fitted
    pull = weights * np.minimum(1.0, DELTA / np.maximum(np.abs(residual), 1e-12))
    gradient = np.einsum("bkn,bn->bk", jacobian, pull * residual)
    held = np.zeros(theta.shape, dtype=bool)
    held[:, _EXPONENT] = (theta[:, _EXPONENT] <= 0.0) & (gradient[:, _EXPONENT] < 0.0)
    gradient[held] = 0.0
    jacobian[held] = 0.0
    information = (jacobian * pull[:, None, :]) @ jacobian.transpose(0, 2, 1)
    diagonal = np.einsum("bkk->bk", information)
    ridge = damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True)
    damped = information + np.eye(theta.shape[1]) * ridge[:, :, None]
    return np.asarray(np.clip(np.linalg.solve(damped, gradient[:, :, None])[:, :, 0], -3.0, 3.0))


def _terms(theta: Floats, log_n: Any, log_d: Any) -> Floats:
    e, a, b, alpha, beta = (theta[:, [k]] for k in range(5))
    return np.stack([e + 0.0 * log_n, a - alpha * log_n, b - beta * log_d])
