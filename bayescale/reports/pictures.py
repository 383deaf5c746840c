"""The pictures of a report, each with words for those who cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayescale.forecasts.ladder import ladder
from bayescale.plots.budget import plot_budget
from bayescale.plots.coefficients import plot_coefficients
from bayescale.plots.extrapolation import plot_extrapolation
from bayescale.plots.forest import plot_forest
from bayescale.plots.held_out import plot_held_out
from bayescale.plots.probability import plot_probability
from bayescale.plots.residuals import plot_residuals
from bayescale.plots.split import plot_split
from bayescale.plots.variance_components import plot_variance_components
from bayescale.reports import sentences
from bayescale.reports.content import Picture
from bayescale.reports.gathered import Gathered

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def extrapolation(made: Gathered) -> Picture:
    """Return the one picture: along the ray of the point that matters most."""
    forecast, point, hidden = made.main, made.point, made.hidden
    if hidden is not None and made.label not in hidden.forecast.points.labels:
        hidden = None
    target = made.decision.scenario.target.loss if made.decision else None

    def draw() -> Axes:
        group = forecast.posterior.group_index(made.label)
        curve = ladder(forecast, group, through=point)
        return plot_extrapolation(forecast, hidden, target, group, ladder=curve)

    alt = sentences.picture(forecast, point, target, hidden)
    return Picture("extrapolation", draw, alt, sentences.PICTURE)


def probability(made: Gathered) -> Picture:
    """Return the chance of any loss for every candidate."""
    assert made.decision is not None
    names = [outcome.name for outcome in made.decision.candidates]
    target = made.decision.scenario.target.loss
    return Picture(
        "probability",
        lambda: plot_probability(made.main, target, names),
        sentences.PROBABILITY_ALT,
        sentences.DISTRIBUTION,
    )


def budget(made: Gathered) -> Picture:
    """Return the chance of the target against what the run costs."""
    decision, question = made.decision, made.question
    assert decision is not None
    assert question is not None
    alt = " ".join([sentences.BUDGET_ALT, *sentences.budget_ahead(decision)])
    return Picture("budget", lambda: plot_budget(decision, question), alt)


def split(made: Gathered) -> Picture:
    """Return what splits of the compute cost."""
    found = made.split
    assert found is not None
    return Picture("split", lambda: plot_split(found), sentences.SPLIT_ALT)


def held_out(made: Gathered) -> Picture:
    """Return what was predicted of the hidden runs against what happened."""
    hidden = made.hidden
    assert hidden is not None
    return Picture("held-out", lambda: plot_held_out(hidden), sentences.coverage(hidden))


def coefficients(made: Gathered) -> Picture:
    """Return the posterior of the textbook coefficients."""
    posterior, group = made.posterior, made.group
    said = ", ".join(
        f"{symbol} {np.median(draws):.3g}" for symbol, draws in posterior.textbook(group).items()
    )
    alt = f"{sentences.COEFFICIENTS_ALT} {said}."
    return Picture("coefficients", lambda: plot_coefficients(posterior, group)[0], alt)


def residuals(made: Gathered) -> Picture:
    """Return what the law leaves of the fitted runs."""
    posterior, group = made.posterior, made.group
    return Picture(
        "residuals", lambda: plot_residuals(posterior, group)[0], sentences.RESIDUALS_ALT
    )


def shrinkage(frame: pd.DataFrame) -> Picture:
    """Return where pooling moved the groups."""
    return Picture("shrinkage", lambda: plot_forest(frame)[0], sentences.SHRINKAGE_ALT)


def variance_components(frame: pd.DataFrame) -> Picture:
    """Return by which factor groups differ."""
    return Picture(
        "variance-components", lambda: plot_variance_components(frame), sentences.VARIANCE_ALT
    )
