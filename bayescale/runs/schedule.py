"""The learning rate of a run as a staircase: what it was, or will be, from each step on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.errors import RunsTableError

Floats = np.ndarray[Any, np.dtype[np.float64]]

_STAIRS = 128
"""Stairs of a smooth decay: their error is far below what a loss shows."""

_JUMP = 0.2
"""A larger change of the rate between two rows of a log, over the rate, is a jump."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """A learning rate by step.

    Parameters
    ----------
    steps : array, shape (n,)
        Steps, rising, at which the rate changes.
    rates : array, shape (n,)
        Rate from each of them on; zero before the first.

    Raises
    ------
    RunsTableError
        For steps that do not rise, or rates that are negative, not finite, or all zero.
    """

    steps: Floats
    rates: Floats

    def __post_init__(self) -> None:
        """Check steps and rates."""
        steps, rates = np.asarray(self.steps, float), np.asarray(self.rates, float)
        if steps.shape != rates.shape or steps.ndim != 1 or not len(steps):
            raise RunsTableError(
                f"schedule: {steps.size} steps beside {rates.size} rates, expected as many of both."
            )
        falls = ~(np.diff(steps) > 0.0)
        if falls.any():
            raise RunsTableError(
                f"schedule: step {steps[1:][falls][0]:g} follows {steps[:-1][falls][0]:g},"
                " but steps must rise."
            )
        wrong = ~np.isfinite(rates) | (rates < 0.0)
        if wrong.any() or not rates.max() > 0.0:
            found = rates[wrong][0] if wrong.any() else rates.max()
            raise RunsTableError(
                f"schedule: learning rate {found:g}, expected finite rates, none below zero and"
                " one above."
            )
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "rates", rates)

    def __repr__(self) -> str:
        """Return one line: the peak, the last rate and the steps."""
        return (
            f"Schedule: peak {self.peak:.3g}, {self.rates[-1]:.3g} from step {self.steps[-1]:.6g}"
        )

    @property
    def peak(self) -> float:
        """Largest rate."""
        return float(self.rates.max())

    @property
    def peaks_at(self) -> float:
        """First step of the largest rate: where a warm-up ends."""
        return float(self.steps[np.argmax(self.rates)])

    def area(self, at: Any) -> Floats:
        """Return the sum of rates over all steps before each of `at`, same shape."""
        at = np.asarray(at, dtype=float)
        before = np.concatenate([[0.0], np.cumsum(self.rates[:-1] * np.diff(self.steps))])
        k = np.maximum(np.searchsorted(self.steps, at, side="right") - 1, 0)
        return np.asarray(before[k] + self.rates[k] * np.maximum(at - self.steps[k], 0.0))

    @classmethod
    def constant(cls, peak: float, *, warmup: float = 0.0) -> Schedule:
        """Return a linear warm-up of `warmup` steps to a rate that stays."""
        return cls(*_joined(_ramp(peak, warmup), ([warmup], [peak])))

    @classmethod
    def cosine(
        cls, peak: float, n_steps: float, *, final: float = 0.0, warmup: float = 0.0
    ) -> Schedule:
        """Return a warm-up and half a cosine that reaches the rate `final` at `n_steps`."""
        share = np.arange(_STAIRS) / _STAIRS
        rates = final + 0.5 * (peak - final) * (1.0 + np.cos(np.pi * share))
        steps = warmup + share * (n_steps - warmup)
        return cls(*_joined(_ramp(peak, warmup), (steps, rates), ([n_steps], [final])))

    @classmethod
    def wsd(
        cls, peak: float, n_steps: float, *, decay: float, final: float = 0.0, warmup: float = 0.0
    ) -> Schedule:
        """Return a warm-up, a stable stretch and `decay` steps of linear decay to `final`."""
        share = np.arange(_STAIRS) / _STAIRS
        falling = (n_steps - decay + share * decay, peak + share * (final - peak))
        stable = ([warmup], [peak]) if warmup < n_steps - decay else ([], [])
        return cls(*_joined(_ramp(peak, warmup), stable, falling, ([n_steps], [final])))


def _ramp(peak: float, warmup: float) -> tuple[Any, Any]:
    """Return a linear warm-up, each stair at the rate of its middle."""
    share = np.arange(32) / 32
    return (share * warmup, (share + 0.5 / 32) * peak) if warmup > 0.0 else ([], [])


def _joined(*parts: tuple[Any, Any]) -> tuple[Floats, Floats]:
    steps, rates = (np.concatenate([np.asarray(p[k], float) for p in parts]) for k in (0, 1))
    return steps, rates


def logged(steps: Any, rates: Any, warmup: float = 0.0) -> Schedule:
    """Return the schedule that a log shows, which starts late and skips steps.

    Parameters
    ----------
    steps, rates : array, shape (n,)
        Logged steps, rising, and the rate at each.
    warmup : float
        Steps of linear warm-up from step 0; the first rate holds from there on.

    Notes
    -----
    Between two rows a rate that moves by less than a fifth is taken to glide, and changes half-way;
    one that moves by more has jumped, at the row that shows it.
    """
    steps, rates = np.asarray(steps, float), np.asarray(rates, float)
    start = min(warmup, float(steps[0]))
    jumps = np.abs(np.diff(rates)) > _JUMP * rates[:-1]
    moved = np.where(jumps, steps[1:], 0.5 * (steps[1:] + steps[:-1]))
    changes = np.diff(rates) != 0.0
    first = ([start], [rates[0]])
    return Schedule(
        *_joined(_ramp(float(rates[0]), start), first, (moved[changes], rates[1:][changes]))
    )
