"""The pictures of a report, each as inline SVG with words for those who cannot see it."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from bayescale.decisions.decision import Decision
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.held_out import HeldOut
from bayescale.forecasts.ladder import ladder
from bayescale.inference.posterior import Posterior
from bayescale.plots.coefficients import plot_coefficients
from bayescale.plots.extrapolation import plot_extrapolation
from bayescale.plots.held_out import plot_held_out
from bayescale.plots.probability import plot_probability
from bayescale.plots.residuals import plot_residuals
from bayescale.reports import sentences
from bayescale.reports.figures import inline_svg


def extrapolation(
    forecast: Forecast, point: int, target: float | None, hidden: HeldOut | None
) -> Markup:
    """Draw the one picture: along the ray of the point that matters most."""
    label = forecast.points.labels[point]
    group = forecast.posterior.group_index(label)
    if hidden is not None and label not in hidden.forecast.points.labels:
        hidden = None
    curve = ladder(forecast, group, through=point)
    ax = plot_extrapolation(forecast, hidden, target, group, ladder=curve)
    return inline_svg(ax, "main", sentences.picture(forecast, point, target, hidden))


def probability(decision: Decision, forecast: Forecast) -> Markup:
    """Draw the chance of any loss for every candidate."""
    names = [outcome.name for outcome in decision.candidates]
    ax = plot_probability(forecast, decision.scenario.target.loss, names)
    return inline_svg(ax, "chance", sentences.PROBABILITY_ALT)


def held_out(hidden: HeldOut) -> Markup:
    """Draw what was predicted of the hidden runs against what happened."""
    return inline_svg(plot_held_out(hidden), "hidden", sentences.coverage(hidden))


def coefficients(posterior: Posterior, group: int) -> Markup:
    """Draw the posterior of the textbook coefficients."""
    said = ", ".join(
        f"{symbol} {np.median(draws):.3g}" for symbol, draws in posterior.textbook(group).items()
    )
    ax = plot_coefficients(posterior, group)[0]
    return inline_svg(ax, "law", f"{sentences.COEFFICIENTS_ALT} {said}.")


def residuals(posterior: Posterior, group: int) -> Markup:
    """Draw what the law leaves of the fitted runs."""
    return inline_svg(plot_residuals(posterior, group)[0], "left", sentences.RESIDUALS_ALT)
