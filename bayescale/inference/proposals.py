"""Where new scales and spreads are proposed, and candidates wider than a normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.models.discrepancy import Floats

DEGREES = 4.0
_WIDER = 1.15
_NEAR = (0.4, 0.8, 1.6, 2.4)
"""Sizes of local steps, in units of the sd."""


@dataclass(frozen=True)
class LogScales:
    """Logs of scales as they were in the warm-up: S of each of G groups, or of each coefficient.

    Parameters
    ----------
    mean : array, shape (G, S)
        Of the logs.
    factor : array, shape (G, S, S)
        Lower Cholesky factor of their covariance.
    """

    mean: Floats
    factor: Floats

    @classmethod
    def of(cls, draws: Floats) -> LogScales:
        """Return what draws (T, G, S) of the logs look like."""
        mean = draws.mean(axis=0)
        centred = (draws - mean).swapaxes(0, 1)
        covariance = centred.swapaxes(1, 2) @ centred / max(len(draws) - 1, 1)
        return cls(mean, np.linalg.cholesky(covariance + 1e-4 * np.eye(draws.shape[2])))

    def propose(
        self, present: Floats, rng: np.random.Generator, *, fresh: bool
    ) -> tuple[Floats, Floats]:
        """Return new logs (C, G, S), and the log density (C, G) of the way back over the way."""
        normal = np.asarray(rng.standard_normal(present.shape))
        if not fresh:
            step = (self.factor @ normal[..., None])[..., 0]
            return present + rng.choice(_NEAR) * step, np.zeros(present.shape[:2])
        stretch = student_stretch(present.shape, rng)
        moved = self.mean + _WIDER * stretch * (self.factor @ normal[..., None])[..., 0]
        return moved, self._log_density(present) - self._log_density(moved)

    def _log_density(self, x: Floats) -> Floats:
        z = np.linalg.solve(self.factor, (x - self.mean)[..., None])[..., 0]
        return log_student(np.asarray(z / _WIDER))


def student_stretch(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return what makes standard normals (..., D) Student-t vectors, shape (..., 1)."""
    return np.asarray(np.sqrt(DEGREES / rng.chisquare(DEGREES, (*shape[:-1], 1))))


def log_student(z: Floats) -> Floats:
    """Return the log density of standard Student-t vectors z (..., D), but for a constant."""
    dims = z.shape[-1]
    return np.asarray(-0.5 * (DEGREES + dims) * np.log1p((z**2).sum(axis=-1) / DEGREES))


def student(squares: Floats, dims: int) -> Floats:
    """Return the density of standard Student-t vectors of squared length, but for a constant."""
    return np.asarray((1.0 + squares / DEGREES) ** (-0.5 * (DEGREES + dims)))
