"""Posterior modes by damped Fisher scoring, many starts at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats

_STEP = 1e-4
_SAME = 0.05


@dataclass(frozen=True)
class Modes:
    """Modes found, best first.

    Parameters
    ----------
    x : array, shape (B, P)
        Unconstrained coordinates.
    log_density : array, shape (B,)
        Log posterior there.
    covariance : array, shape (B, P, P)
        Inverse of the Fisher information plus the prior's curvature.
    """

    x: Floats
    log_density: Floats
    covariance: Floats


def find_modes(
    density: Density, starts: Floats, *, keep: int = 2, explore: int = 12, steps: int = 40
) -> Modes:
    """Climb from several starts, keeping the best after a few steps.

    Parameters
    ----------
    density : Density
        The log posterior.
    starts : array, shape (B, P)
        Unconstrained coordinates.
    keep : int
        Starts that go on after `explore` steps.
    explore, steps : int
        Steps before the selection and in all.

    Returns
    -------
    Modes
        At most `keep` of them.
    """
    x, value, damping = starts.copy(), density(starts), np.full(len(starts), 1e-2)
    explore = explore if len(starts) > keep else 0
    for step in range(steps):
        if step >= explore and len(x) > 1:
            best = _apart(x, np.argsort(-value)[:keep])
            x, value, damping = x[best], value[best], damping[best]
        gradient, information = score(density, x)
        move = damped_step(information, gradient, damping)
        proposal = x + np.clip(move, -2.0, 2.0)
        new = density(proposal)
        better = new > value
        gain = np.zeros(len(x))
        gain[better] = new[better] - value[better]
        x[better], value[better] = proposal[better], new[better]
        damping = np.clip(np.where(better, damping / 4.0, damping * 6.0), 1e-8, 1e8)
        settled = (better & (gain < 1e-3)) | (damping > 1e4)
        if step >= explore and settled.all():
            break
    order = np.argsort(-value)
    _, information = score(density, x)
    covariance = np.asarray(np.linalg.inv(information))
    return Modes(x[order], value[order], covariance[order])


def _apart(x: Floats, best: np.ndarray) -> np.ndarray:
    """Return the best climbs less those that have run into the first of them."""
    far = np.abs(x[best] - x[best[0]]).max(axis=1) > _SAME
    far[0] = True
    return best[far]


def damped_step(information: Floats, gradient: Floats, damping: Floats) -> Floats:
    """Return steps (B, P) of climbs whose information is damped, shape (B,)."""
    diagonal = np.einsum("bpp->bp", information)
    damped = information + np.eye(information.shape[1]) * (damping[:, None] * diagonal)[:, None, :]
    return np.linalg.solve(damped, gradient[:, :, None])[:, :, 0]


def score(density: Density, x: Floats) -> tuple[Floats, Floats]:
    """Return gradient (B, P) and expected information (B, P, P) of the log posterior."""
    with np.errstate(all="ignore"):
        jacobian = law_jacobian(density, x)
        rotated, variance = density.rotated(x), density.variances(x)
        prior_gradient, prior_curvature = _prior_score(density, x)
        shared = _shared_error(density, x, rotated, variance)
    n_law = density.n_law
    nu = density.problem.spec.noise.nu
    rotated, squared, own = shared or (*_pulled(rotated, variance, nu), None)
    of_law, of_scale = _information_left(nu)
    weighted = jacobian / variance[:, None, :]
    gradient, information = prior_gradient, np.zeros((*x.shape, x.shape[1]))
    gradient[:, :n_law] += np.einsum("bpn,bn->bp", weighted, rotated)
    information[:, :n_law, :n_law] = of_law * (weighted @ jacobian.transpose(0, 2, 1))
    if own is not None:
        lost = np.einsum("bpn,bn->bp", weighted, own)
        information[:, :n_law, :n_law] -= lost[:, :, None] * lost[:, None, :]
    slopes = _scale_slopes(density, x, variance)
    gradient[:, n_law:] += 0.5 * np.einsum("bpn,bn->bp", slopes, squared / variance - 1.0)
    information[:, n_law:, n_law:] = 0.5 * of_scale * slopes @ slopes.transpose(0, 2, 1)
    # Where a law is undefined the data say nothing, and the prior alone leads back.
    information = np.nan_to_num(information) + np.eye(x.shape[1]) * prior_curvature[:, None, :]
    return np.nan_to_num(gradient), information


def _pulled(rotated: Floats, variance: Floats, nu: float | None) -> tuple[Floats, Floats]:
    """Return residuals and their squares as they pull: far ones less under Student-t noise."""
    if nu is None:
        return rotated, rotated**2
    weight = (nu + 1.0) / (nu + rotated**2 / variance)
    return weight * rotated, weight * rotated**2


def _information_left(nu: float | None) -> tuple[float, float]:
    """Return the shares of normal noise's information on law and scale that noise of `nu` leaves.

    References
    ----------
    Lange, Little and Taylor (1989), Robust statistical modeling using the t distribution.
    """
    return (1.0, 1.0) if nu is None else ((nu + 1.0) / (nu + 3.0), nu / (nu + 3.0))


def _shared_error(
    density: Density, x: Floats, rotated: Floats, variance: Floats
) -> tuple[Floats, Floats, Floats] | None:
    """Return residuals without xi, their expected squares, and xi's part; None without such runs.

    How the promised improvement itself moves with the coefficients is left out: the climb only
    has to end near the mode.
    """
    if not density.problem.reaches_beyond:
        return None
    mean, spread, promise = density.undelivered(x, rotated, variance)
    own = np.sqrt(spread) * promise
    freed = rotated - mean * promise
    return freed, freed**2 + own**2, own


def law_jacobian(density: Density, x: Floats) -> Floats:
    """Return d(rotated log loss)/d(coordinate), shape (B, n_law, n), by central differences."""
    n_law, (n_starts, n_coordinates) = density.n_law, x.shape
    shifts = _STEP * np.eye(n_law, n_coordinates)
    around = np.stack([x[:, None, :] + shifts, x[:, None, :] - shifts])
    values = density.log_loss(around.reshape(-1, n_coordinates))
    up, down = values.reshape(2, n_starts, n_law, -1)
    return np.asarray(density.problem.whitening.rotate((up - down) / (2.0 * _STEP)))


def _scale_slopes(density: Density, x: Floats, variance: Floats) -> Floats:
    """Return d log variance / d (log sigma, log tau), shape (B, 1 or 2, n)."""
    squares = np.exp(2.0 * x[:, density.n_law :])
    slopes = [2.0 * squares[:, [0]] / variance]
    if squares.shape[1] > 1:
        slopes.append(2.0 * squares[:, [1]] * density.problem.whitening.eigenvalues / variance)
    return np.stack(slopes, axis=1)


def _prior_score(density: Density, x: Floats) -> tuple[Floats, Floats]:
    """Return gradient and diagonal curvature of minus the log prior, both (B, P)."""
    step, n_coordinates = 1e-3, x.shape[1]
    shifts = step * np.eye(n_coordinates)
    around = np.concatenate([x[:, None, :] + shifts, x[:, None, :] - shifts, x[:, None, :]], axis=1)
    values = density.log_prior(around.reshape(-1, n_coordinates)).reshape(len(x), -1)
    up, down = values[:, :n_coordinates], values[:, n_coordinates : 2 * n_coordinates]
    gradient = (up - down) / (2.0 * step)
    curvature = (2.0 * values[:, [-1]] - up - down) / step**2
    return gradient, np.maximum(curvature, 1e-2)
