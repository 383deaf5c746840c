"""The likelihood of all groups at once, for many chains, and the force that it exerts.

Runs of all groups lie one after another, so that a law is evaluated once for everyone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescale.laws.ops import from_unconstrained
from bayescale.models.delivery import log_evidence, promised, undelivered
from bayescale.models.density import Density, deviances, variances
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem

_STEP = 1e-5


class StackedLikelihood:
    """The runs of G groups, given coordinates (C, G, P) of C chains and shared weights (C, M).

    Parameters
    ----------
    problems : sequence of Problem
        One a group; a group may have no runs.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        self.densities = [Density(problem) for problem in problems]
        first = self.densities[0]
        self.law, self.n_law = problems[0].law, first.n_law
        self.supports, self.noise = first.supports, problems[0].spec.noise
        self._sizes = sizes = np.array([len(problem) for problem in problems])
        ends = np.cumsum(sizes)
        self.parts = [slice(b - n, b) for n, b in zip(sizes, ends, strict=True)]
        self._filled = np.flatnonzero(sizes)
        self._starts = (ends - sizes)[self._filled]
        self.alike = problems[0].spec.discrepancy is None
        self._rotated = any(p.whitening.rotation is not None for p in self.problems)
        self.eigenvalues = np.concatenate([p.whitening.eigenvalues for p in self.problems])
        self._log_scale = np.array([p.whitening.log_scale for p in self.problems])
        self._ratios = self._joined([problem.ratios for problem in problems])
        self._seen = np.concatenate([problem.log_loss for problem in problems])
        self._beyond = any(problem.reaches_beyond for problem in problems)
        self.n_weights = len(problems[0].constants.anchors)
        basis = np.concatenate([p.features(p.positions) for p in self.problems if len(p)])
        self.loadings = self.rotate(basis.reshape(len(self._seen), self.n_weights).T).T

    def _joined(self, inputs: Sequence[dict[str, Floats]]) -> dict[str, Floats]:
        return {name: np.concatenate([own[name] for own in inputs]) for name in self.law.inputs}

    def rotate(self, values: Floats, *, back: bool = False) -> Floats:
        """Return values (..., n) under each group's rotation, or under its transpose."""
        if not self._rotated:
            return values
        out = np.array(values)
        for problem, part in zip(self.problems, self.parts, strict=True):
            rotation = problem.whitening.rotation
            if rotation is not None:
                out[..., part] = values[..., part] @ (rotation.T if back else rotation)
        return out

    def total(self, terms: Floats) -> Floats:
        """Return sums of terms (..., n) over the runs of each group, shape (..., G)."""
        out = np.zeros((*terms.shape[:-1], len(self.problems)))
        if len(self._filled):
            out[..., self._filled] = np.add.reduceat(terms, self._starts, axis=-1)
        return out

    def _of_run(self, values: Floats) -> Floats:
        """Return values (..., G) of each run's group, shape (..., n)."""
        return np.repeat(values, self._sizes, axis=-1)

    def log_loss(self, x: Floats) -> Floats:
        """Return the law's output on the scale of the likelihood, shape (C, n)."""
        return self._evaluated(self._ratios, self._values(x))

    def _values(self, x: Floats) -> dict[str, Floats]:
        own = zip(self.law.symbols, self.supports, strict=False)
        return {
            symbol: self._of_run(from_unconstrained(x[..., k], support))
            for k, (symbol, support) in enumerate(own)
        }

    def _evaluated(self, at: dict[str, Floats], values: dict[str, Floats]) -> Floats:
        return np.asarray(self.law.link(self.law.evaluate(at, values)))

    def scales(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the variances of rotated residuals (C, n) and tau of each run, or zero."""
        if self.alike:
            return self._of_run(self.variance(x)), np.zeros(1)
        sigma, tau = (self._of_run(np.exp(x[..., self.n_law + k])) for k in range(2))
        return variances(self.eigenvalues, sigma, tau, self.noise.floor), tau

    def _left(self, log_loss: Floats, tau: Floats, weights: Floats) -> Floats:
        rotated = self.rotate(self._seen - log_loss)
        return rotated - tau * (weights @ self.loadings.T) if self.n_weights else rotated

    def log_likelihood(self, x: Floats, weights: Floats) -> Floats:
        """Return the log likelihood of each group, shape (C, G)."""
        with np.errstate(all="ignore"):
            values = self._values(x)
            here = self._evaluated(self._ratios, values)
            value = -self._log_scale - 0.5 * self._deviance(x, weights, here)
            if self._beyond:
                variance, tau = self.scales(x)
                rotated = self._left(here, tau, weights)
                value = value + self._evidence_beyond(values, rotated, variance)
        return np.where(np.isfinite(value), value, -1e300)

    def _deviance(self, x: Floats, weights: Floats, log_loss: Floats) -> Floats:
        nu = self.noise.nu
        if self.alike and nu is None:
            # Where all runs of a group have one variance, their mean square says it all.
            square = self.total(self._left(log_loss, np.zeros(1), weights) ** 2)
            mean = square / np.maximum(self._sizes, 1)
            return np.asarray(self._sizes * deviances(np.sqrt(mean), self.variance(x), nu))
        variance, tau = self.scales(x)
        return self.total(deviances(self._left(log_loss, tau, weights), variance, nu))

    def variance(self, x: Floats) -> Floats:
        """Return the variance (C, G) of residuals in which no discrepancy is left."""
        return np.asarray(variances(0.0, np.exp(x[..., self.n_law]), 0.0, self.noise.floor))

    def _evidence_beyond(
        self, values: dict[str, Floats], rotated: Floats, variance: Floats
    ) -> Floats:
        kappa = self.problems[0].kappa
        at_edge = self._joined([problem.ratios_at_edge for problem in self.problems])
        promise = self.rotate(promised(self.law, self._ratios, at_edge, values))
        mean, spread = undelivered(rotated, variance, promise, kappa, self.total)
        return np.asarray(log_evidence(mean, spread, kappa))

    def slopes(self, x: Floats) -> tuple[Floats, Floats]:
        """Return `log_loss` and its slopes in the law's coordinates, shape (C, L, n)."""
        values = self._values(x)
        here = self._evaluated(self._ratios, values)
        slopes = np.empty((len(x), self.n_law, here.shape[1]))
        for k, symbol in enumerate(self.law.symbols):
            moved = self._of_run(from_unconstrained(x[..., k] + _STEP, self.supports[k]))
            there = self._evaluated(self._ratios, {**values, symbol: moved})
            slopes[:, k] = (there - here) / _STEP
        return here, slopes

    def columns(self, x: Floats) -> Floats:
        """Return rotated slopes, loadings and residuals beside each other, (C, L + M + 1, n)."""
        with np.errstate(all="ignore"):
            here, slopes = self.slopes(x)
        loadings = np.broadcast_to(self.loadings.T, (len(x), *self.loadings.T.shape))
        residuals = self.rotate(self._seen - here)[:, None]
        joined = [self.rotate(slopes), loadings, residuals]
        return np.nan_to_num(np.concatenate(joined, axis=1))

    def force(self, x: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Return the gradient of the log likelihood in the law's coordinates and the weights.

        Returns
        -------
        of_law : array, shape (C, G, L)
        of_weights : array, shape (C, M)
            What does not arrive beyond c* is left out: a force need not be exact.
        """
        with np.errstate(all="ignore"):
            here, slopes = self.slopes(x)
            variance, tau = self.scales(x)
            pull = self._pull(self._left(here, tau, weights), variance)
            of_law = self.total(slopes * self.rotate(pull, back=True)[:, None])
            return of_law.swapaxes(1, 2), (tau * pull) @ self.loadings

    def _pull(self, rotated: Floats, variance: Floats) -> Floats:
        nu = self.noise.nu
        if nu is None:
            return rotated / variance
        return (nu + 1.0) * rotated / (nu * variance + rotated**2)


class Guides:
    """Every group's law made linear about some points: quadratics follow for any scales.

    Parameters
    ----------
    likelihood : StackedLikelihood
        Of the groups.
    points : array, shape (J, G, P)
        Where each group's law is made linear.
    """

    def __init__(self, likelihood: StackedLikelihood, points: Floats) -> None:
        self._points, self._likelihood = points[..., : likelihood.n_law], likelihood
        rows, others, counts = _pairs_by_features(likelihood.n_law, likelihood.n_weights)
        self._once, self._twice = (slice(k, None) for k in np.cumsum(counts)[:2])
        self._unfold = np.zeros((rows.max() + 1,) * 2, dtype=int)
        self._unfold[rows, others] = self._unfold[others, rows] = np.arange(len(rows))
        columns = likelihood.columns(points)
        pairs = columns[:, rows] * columns[:, others]
        self._sums = likelihood.total(pairs).swapaxes(1, 2)
        self._pairs = [pairs[..., part].swapaxes(1, 2).copy() for part in likelihood.parts]

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self._points)

    def at(self, chosen: np.ndarray) -> Floats:
        """Return the points (C, G, L) that chains chose, of indices (C, G)."""
        return self._points[chosen, np.arange(self._points.shape[1])]

    def given(self, x: Floats, chosen: np.ndarray) -> Floats:
        """Return products of columns (slopes, features, residual) weighted at the scales of x.

        Parameters
        ----------
        x : array, shape (C, G, P)
            Coordinates; only their scales matter.
        chosen : array of int, shape (C, G)
            Which point.

        Returns
        -------
        array, shape (C, G, L + M + 1, L + M + 1)
            With features times tau.
        """
        known, groups = self._likelihood, np.arange(x.shape[1])
        if known.alike:
            folded = self._sums[chosen, groups] / known.variance(x)[..., None]
        else:
            folded = self._folded(1.0 / known.scales(x)[0], chosen)
        if known.n_weights:
            tau = np.exp(x[..., [known.n_law + 1]])
            folded[..., self._once] *= tau
            folded[..., self._twice] *= tau
        return np.asarray(np.take(folded, self._unfold, axis=2))

    def _folded(self, held: Floats, chosen: np.ndarray) -> Floats:
        out = np.empty((*chosen.shape, self._sums.shape[2]))
        for g, part in enumerate(self._likelihood.parts):
            if len(self) == 1:
                np.matmul(held[:, part], self._pairs[g][0], out=out[:, g])
                continue
            for j in np.unique(chosen[:, g]):
                rows = chosen[:, g] == j
                out[rows, g] = held[rows, part] @ self._pairs[g][j]
        return out


def _pairs_by_features(n_law: int, n_weights: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of columns, those without features first; how many have none, one and two."""
    rows, others = np.triu_indices(n_law + n_weights + 1)
    is_feature = np.arange(rows.max() + 1) - n_law
    is_feature = (is_feature >= 0) & (is_feature < n_weights)
    features = is_feature[rows].astype(int) + is_feature[others]
    order = np.argsort(features, kind="stable")
    return rows[order], others[order], np.bincount(features, minlength=3)
