"""A curve's forecast: bands by step over what the run has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.forecasts.curve_forecast import CurveForecast


def plot_curve_forecast(forecast: CurveForecast, ax: Axes | None = None) -> Axes:
    """Plot the median and the 50 and 90 % bands of a curve.

    Parameters
    ----------
    forecast : CurveForecast
        From `forecast_curve`.
    ax : Axes, optional
        Where to draw; a new figure by default.
    """
    ax = ax or style.new_axes()[0]
    for ci_prob, alpha in ((0.9, 0.18), (0.5, 0.3)):
        low, high = forecast.interval(ci_prob).T
        ax.fill_between(
            forecast.at, low, high, color=style.FORECAST, alpha=alpha, linewidth=0,
            label=f"{100 * ci_prob:.0f} %",
        )  # fmt: skip
    ax.plot(forecast.at, forecast.median, color=style.FORECAST, linewidth=1.6, label="median")
    if forecast.observed is not None:
        seen = forecast.observed
        ax.plot(seen.at, seen.output, ".", color=style.ACTUAL, markersize=3, label="observed")
    if forecast.at.max() > 10.0 * forecast.at.min():
        style.log_axis(ax)
    label = style.output_label(forecast.law)
    style.furnish(ax, forecast.along, label, forecast.run or "new run")
    style.legend(ax, "best")
    return ax
