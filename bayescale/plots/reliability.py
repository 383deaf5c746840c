"""Reliability: how often intervals held, against how often they said they would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayescale.forecasts.scored import Backtest
from bayescale.forecasts.scores import COVERAGES
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEP = 0.010
"""Horizontal distance between methods at one nominal probability, so that bars stand apart."""


def plot_reliability(backtests: Sequence[Backtest], ax: Axes | None = None) -> Axes:
    """Plot the share of larger runs inside central intervals against the nominal probability.

    Points are means over families, bars their 90 % intervals from resampling families. What lies
    on the diagonal is honest; what lies below it promises too much.

    Parameters
    ----------
    backtests : sequence of Backtest
        One a method, of the same tasks; at most as many as the palette has colours.
    ax : Axes, optional
        Where to draw; a new figure by default.
    """
    ax = ax or style.new_axes(4.3)[0]
    nominal = np.array(COVERAGES)
    ax.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1.0, zorder=2)
    ax.text(
        0.62, 0.61, "as promised", rotation=45, rotation_mode="anchor", va="top",
        transform_rotates_text=True, fontsize=style.SMALL, color=style.MUTED,
    )  # fmt: skip
    for k, backtest in enumerate(backtests):
        scores = backtest.summary().set_index("measure")
        rows = scores.loc[[f"coverage_{100 * level:.0f}" for level in COVERAGES]]
        x = nominal + STEP * (k - (len(backtests) - 1) / 2)
        color, marker = style.MORE[k], style.MARKERS[k]
        ax.vlines(x, rows["low"], rows["high"], color=color, linewidth=1.6, alpha=0.7, zorder=3)
        ax.plot(
            x, rows["mean"], color=color, marker=marker, markersize=6, linewidth=1.2,
            markeredgecolor=style.SURFACE, markeredgewidth=0.6, zorder=4, label=backtest.model,
        )  # fmt: skip
    ax.set_xlim(0.38, 1.0)
    ax.set_ylim(0.0, 1.02)
    ax.set_xticks(nominal, [f"{100 * level:.0f} %" for level in COVERAGES])
    ax.set_yticks(np.arange(0, 1.01, 0.2), [f"{share:.0f} %" for share in np.arange(0, 101, 20)])
    style.furnish(ax, "nominal probability of the interval", "larger runs inside it")
    style.legend(ax, "lower right")
    return ax
