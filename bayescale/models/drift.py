"""How a curve leaves its law: slowly, more at its start, partly as its siblings do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayescale.errors import ModelError, UnknownNameError
from bayescale.models.discrepancy import Discrepancy, Floats

Kind = Literal["integrated", "stationary"]
KINDS: tuple[Kind, ...] = ("integrated", "stationary")


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The shape of a curve's error beside the numbers of `Discrepancy`.

    Parameters
    ----------
    kind : {"integrated", "stationary"}
        ``integrated``: the slope of log output against log step errs as an Ornstein-Uhlenbeck
        process, so that the error grows from the last point on; for curves alone. ``stationary``:
        the output itself errs as a Matern-3/2 process in log step; for runs that share a law.
    common : float
        Share of the error's variance that runs of a family have in common at like steps; runs of
        two families err apart.
    run : float
        Variance of a run's own level, over that of the error.
    fall : float
        Variance of a run's own error of what a fall of its learning rate to zero gains, over that
        of the error.
    noise_power : float
        How the noise of the log of a positive output grows as the output falls: 0 for noise that is
        a share of the output, 1 for noise alike in its own units.
    """

    kind: Kind
    common: float = 0.0
    run: float = 0.0
    fall: float = 0.0
    noise_power: float = 0.0

    def __post_init__(self) -> None:
        """Check kind and shares."""
        if self.kind not in KINDS:
            raise UnknownNameError("drift", self.kind, KINDS)
        limits = {"common": 1.0, "run": 100.0, "fall": 100.0, "noise_power": 1.0}
        for field, highest in limits.items():
            if not 0.0 <= getattr(self, field) <= highest:
                raise ModelError(
                    f"drift: {field} is {getattr(self, field)!r}, expected 0 to {highest:g}."
                )


@dataclass(frozen=True, eq=False)
class Places:
    """Where outputs stand: log steps, runs and how far the learning rate has fallen.

    Parameters
    ----------
    x : array, shape (n,)
        Log steps less that of the last fitted one.
    run, family : array of int, shape (n,)
        Index of the run, and of its family.
    fallen : array, shape (n,)
        Fall of the learning rate since its peak, over the peak; zero where there is no schedule.
    """

    x: Floats
    run: Floats
    family: Floats
    fallen: Floats


def drift_covariance(drift: Drift, shape: Discrepancy, places: Places, others: Places) -> Floats:
    """Return the covariance of a group's error at unit tau, shape (m, n).

    Parameters
    ----------
    drift, shape : Drift, Discrepancy
        Kind and shares; length in e-folds of the step, and growth (`rho`) per e-fold before the
        last fitted step.
    places, others : Places
        m and n of them.
    """
    grown, other_grown = (np.exp(shape.rho * np.maximum(-p.x, 0.0)) for p in (places, others))
    base = _KERNELS[drift.kind](places.x[:, None], others.x[None, :], shape.length)
    same = places.run[:, None] == others.run[None, :]
    kin = places.family[:, None] == others.family[None, :]
    shared = np.where(same, 1.0, drift.common * kin)
    own = drift.run + drift.fall * places.fallen[:, None] * others.fallen[None, :]
    return np.asarray(shared * base * grown[:, None] * other_grown[None, :] + own * same)


def _integrated(x: Floats, y: Floats, length: float) -> Floats:
    """Return the covariance of integrals from 0 of a process with covariance exp(-|x - y| / l)."""

    def part(z: Floats) -> Floats:
        z = np.abs(z) / length
        return np.asarray(length**2 * (z + np.expm1(-z)))

    return part(x) + part(y) - part(x - y)


def _stationary(x: Floats, y: Floats, length: float) -> Floats:
    scaled = np.sqrt(3.0) * np.abs(x - y) / length
    return np.asarray((1.0 + scaled) * np.exp(-scaled))


_KERNELS = {"integrated": _integrated, "stationary": _stationary}
