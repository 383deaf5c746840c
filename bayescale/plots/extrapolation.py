"""Loss against compute: the fitted runs, the predictive bands, and what lies beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.held_out import HeldOut
from bayescale.forecasts.ladder import ladder as make_ladder
from bayescale.plots import style
from bayescale.plots.compute import compute, compute_label
from bayescale.runs.schema import N_PARAMS, N_TOKENS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEAR = 2.0
"""Runs within this factor of the ray's D/N are drawn dark: the curve is a forecast for them."""

LOG_FROM = 2.0
"""Ratio of losses from which the loss axis is logarithmic, so that small losses keep room."""


def plot_extrapolation(
    forecast: Forecast,
    hidden: HeldOut | None = None,
    target: float | None = None,
    group: int = 0,
    ax: Axes | None = None,
    *,
    ladder: Forecast | None = None,
) -> Axes:
    """Plot loss against compute from the smallest fitted run to past the forecast points.

    Parameters
    ----------
    forecast : Forecast
        Points to mark with their 50 and 90 % intervals; the largest sets the ray of the curve.
    hidden : HeldOut, optional
        Runs kept from the fit, drawn with their own 90 % intervals.
    target : float, optional
        Loss to mark with a line.
    group : int
        Index of the group in the posterior.
    ax : Axes, optional
        Where to draw; a new figure by default.
    ladder : Forecast, optional
        Points of the curve in order of compute; by default constant D/N (`forecasts.ladder`).

    Returns
    -------
    Axes
        With a logarithmic compute axis.
    """
    ax = ax or style.new_axes()[0]
    curve = ladder or make_ladder(forecast, group)
    _fitted(ax, forecast, group, curve)
    _bands(ax, curve)
    if hidden is not None:
        _hidden(ax, hidden, forecast.posterior.labels[group])
    _points(ax, forecast, group)
    if target is not None:
        line = ax.axhline(
            target, color=style.TARGET, linewidth=1.4, linestyle=(0, (5, 2)), zorder=3
        )
        line.set_gid("target")
        said = ax.annotate(
            f"target {target:.4g}",
            (0.01, target),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            color=style.TARGET,
            fontsize=style.SMALL,
        )
        said.set_gid("target-label")
    law = forecast.posterior.law
    style.log_axis(ax)
    style.furnish(ax, compute_label(law.inputs), style.output_label(law))
    _limits(ax, forecast, group, curve, hidden, target)
    style.legend(ax, "upper right")
    return ax


def _fitted(ax: Axes, forecast: Forecast, group: int, curve: Forecast) -> None:
    problem = forecast.posterior.problems[group]
    if not len(problem):
        return
    x, y = compute(problem.inputs), problem.law.inverse_link(problem.log_loss)
    near = np.ones(len(x), dtype=bool)
    name = "fitted runs"
    if set(problem.inputs) == {N_PARAMS, N_TOKENS}:
        ray = float(curve.points.inputs[N_TOKENS][-1] / curve.points.inputs[N_PARAMS][-1])
        ratio = problem.inputs[N_TOKENS] / problem.inputs[N_PARAMS]
        near = np.abs(np.log(ratio / ray)) <= np.log(NEAR)
        name = f"fitted runs, D/N near {ray:.3g}" if near.any() else name
    if not near.all():
        other = "fitted runs, other D/N" if near.any() else name
        ax.scatter(
            x[~near], y[~near], s=11, facecolors="none", edgecolors=style.FITTED,
            linewidths=0.7, alpha=0.55, zorder=2, label=other,
        )  # fmt: skip
    if near.any():
        ax.scatter(x[near], y[near], s=15, color=style.INK, linewidths=0, zorder=4, label=name)
    ax.axvspan(x.min(), x.max(), color=style.FITTED, alpha=0.08, linewidth=0, zorder=0)
    ax.annotate(
        "fitted", (x.max(), 0.0), xycoords=("data", "axes fraction"), xytext=(-3, 4),
        textcoords="offset points", ha="right", fontsize=style.SMALL, color=style.MUTED,
    )  # fmt: skip


def _bands(ax: Axes, curve: Forecast) -> None:
    x = compute(curve.points.inputs)
    for ci_prob, alpha in ((0.9, 0.18), (0.5, 0.30)):
        low, high = curve.interval(ci_prob).T
        ax.fill_between(
            x, low, high, color=style.FORECAST, alpha=alpha, linewidth=0, zorder=1,
            label=f"{100 * ci_prob:.0f} % predictive",
        )  # fmt: skip
    ax.plot(x, curve.median, color=style.FORECAST, linewidth=1.6, zorder=3, label="median")


def _hidden(ax: Axes, hidden: HeldOut, label: tuple[str, ...]) -> None:
    rows = np.array([name == label for name in hidden.forecast.points.labels])
    x = compute(hidden.forecast.points.inputs)[rows]
    low, high = hidden.forecast.interval(0.9)[rows].T
    ax.vlines(x, low, high, color=style.ACTUAL, linewidth=1.0, alpha=0.55, zorder=4)
    ax.scatter(
        x, hidden.actual[rows], s=20, marker="D", color=style.ACTUAL, edgecolors=style.SURFACE,
        linewidths=0.6, zorder=8, label="hidden runs, own 90 %",
    )  # fmt: skip


def _points(ax: Axes, forecast: Forecast, group: int) -> None:
    label = forecast.posterior.labels[group]
    rows = np.array([name == label for name in forecast.points.labels])
    x = compute(forecast.points.inputs)[rows]
    for ci_prob, width in ((0.9, 1.4), (0.5, 4.0)):
        low, high = forecast.interval(ci_prob)[rows].T
        ax.vlines(x, low, high, color=style.FORECAST, linewidth=width, zorder=5)
    ax.scatter(
        x, forecast.median[rows], s=34, color=style.SURFACE, edgecolors=style.FORECAST,
        linewidths=1.6, zorder=7, label="forecast, 50 and 90 %",
    )  # fmt: skip


def _limits(
    ax: Axes,
    forecast: Forecast,
    group: int,
    curve: Forecast,
    hidden: HeldOut | None,
    target: float | None,
) -> None:
    """Show every run and interval, but not the ray where it leaves the runs far above."""
    problem = forecast.posterior.problems[group]
    observed = problem.law.inverse_link(problem.log_loss)
    values = [observed, forecast.interval(0.9).ravel(), curve.median[-1:], curve.interval(0.9)[-1]]
    values += [hidden.actual] if hidden is not None else []
    values += [np.array([target])] if target is not None else []
    low, high = np.concatenate(values).min(), np.concatenate(values).max()
    if high > LOG_FROM * low:
        style.plain_log_axis(ax)
        low, high = low / (high / low) ** 0.05, high * (high / low) ** 0.05
    else:
        low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    ax.set_ylim(low, high)
