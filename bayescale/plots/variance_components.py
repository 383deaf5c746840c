"""Variance components: how much groups differ by each factor, coefficient by coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayescale.errors import ForecastError
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("coefficient", "source", "sd", "sd_q05", "sd_q95", "share")
"""Columns that a frame of variance components must have."""

SPREAD = 0.6
"""Share of a row's height over which its sources are spread."""


def plot_variance_components(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Plot the spread that each factor makes, with its share of the variance written beside it.

    Parameters
    ----------
    frame : DataFrame
        As `variance_components` returns it.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ForecastError
        When a column is missing.
    """
    missing = [column for column in COLUMNS if column not in frame]
    if missing:
        raise ForecastError(f"plot_variance_components: the frame has no column {missing[0]!r}.")
    names = list(dict.fromkeys(frame["coefficient"]))
    sources = list(dict.fromkeys(frame["source"]))
    ax = ax or style.new_axes(1.35 + 0.2 * len(names) * (1 + len(sources)))[0]
    for k, source in enumerate(sources):
        own = frame[frame["source"] == source].set_index("coefficient")
        row = np.array([len(names) - 1.0 - names.index(name) for name in own.index])
        y = row + SPREAD * (0.5 - (k + 0.5) / len(sources))
        ax.hlines(y, own["sd_q05"], own["sd_q95"], color=style.MORE[k], linewidth=2.2, zorder=3)
        ax.scatter(
            own["sd"], y, s=34, marker=style.MARKERS[k], color=style.MORE[k],
            edgecolors=style.SURFACE, linewidths=0.6, zorder=4, label=source,
        )  # fmt: skip
        shares = own["share"] if len(sources) > 1 else []
        for at, height, share in zip(own["sd_q95"], y, shares, strict=False):
            ax.annotate(
                f"{100 * share:.0f} %", (at, height), xytext=(5, 0), va="center",
                textcoords="offset points", fontsize=style.SMALL, color=style.MUTED,
            )  # fmt: skip
    ax.hlines(
        np.arange(len(names) - 1) + 0.5, 0, 1, transform=ax.get_yaxis_transform(),
        color=style.GRID, linewidth=0.7, zorder=1,
    )  # fmt: skip
    ax.set_xlim(0.0, 1.12 * float(frame["sd_q95"].max()))
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.set_yticks(range(len(names))[::-1], names)
    style.furnish(ax, "spread over groups (sd of the log, or logit of a share)", "", grid="x")
    box = style.figure_of(ax).legend(
        *ax.get_legend_handles_labels(), loc="outside upper left", ncols=3, fontsize=style.SMALL,
        frameon=False, labelcolor=style.INK, handlelength=1.2, columnspacing=1.2,
        title="90 % intervals" + ("; median share of the variance" if len(sources) > 1 else ""),
        title_fontsize=style.SMALL, alignment="left",
    )  # fmt: skip
    box.get_title().set_color(style.INK)
    return ax
