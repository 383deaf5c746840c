"""A running job next to its forecast: what is expected of it now, and whether to go on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayescale.forecasts.curve_points import CurvePoints
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predictive import tails
from bayescale.models.discrepancy import Floats
from bayescale.runs.importers.run_log import LossCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAND_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Probabilities of the band's lines."""

SURPRISING = 9.0
"""Mean squared residual, 1 expected, beyond which a curve is like none that was learned."""


@dataclass(frozen=True, eq=False)
class Watch:
    """A job that is running, next to what was forecast of it. Made by `watch`.

    Parameters
    ----------
    curve : LossCurve
        What its log holds.
    planned : float
        Tokens of the whole run, or steps where the log does not tell tokens.
    done : float
        Share of the planned run at the last logged loss.
    inputs : dict of str to float
        The run as the forecast knows it.
    points : CurvePoints
        The curve as it is used.
    before, prior, now : Mixture
        Log of the final loss: as forecast, the same with some doubt that this is the run that was
        forecast (`curve_update.with_doubt`), and with the curve.
    share, band : array, shape (G,) and (5, G)
        Shares of the run, and the losses forecast there at `BAND_LEVELS`.
    target : float or None
        Loss that the run is made for.
    stop_rate : float
        Most of the runs that would meet the target which may be stopped.
    n_shapes : float
        Effective number of shapes of a curve that are left.
    surprise : float
        How unlike the learned ones the curve is; about 1.
    notes : tuple of str
        What a reader must know.
    """

    curve: LossCurve
    planned: float
    done: float
    inputs: dict[str, float]
    points: CurvePoints
    before: Mixture
    prior: Mixture
    now: Mixture
    share: Floats
    band: Floats
    target: float | None
    stop_rate: float
    n_shapes: float
    surprise: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return one line: how far, the last loss, the final loss expected, the target."""
        low, high = self.interval(0.9)
        chance = ""
        if self.target is not None:
            verdict = "; STOP" if self.stop else ""
            chance = f"; P(at most {self.target:.4g}) = {self.prob_target:.3g}{verdict}"
        last = (
            f"at {self.curve.loss[-1]:.4g}, {self.place} the band"
            if self.done > 0
            else "no loss yet"
        )
        return (
            f"Watch of {self.curve.name}: {self.done:.1%} done, {last}; final loss"
            f" {self.median:.4g} [{low:.4g}, {high:.4g}] at 90 %{chance}"
        )

    def quantile(self, p: float) -> float:
        """Return the final loss below which lies probability `p`, with what is known now."""
        return float(np.exp(self.now.quantile(np.array([p]))[0, 0]))

    @cached_property
    def median(self) -> float:
        """Median of the final loss."""
        return self.quantile(0.5)

    def interval(self, ci_prob: float = 0.9) -> tuple[float, float]:
        """Return the central interval of the final loss.

        Parameters
        ----------
        ci_prob : float
            Probability inside.
        """
        low, high = tails(ci_prob)
        return self.quantile(low), self.quantile(high)

    def prob_below(self, loss: float) -> float:
        """Return the probability that the final loss is at most `loss`."""
        return float(self.now.cdf(np.log([loss]))[0])

    @property
    def prob_target(self) -> float:
        """Probability of meeting the target, with what is known now; NaN without one."""
        return float("nan") if self.target is None else self.prob_below(self.target)

    @property
    def prob_target_before(self) -> float:
        """Probability of meeting the target before the run, doubt included; NaN without one."""
        return (
            float("nan") if self.target is None else float(self.prior.cdf(np.log([self.target]))[0])
        )

    @property
    def stop(self) -> bool:
        """Whether the probability has fallen to `stop_rate` of what it was before the run.

        However often one looks, of the runs that would meet the target at most a share
        `stop_rate` is stopped, as far as the probabilities are true: given that the target is met,
        the probability before over the one now is a supermartingale of mean at most 1, which by
        Ville's inequality ever exceeds 1 / `stop_rate` with probability at most `stop_rate`.
        """
        return (
            self.target is not None and self.prob_target <= self.stop_rate * self.prob_target_before
        )

    @property
    def place(self) -> Literal["inside", "above", "below"]:
        """Where the last point lies: inside the band, or above or below its 90 %."""
        if not len(self.points):
            return "inside"
        low, high = (
            np.interp(self.points.share[-1], self.share, line)
            for line in (self.band[0], self.band[-1])
        )
        last = float(np.exp(self.points.log_loss[-1]))
        return "below" if last < low else "above" if last > high else "inside"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        low, high = self.interval(0.9)
        return {
            "run": self.curve.name,
            "metric": self.curve.metric,
            "inputs": dict(self.inputs),
            "planned": self.planned,
            "done": self.done,
            "loss": float(self.curve.loss[-1]) if len(self.curve) else None,
            "place": self.place,
            "final_loss": {"median": self.median, "q05": low, "q95": high},
            "forecast": {f"q{100 * p:02.0f}": self._before(p) for p in (0.05, 0.5, 0.95)},
            "target": self.target,
            "prob_target": self.prob_target if self.target is not None else None,
            "prob_target_before": self.prob_target_before if self.target is not None else None,
            "stop_rate": self.stop_rate,
            "stop": self.stop,
            "n_shapes": self.n_shapes,
            "surprise": self.surprise,
            "notes": list(self.notes),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the losses so far, the forecast band, and the final loss before and now."""
        from bayescale.plots.watch import plot_watch

        return plot_watch(self, ax=ax)

    def _before(self, p: float) -> float:
        return float(np.exp(self.before.quantile(np.array([p]))[0, 0]))
