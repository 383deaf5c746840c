"""Runs the fit never saw, next to what was predicted of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescale.errors import ForecastError
from bayescale.forecasts.forecast import Forecast, forecast
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats
from bayescale.runs.runs_table import RunsTable


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Hidden runs and their forecast, row by row.

    Parameters
    ----------
    runs : RunsTable
        Runs left out of the fit.
    forecast : Forecast
        One point a run, in the same order.
    """

    runs: RunsTable
    forecast: Forecast

    def __len__(self) -> int:
        """Return the number of hidden runs."""
        return len(self.runs)

    def __repr__(self) -> str:
        """Return one line: how many runs, and how many a 90 % interval holds."""
        held = int(self.inside(0.9).sum())
        return f"HeldOut: {held} of {len(self)} hidden runs inside their 90 % interval"

    @cached_property
    def actual(self) -> Floats:
        """Measured loss of each run, nats per token."""
        return self.runs.numbers(self.forecast.posterior.law.output)

    def inside(self, ci_prob: float = 0.9) -> np.ndarray:
        """Return which runs lie inside their central interval, shape (P,)."""
        low, high = self.forecast.interval(ci_prob).T
        return np.asarray((low <= self.actual) & (self.actual <= high))

    def coverage(self, ci_prob: float = 0.9) -> float:
        """Return the share of runs inside their central interval."""
        return float(self.inside(ci_prob).mean())


def hold_out(posterior: Posterior, runs: RunsTable | HeldOut) -> HeldOut:
    """Forecast runs that the fit did not see.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    runs : RunsTable or HeldOut
        The hidden runs; what is already forecast is returned as it is.

    Raises
    ------
    ForecastError
        When there is no run.
    """
    if isinstance(runs, HeldOut):
        return runs
    usable, _ = runs.usable()
    if not len(usable):
        raise ForecastError(
            f'hold_out: table "{runs.name}" holds no usable run.',
            "Hide fewer runs, or look at RunsTable.usable().",
        )
    return HeldOut(usable, forecast(posterior, usable.frame, warn=False))
