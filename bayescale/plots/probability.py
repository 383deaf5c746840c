"""Probability that a new run's loss is at most x, for each forecast point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayescale.errors import ForecastError
from bayescale.forecasts.forecast import Forecast
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = ("solid", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))


def plot_probability(
    forecast: Forecast,
    target: float | None = None,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot the predictive distribution function of each point.

    Parameters
    ----------
    forecast : Forecast
        The candidates.
    target : float, optional
        Loss to mark; the probability of reaching it is written at each curve.
    names : sequence of str, optional
        One a point.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ForecastError
        When there are not as many names as points.
    """
    n_points = len(forecast.points)
    names = [f"point {k + 1}" for k in range(n_points)] if names is None else list(names)
    if len(names) != n_points:
        raise ForecastError(f"plot_probability: {len(names)} names for {n_points} points.")
    ax = ax or style.new_axes(3.3)[0]
    low, high = forecast.quantile([0.003, 0.997])
    marks = [] if target is None else [target]
    x = np.linspace(min([low.min(), *marks]), max([high.max(), *marks]), 200)
    curves = forecast.prob_below(x[:, None])
    for k, name in enumerate(names):
        color = style.MORE[k % len(style.MORE)]
        label = name if target is None else f"{name}: {_at(forecast, target, k)}"
        ax.plot(x, curves[:, k], color=color, linestyle=DASHES[k % 4], linewidth=1.9, label=label)
        if target is not None:
            ax.plot(target, forecast.prob_below(target)[k], "o", color=color, markersize=6)
    likely = target is not None and bool(forecast.prob_below(target).mean() > 0.5)
    if target is not None:
        ax.axvline(target, color=style.TARGET, linewidth=1.4, linestyle=(0, (5, 2)), zorder=1)
        end, shift = (0.0, 6) if likely else (1.0, -10)
        ax.annotate(
            f"target {target:.4g}", (target, end), xycoords=("data", "axes fraction"),
            xytext=(4, shift), textcoords="offset points", color=style.TARGET,
            fontsize=style.SMALL,
        )  # fmt: skip
    ax.set_ylim(-0.02, 1.04)
    ax.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    style.furnish(ax, style.output_label(forecast.posterior.law), "probability of a loss this low")
    style.legend(ax, "upper left" if likely else "lower right")
    return ax


def _at(forecast: Forecast, target: float, point: int) -> str:
    return f"{100 * forecast.prob_below(target)[point]:.0f} %"
