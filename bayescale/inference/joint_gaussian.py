"""Effects, shared weights and all groups as one Gaussian, given spreads and scales.

With every group's law made linear they are jointly Gaussian: phi = (effects, weights) with all
groups integrated out, then each group given phi. In the coordinates that make this Gaussian
standard the exact posterior is nearly standard too, whatever the spreads are.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from bayescale.inference.pooled_density import PooledDensity
from bayescale.inference.population_moves import PopulationState
from bayescale.models.discrepancy import Floats

SMALLEST, _JITTER = 1e-5, 1e-10
_SMALL = 8
_GIVEN = ("own", "spreads", "slopes")


@dataclass(frozen=True)
class Pair:
    """Something of phi and the same of the groups' law coordinates.

    Parameters
    ----------
    phi : array, shape (C, F)
        Of effects and shared weights.
    law : array, shape (C, G, L)
        Of the groups.
    """

    phi: Floats
    law: Floats

    def normal(self, rng: np.random.Generator) -> Pair:
        """Return standard normals of the same shapes."""
        parts = (np.asarray(rng.standard_normal(part.shape)) for part in (self.phi, self.law))
        return Pair(*parts)

    def plus(self, other: Pair, size: float | Floats) -> Pair:
        """Return the sum with `size` times the other; sizes by group hold phi still."""
        whole = float(np.max(size))
        return Pair(self.phi + whole * other.phi, self.law + size * other.law)

    def rotated(self, other: Pair, angle: Floats) -> Pair:
        """Return cos(angle) times this plus sin(angle) times the other."""
        cos, sin = np.cos(angle), np.sin(angle)
        phi = cos.flat[0] * self.phi + sin.flat[0] * other.phi
        return Pair(phi, cos * self.law + sin * other.law)

    def squares(self) -> Floats:
        """Return the sum of squares of both, shape (C,)."""
        return np.asarray((self.phi**2).sum(axis=1) + (self.law**2).sum(axis=(1, 2)))


class JointGaussian:
    """The Gaussian of phi, shape (C, F), and of the groups' law coordinates, shape (C, G, L).

    Parameters
    ----------
    target : PooledDensity
        Population and groups.
    at : array, shape (C, G, L)
        Where their laws are made linear.
    state : PopulationState
        Its spreads hold the effects and groups.
    products : array, shape (C, G, S, S)
        From `Guides.given`.
    log_scales : array, shape (C, G, S)
        Logs of the scales, given which their effects are Gaussian where they are pooled.
    last : sequence of int
        Pooled coefficients that stand last in every factorisation: then moving their spreads
        changes the rest only as far as these coefficients themselves move.
    """

    def __init__(
        self,
        target: PooledDensity,
        at: Floats,
        state: PopulationState,
        products: Floats,
        log_scales: Floats,
        last: Sequence[int] = (),
    ) -> None:
        self._target, self._at, self._state, self._last = target, at, state, last
        self._products = products
        precision, linear = self._prior()
        of_groups, pulled = self._groups(products)
        precision, linear = precision + of_groups, linear + pulled
        self._add_scales(precision, linear, log_scales)
        size = state.effects.shape[2]
        block = (size * np.array(last, dtype=int)[:, None] + np.arange(size)).ravel()
        self._factor, self._inverse, self.log_diagonal = _factorised(precision, block)
        self.mean = _times(self._inverse.swapaxes(1, 2), _times(self._inverse, linear))

    def holds(self, state: PopulationState, products: Floats) -> bool:
        """Whether this is the Gaussian at this state: effects do not matter, only their spreads."""
        alike = (np.array_equal(getattr(self._state, n), getattr(state, n)) for n in _GIVEN)
        return self._products is products and all(alike)

    def _prior(self) -> tuple[Floats, Floats]:
        """Return precision and linear term of phi before any group."""
        population, state = self._target.population, self._state
        n_chains, p, size = state.effects.shape
        n_phi = p * size + self._target.likelihood.n_weights
        precision, linear = np.zeros((n_chains, n_phi, n_phi)), np.zeros((n_chains, n_phi))
        means, weights = np.arange(0, p * size, size), np.arange(p * size, n_phi)
        precision[:, means, means], precision[:, weights, weights] = 1.0 / population.sd**2, 1.0
        for block, spread in zip(population.blocks, state.spreads.swapaxes(0, 1), strict=True):
            held = state.precision(population, _held(spread))
            levels = np.arange(block.start, block.stop)
            for k, j in population.linked:
                at = k * size + levels, j * size + levels
                precision[:, at[0], at[1]] = held[:, [k], j]
        linear[:, means] = population.mean / population.sd**2
        return precision, linear

    def _groups(self, products: Floats) -> tuple[Floats, Floats]:
        """Integrate the groups out: return what is left of them, which speaks of phi."""
        target, pooled, at = self._target, self._target.pooled_law, self._at
        n_law, design = target.n_law, target.population.design
        n_chains, p, size = self._state.effects.shape
        n_groups, last = at.shape[1], p * size
        free = _held(target.free_sd)
        free[:, pooled] = 0.0
        held = self._state.precision(target.population, _held(self._state.own))
        linked = [(k, j) for k, j in target.population.linked if max(k, j) < len(pooled)]
        inner = products[:, :, :n_law, :n_law] + np.eye(n_law) * free[:, None, :]
        inner[:, :, pooled[:, None], pooled] += held[:, None, : len(pooled), : len(pooled)]
        constant = products[:, :, :n_law, -1] + free * (target.free_mean - at)
        constant[:, :, pooled] -= at[:, :, pooled] @ held[:, : len(pooled), : len(pooled)]
        towards = np.zeros((n_chains, n_groups, n_law, last + target.likelihood.n_weights))
        for k, j in linked:
            part = slice(j * size, (j + 1) * size)
            towards[:, :, pooled[k], part] = held[:, k, j][:, None, None] * design
        towards[..., last:] = -products[:, :, :n_law, n_law:-1]
        own = pooled[[k for k in self._last if k < len(pooled)]]
        self._group_factor, self._group_inverse, logs = _factorised(inner, own)
        self.log_dets = logs.sum(axis=2)
        both = self._group_inverse @ np.concatenate([towards, constant[..., None]], axis=3)
        solved = self._group_inverse.swapaxes(2, 3) @ both
        self._slope, self._base = solved[..., :-1], solved[..., -1]
        flat = both.reshape(n_chains, n_groups * n_law, -1)
        lost = flat[..., :-1].swapaxes(1, 2) @ flat
        precision, linear = -lost[..., :-1], lost[..., -1]
        gram = design.T @ design
        for k, j in linked:
            part, other = (slice(i * size, (i + 1) * size) for i in (k, j))
            precision[:, part, other] += held[:, k, j][:, None, None] * gram
            linear[:, part] += held[:, [k], j] * (at[:, :, pooled[j]] @ design)
        precision[:, last:, last:] += products[:, :, n_law:-1, n_law:-1].sum(axis=1)
        linear[:, last:] += products[:, :, n_law:-1, -1].sum(axis=1)
        return precision, linear

    def _add_scales(self, precision: Floats, linear: Floats, log_scales: Floats) -> None:
        """Add what the groups' scales say of their effects, where they are pooled."""
        target, size = self._target, self._state.effects.shape[2]
        design = target.population.design
        for k in target.pooled_scales:
            part, held = slice(k * size, (k + 1) * size), _held(self._state.own[:, [k]])
            values = log_scales[..., target.pooled[k] - target.n_law]
            precision[:, part, part] += held[:, :, None] * (design.T @ design)
            linear[:, part] += held * (values @ design)

    def group_means(self, phi: Floats) -> Floats:
        """Return the mean of each group's law coordinates given phi, shape (C, G, L)."""
        n_chains, n_groups, n_law, size = self._slope.shape
        moved = _times(self._slope.reshape(n_chains, n_groups * n_law, size), phi)
        return np.asarray(self._at + self._base + moved.reshape(n_chains, n_groups, n_law))

    def standard(self, phi: Floats, law: Floats) -> Pair:
        """Return phi and the groups' coordinates as standard normals of the same shapes."""
        departures = law - self.group_means(phi)
        return Pair(self.standard_phi(phi), _times(self._group_factor.swapaxes(2, 3), departures))

    def standard_phi(self, phi: Floats) -> Floats:
        """Return phi as standard normals; those of `last`, if any, are the last ones."""
        return _times(self._factor.swapaxes(1, 2), phi - self.mean)

    def phi(self, z: Floats) -> Floats:
        """Return phi of standard normals (C, F)."""
        return np.asarray(self.mean + _times(self._inverse.swapaxes(1, 2), z))

    def law(self, phi: Floats, z: Floats) -> Floats:
        """Return the groups' law coordinates of phi and standard normals (C, G, L)."""
        return self.group_means(phi) + _times(self._group_inverse.swapaxes(2, 3), z)

    def pulled_back(self, of_phi: Floats, of_law: Floats) -> Pair:
        """Return a gradient in phi and law as one in the standard normals."""
        n_chains, n_groups, n_law, size = self._slope.shape
        flat = self._slope.reshape(n_chains, n_groups * n_law, size)
        whole = of_phi + _times(flat.swapaxes(1, 2), of_law.reshape(n_chains, -1))
        return Pair(_times(self._inverse, whole), _times(self._group_inverse, of_law))


def _held(sd: Floats) -> Floats:
    """Return precisions, of spreads near zero only as large as differences of them bear."""
    return 1.0 / np.maximum(sd, SMALLEST) ** 2


def _factorised(precision: Floats, last: np.ndarray) -> tuple[Floats, Floats, Floats]:
    """Return F with precision = F F', its inverse and log diagonal; some rows stand last in it.

    All of it is NaN where a precision has none: at a spread of 1e9, say, which a proposal with long
    tails may hold, and which is never accepted.
    """
    size = precision.shape[-1]
    order = np.concatenate([np.setdiff1d(np.arange(size), last), last])
    held = precision * (1.0 + _JITTER * np.eye(size))
    lower = _lower(held[..., order, :][..., order])
    logs = np.log(np.diagonal(lower, axis1=-2, axis2=-1))
    back = np.argsort(order)
    return lower[..., back, :], _inverse(lower)[..., back], logs


def _lower(precision: Floats) -> Floats:
    """Return Cholesky factors (..., F, F), NaN where there is none."""
    try:
        return np.asarray(np.linalg.cholesky(precision))
    except np.linalg.LinAlgError:
        out = np.full_like(precision, np.nan)
    for place in np.ndindex(precision.shape[:-2]):
        with suppress(np.linalg.LinAlgError):
            out[place] = np.linalg.cholesky(precision[place])
    return out


def _times(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray((matrix @ vector[..., None])[..., 0])


def _inverse(lower: Floats) -> Floats:
    """Return the inverse of lower triangles, row by row: small ones, of which there are many."""
    if lower.shape[-1] > _SMALL:
        return np.asarray(np.linalg.inv(lower))
    out = np.zeros_like(lower)
    for k in range(lower.shape[-1]):
        out[..., k, k] = 1.0 / lower[..., k, k]
        row = lower[..., k, None, :k] @ out[..., :k, :k]
        out[..., k, :k] = -out[..., k, k, None] * row[..., 0, :]
    return out
