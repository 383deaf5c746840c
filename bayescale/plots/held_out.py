"""Predicted interval against actual loss of each hidden run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayescale.forecasts.held_out import HeldOut
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_held_out(hidden: HeldOut, ci_prob: float = 0.9, ax: Axes | None = None) -> Axes:
    """Plot the predictive interval of each hidden run against the loss it reached.

    Intervals that hold their run cross the diagonal.

    Parameters
    ----------
    hidden : HeldOut
        Hidden runs and their forecast.
    ci_prob : float
        Probability of the intervals; the inner half-probability interval is drawn thicker.
    ax : Axes, optional
        Where to draw; a new figure by default.
    """
    ax = ax or style.new_axes(3.9)[0]
    inside = hidden.inside(ci_prob)
    low, high = hidden.forecast.interval(ci_prob).T
    inner_low, inner_high = hidden.forecast.interval(0.5).T
    for rows, color, marker, what in (
        (inside, style.FORECAST, "o", "inside"),
        (~inside, style.ACTUAL, "X", "outside"),
    ):
        x = hidden.actual[rows]
        ax.vlines(x, low[rows], high[rows], color=color, linewidth=1.1, alpha=0.75, zorder=3)
        ax.vlines(
            x, inner_low[rows], inner_high[rows], color=color, linewidth=3.2, alpha=0.45, zorder=3
        )
        ax.scatter(
            x, hidden.forecast.median[rows], s=24, marker=marker, color=color,
            edgecolors=style.SURFACE, linewidths=0.6, zorder=4,
            label=f"{what} {100 * ci_prob:g} %: {rows.sum()} of {len(hidden)}",
        )  # fmt: skip
    ends = np.array([min(low.min(), hidden.actual.min()), max(high.max(), hidden.actual.max())])
    ends = ends + np.array([-0.04, 0.04]) * np.ptp(ends)
    ax.plot(ends, ends, color=style.MUTED, linewidth=1.0, zorder=2)
    width = np.ptp(hidden.actual) or np.ptp(ends)
    ax.set_xlim(hidden.actual.min() - 0.06 * width, hidden.actual.max() + 0.06 * width)
    ax.set_ylim(*ends)
    label = style.output_label(hidden.forecast.posterior.law)
    style.furnish(ax, f"actual {label}", f"predicted {label}")
    style.legend(ax, "upper left")
    return ax
