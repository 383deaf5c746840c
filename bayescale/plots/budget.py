"""Probability of the target against what a run like the candidate costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayescale.decisions.decision import Decision
from bayescale.decisions.what_if import WhatIf
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_budget(decision: Decision, question: WhatIf, ax: Axes | None = None) -> Axes:
    """Plot the probability of the target along the chosen candidate's D/N, candidates marked.

    Parameters
    ----------
    decision : Decision
        The candidates, and the probability that the plan asks for.
    question : WhatIf
        The same question, with the chosen candidate at other sizes.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Horizontal axis in USD at the plan's price, or in FLOPs where that is zero.
    """
    ax = ax or style.new_axes(3.3)[0]
    best, free = decision.outcome, decision.outcome.cost_usd <= 0
    unit = best.flops if free else best.cost_usd
    (curve,) = ax.plot(
        unit * question.scales, question.probability(), color=style.FORECAST, linewidth=1.9,
        zorder=3, label=f"runs like {best.name}",
    )  # fmt: skip
    curve.set_gid("curve")
    wanted = decision.scenario.target.probability
    ax.axhline(wanted, color=style.TARGET, linewidth=1.2, linestyle=(0, (5, 2)), zorder=2)
    ax.annotate(
        f"{100 * wanted:.3g} % asked for", (0.99, wanted), xycoords=("axes fraction", "data"),
        xytext=(0, -11), textcoords="offset points", ha="right", color=style.TARGET,
        fontsize=style.SMALL,
    )  # fmt: skip
    for k, outcome in enumerate(decision.candidates):
        mark = ax.scatter(
            outcome.flops if free else outcome.cost_usd, outcome.prob_target, s=44,
            marker=style.MARKERS[k % 6], color=style.MORE[k % 6], edgecolors=style.SURFACE,
            linewidths=0.8, zorder=5, label=outcome.name,
        )  # fmt: skip
        mark.set_gid(f"candidate{k}")
    if free:
        style.log_axis(ax)
    else:
        ax.set_xlim(unit * question.scales[0], unit * question.scales[-1])
        style.count_axis(ax)
    ax.set_ylim(-0.02, 1.04)
    ax.set_yticks(np.linspace(0, 1, 5), ["0", "25 %", "50 %", "75 %", "100 %"])
    label = "training compute (FLOP)" if free else "budget (USD at the plan's price)"
    style.furnish(ax, label, "probability of the target")
    style.legend(ax, "upper left" if wanted < 0.6 else "lower right")
    return ax
