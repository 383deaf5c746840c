"""What an outcome is worth, and how its holder feels about losing money."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from bayescale.decisions.part import Amount, Number, Part
from bayescale.models.discrepancy import Floats

RUIN = 500.0
"""Losses beyond this many tolerances are all alike: any chance of one decides."""


class Value(Part):
    """What meeting the target is worth, and coming near it or beating it.

    Parameters
    ----------
    usd : float, optional
        Worth at the target, USD; ``piecewise`` reads it off `points`.
    shape : {"step", "linear", "piecewise"}
        ``step``: all of `usd` at the target or below it, nothing above. ``linear``: a straight line
        through `usd` at the target and nothing at `worthless_at`, on to lower values.
        ``piecewise``: straight lines between `points`, level beyond the ends.
    worthless_at : float, optional
        Loss (or downstream error) from which on it is worth nothing; ``linear`` only.
    points : tuple of (float, float), optional
        Rising losses, each with its worth in USD, which must not rise; ``piecewise`` only.
    """

    usd: Amount | None = Field(None, gt=0, description="positive USD, such as 50000 or 50K")
    shape: Literal["step", "linear", "piecewise"] = Field(
        "step", description="step, linear or piecewise"
    )
    worthless_at: Number | None = Field(
        None, gt=0, description="a value above the target's, where shape is linear"
    )
    points: tuple[tuple[Number, Amount], ...] | None = Field(
        None, description="a list of [loss, usd], where shape is piecewise"
    )

    @model_validator(mode="after")
    def _check_shape(self) -> Value:
        needed = {"step": "usd", "linear": "worthless_at", "piecewise": "points"}[self.shape]
        if getattr(self, needed) is None or (self.shape == "linear" and self.usd is None):
            raise ValueError(f"shape {self.shape!r} needs {needed}, which is missing")
        for name, shape in (("worthless_at", "linear"), ("points", "piecewise")):
            if getattr(self, name) is not None and self.shape != shape:
                raise ValueError(f"{name} is given, but shape is {self.shape!r}, not {shape!r}")
        if self.shape == "piecewise":
            self._check_points()
        return self

    def _check_points(self) -> None:
        points = self.points or ()
        if self.usd is not None:
            raise ValueError(f"usd is {self.usd:g}, but shape 'piecewise' reads it off points")
        if len(points) < 2 or points[0][1] <= 0 or points[-1][1] < 0:
            raise ValueError("points needs two or more, the first of them worth something")
        for (loss, usd), (higher, later) in pairwise(points):
            if not (higher > loss > 0 and later <= usd):
                raise ValueError(
                    f"points [{loss:g}, {usd:g}] and [{higher:g}, {later:g}] are out of order:"
                    f" losses rise, worths do not"
                )

    def worth(self, outcome: Floats, target: float) -> Floats:
        """Return the worth of outcomes in USD, same shape.

        Parameters
        ----------
        outcome : array
            Loss or downstream error: lower is better.
        target : float
            In the same unit.
        """
        if self.shape == "piecewise":
            losses, usd = np.array(self.points).T
            return np.asarray(np.interp(outcome, losses, usd))
        assert self.usd is not None
        if self.shape == "step":
            return np.asarray(self.usd * (outcome <= target))
        assert self.worthless_at is not None
        share = (self.worthless_at - outcome) / (self.worthless_at - target)
        return np.asarray(self.usd * np.maximum(share, 0.0))

    def at(self, target: float) -> float:
        """Return what just meeting the target is worth, USD."""
        return float(self.worth(np.asarray(target), target))


class Risk(Part):
    """Attitude to losing money: constant absolute risk aversion.

    Parameters
    ----------
    tolerance_usd : float
        Sums far below it are weighed at their mean; about this sum is what one would stake on an
        even chance of winning it or losing half of it.

    References
    ----------
    howard1988decision.
    """

    tolerance_usd: Amount = Field(gt=0, description="positive USD, such as 2M")

    def utility(self, usd: Floats) -> Floats:
        """Return the utility of sums of money, in USD near zero."""
        exponent = np.minimum(-np.asarray(usd) / self.tolerance_usd, RUIN)
        return np.asarray(-self.tolerance_usd * np.expm1(exponent))

    def certain(self, utility: float) -> float:
        """Return the sure sum that is as good as an expected utility."""
        return float(-self.tolerance_usd * np.log1p(-utility / self.tolerance_usd))

    def prize(self, sure: float, probability: float) -> float:
        """Return the sum that, won with a probability, is as good as a sure one."""
        met = -np.expm1(-sure / self.tolerance_usd) / probability if probability else np.inf
        return float(-self.tolerance_usd * np.log1p(-met)) if met < 1.0 else float("inf")

    def slope(self, utility: float) -> float:
        """Return the derivative of `certain`."""
        return 1.0 / (1.0 - utility / self.tolerance_usd)
