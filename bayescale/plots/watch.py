"""A running job: its losses, the band that was forecast, and its end before and now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayescale.forecasts.watched import Watch
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOW = 1.03
"""Where the interval of now stands, just right of the end."""


def plot_watch(watched: Watch, ax: Axes | None = None) -> Axes:
    """Plot loss against the share of the run.

    Parameters
    ----------
    watched : Watch
        The job.
    ax : Axes, optional
        Where to draw; a new figure by default.
    """
    ax = ax or style.new_axes()[0]
    low, lower, middle, upper, high = watched.band
    ax.fill_between(watched.share, low, high, color=style.FORECAST, alpha=0.14, linewidth=0)
    ax.fill_between(
        watched.share, lower, upper, color=style.FORECAST, alpha=0.22, linewidth=0,
        label="forecast, 50 and 90 %",
    )  # fmt: skip
    ax.plot(watched.share, middle, color=style.FORECAST, linewidth=1.4)
    ax.plot(
        watched.points.share, np.exp(watched.points.log_loss), ".-", color=style.ACTUAL,
        markersize=4, linewidth=1.2, label=f"{watched.curve.name}, {watched.curve.metric}",
    )  # fmt: skip
    ends = watched.interval(0.9)
    ax.plot([NOW, NOW], ends, color=style.ACTUAL, linewidth=3, alpha=0.6, label="end, as of now")
    ax.plot(NOW, watched.median, "o", color=style.ACTUAL, markersize=5)
    if watched.target is not None:
        ax.axhline(
            watched.target, color=style.TARGET, linewidth=1.4, linestyle=(0, (5, 2)),
            label=f"target {watched.target:.4g}: {100 * watched.prob_target:.0f} %",
        )  # fmt: skip
    # The band is wide where a run begins; what is asked is how it ends.
    seen = [*np.exp(watched.points.log_loss), middle.max()]
    lowest = min(low.min(), *ends, *([] if watched.target is None else [watched.target]))
    ax.set_ylim(0.98 * lowest, 1.1 * max(seen))
    ax.set_xscale("log")
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5, 1.0], ["2 %", "5 %", "10 %", "20 %", "50 %", "100 %"])
    ax.set_xticks([], minor=True)
    style.furnish(ax, "share of the run", "loss (nats per token)")
    style.legend(ax, "upper right")
    return ax
