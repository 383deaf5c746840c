"""Coverage by family or by extrapolation factor, one row each, methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from bayescale.forecasts.scored import Backtest
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPREAD = 0.56
"""Share of a row's height over which its methods are spread."""

NAMES = {"family": "family of tables", "cell": "extrapolation factor"}


def plot_coverage(
    backtests: Sequence[Backtest],
    by: Literal["family", "cell"] = "family",
    level: int = 90,
    ax: Axes | None = None,
) -> Axes:
    """Plot the share of larger runs inside a central interval, row by row.

    Parameters
    ----------
    backtests : sequence of Backtest
        One a method, of the same tasks; rows stand in the order of the first one's coverage, or of
        the factor.
    by : {"family", "cell"}
        A row a family, or a row an extrapolation factor.
    level : int
        Nominal probability in percent: 50, 80, 90 or 95.
    ax : Axes, optional
        Where to draw; a new figure by default.
    """
    found = [backtest.summary(by).set_index(by)[f"coverage_{level}"] for backtest in backtests]
    first = found[0].sort_values() if by == "family" else found[0].iloc[::-1]
    rows = np.arange(len(first))
    ax = ax or style.new_axes(1.3 + 0.31 * len(first))[0]
    ax.axvline(level / 100, color=style.INK, linewidth=1.2, linestyle=(0, (4, 2)), zorder=2)
    for k, (backtest, shares) in enumerate(zip(backtests, found, strict=True)):
        offset = SPREAD * (0.5 - (k + 0.5) / len(backtests))
        ax.scatter(
            shares[first.index], rows + offset, s=30, marker=style.MARKERS[k],
            color=style.MORE[k], edgecolors=style.SURFACE, linewidths=0.5, zorder=4,
            label=backtest.model,
        )  # fmt: skip
    ax.hlines(rows[1:] - 0.5, 0, 1, color=style.GRID, linewidth=0.7, zorder=1)
    ax.set_xlim(-0.02, 1.03)
    ax.set_ylim(-0.6, len(first) - 0.4)
    ax.set_xticks(np.arange(0, 1.01, 0.2), [f"{share:.0f} %" for share in np.arange(0, 101, 20)])
    ax.set_yticks(rows, list(first.index))
    style.furnish(ax, f"larger runs inside the nominal {level} % interval", NAMES[by], grid="x")
    figure = style.figure_of(ax)
    figure.legend(
        *ax.get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=style.SMALL,
        frameon=False, labelcolor=style.INK, handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
    return ax
