"""What the law leaves of the fitted runs, against compute and against D/N."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayescale.forecasts.forecast import forecast
from bayescale.forecasts.points import Points
from bayescale.inference.posterior import Posterior
from bayescale.plots import style
from bayescale.plots.compute import compute, compute_label
from bayescale.runs.schema import N_PARAMS, N_TOKENS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescale.laws import Law


def plot_residuals(
    posterior: Posterior, group: int = 0, axes: Sequence[Axes] | None = None
) -> list[Axes]:
    """Plot the fitted runs' residuals from the law's median, in per cent of the loss.

    Of the odds, for laws of an output between 0 and 1.
    The law alone is taken, without its discrepancy: a trend here is what the discrepancy is for.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    group : int
        Index of the group.
    axes : sequence of Axes, optional
        One a panel; panels of a new figure by default.

    Returns
    -------
    list of Axes
        Against compute and, for laws of N and D, against D/N.
    """
    problem = posterior.problems[group]
    points = Points(problem.inputs, (posterior.labels[group],) * len(problem))
    law = np.median(forecast(posterior, points, warn=False).parts.law, axis=0)
    left = 100.0 * np.expm1(problem.log_loss - law)
    panels = {compute_label(posterior.law.inputs): compute(problem.inputs)}
    if set(problem.inputs) == {N_PARAMS, N_TOKENS}:
        panels["tokens per parameter D/N"] = problem.inputs[N_TOKENS] / problem.inputs[N_PARAMS]
    axes = axes or style.new_axes(2.7, 1, len(panels))
    noise = 100.0 * _noise_sd(posterior, group)
    for k, (ax, (label, x)) in enumerate(zip(axes, panels.items(), strict=True)):
        ax.axhspan(-2 * noise, 2 * noise, color=style.FORECAST, alpha=0.12, linewidth=0)
        ax.axhline(0.0, color=style.FORECAST, linewidth=1.2)
        ax.scatter(x, left, s=12, color=style.INK, alpha=0.6, linewidths=0)
        style.log_axis(ax)
        style.furnish(ax, label, f"residual (% of {_unit(posterior.law)})" if k == 0 else "")
        if k:
            ax.sharey(axes[0])
            ax.tick_params(labelleft=False)
    axes[0].annotate(
        "2 sd of noise", (0.99, 2 * noise), xycoords=("axes fraction", "data"), ha="right",
        xytext=(0, 2), textcoords="offset points", fontsize=style.SMALL, color=style.FORECAST,
    )  # fmt: skip
    return list(axes)


def _noise_sd(posterior: Posterior, group: int) -> float:
    """Return the median sd of run-to-run noise on the linked scale, its floor and tails counted."""
    noise = posterior.spec.noise
    scale = np.hypot(np.median(posterior.coefficients(group)["sigma"]), noise.floor)
    return float(scale if noise.nu is None else scale * np.sqrt(noise.nu / (noise.nu - 2.0)))


def _unit(law: Law) -> str:
    """Return what a residual is a share of: an output on the unit interval is fitted as a logit."""
    name = law.output.replace("_", " ")
    return f"the odds of {name}" if law.output_support == "unit" else name
