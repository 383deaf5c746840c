"""Intervals of one quantity, row by row, next to what was published or measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayescale.errors import ForecastError
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("row", "series", "median", "low", "high")
"""Columns that a frame of intervals must have."""

SPREAD = 0.56
"""Share of a row's height over which its series are spread."""


def plot_intervals(
    frame: pd.DataFrame,
    x: str,
    reference: pd.Series | None = None,
    reference_name: str = "published",
    ax: Axes | None = None,
) -> Axes:
    """Plot medians and intervals, a row each, one colour a series.

    Parameters
    ----------
    frame : DataFrame
        Columns `COLUMNS`, each pair of row and series once; both are drawn in the order in which
        they first appear.
    x : str
        Label of the quantity, unit included.
    reference : Series, optional
        One value a row, by the row's name: drawn as an upright stroke.
    reference_name : str
        What the legend calls it.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ForecastError
        When a column is missing.
    """
    missing = [column for column in COLUMNS if column not in frame]
    if missing:
        raise ForecastError(f"plot_intervals: the frame has no column {missing[0]!r}.")
    frame = frame.reset_index(drop=True)
    names = list(dict.fromkeys(frame["row"]))
    series = list(dict.fromkeys(frame["series"]))
    rows = np.arange(len(names))[::-1]
    height = dict(zip(names, rows, strict=True))
    place = frame.groupby("row", sort=False).cumcount()
    shared = frame.groupby("row", sort=False)["row"].transform("size")
    offset = SPREAD * (0.5 - (place + 0.5) / shared)
    ax = ax or style.new_axes(1.35 + 0.16 * len(names) * (1 + len(series)))[0]
    for k, name in enumerate(series):
        own = frame[frame["series"] == name]
        y = own["row"].map(height) + offset[own.index]
        ax.hlines(y, own["low"], own["high"], color=style.MORE[k], linewidth=2.0, zorder=3)
        ax.scatter(
            own["median"], y, s=30, marker=style.MARKERS[k], color=style.MORE[k],
            edgecolors=style.SURFACE, linewidths=0.6, zorder=4, label=name,
        )  # fmt: skip
    if reference is not None:
        at = rows[[names.index(name) for name in reference.index]]
        ax.vlines(
            reference, at - 0.36, at + 0.36, color=style.INK, linewidth=1.4, zorder=5,
            label=reference_name,
        )  # fmt: skip
    ax.hlines(
        rows[:-1] - 0.5, 0, 1, transform=ax.get_yaxis_transform(), color=style.GRID,
        linewidth=0.7, zorder=1,
    )  # fmt: skip
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.set_yticks(rows, names)
    style.furnish(ax, x, "", grid="x")
    style.figure_of(ax).legend(
        *ax.get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=style.SMALL,
        frameon=False, labelcolor=style.INK, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    return ax
