"""Colours, sizes and the furniture of every plot.

The palette is Okabe and Ito's, which stays apart under the common colour blindnesses. Sizes are
chosen so that a figure shrunk to a telephone's 390 pixels keeps 9-pixel letters.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, Literal

from bayescale.runs.numbers import short_count
from bayescale.runs.schema import LOSS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayescale.laws import Law

FORECAST = "#0072b2"
FITTED = "#6b7280"
ACTUAL = "#d55e00"
TARGET = "#009e73"
PRIOR = "#b8729a"
MORE = ("#0072b2", "#d55e00", "#009e73", "#b8729a", "#b57f00", "#56b4e9")
MARKERS = ("o", "X", "s", "^", "D", "v")
"""One shape a colour of `MORE`, for whoever cannot tell the colours apart."""

INK = "#1f2328"
MUTED = "#57606a"
GRID = "#d8dee4"
SURFACE = "#ffffff"

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
TEXT = 9.5
SMALL = 8.5
WIDTH = 5.6
"""Inches; 403 points, about the 358 pixels that a page leaves on a telephone."""


def output_label(law: Law) -> str:
    """Return the label of an axis of a law's output, unit included."""
    return "loss (nats per token)" if law.output == LOSS else law.output.replace("_", " ")


def new_axes(height: float = 3.7, rows: int = 1, columns: int = 1) -> list[Axes]:
    """Return the axes of a new figure, row by row.

    Parameters
    ----------
    height : float
        Inches.
    rows, columns : int
        Panels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor=SURFACE)
    grid = figure.subplots(rows, columns, squeeze=False)
    return [ax for row in grid for ax in row]


def figure_of(ax: Axes) -> Figure:
    """Return the outermost figure of some axes."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def furnish(ax: Axes, x: str, y: str, title: str = "", grid: Literal["both", "x"] = "both") -> Axes:
    """Label the axes and draw the frame and the grid so that the data stand in front.

    Parameters
    ----------
    ax : Axes
        With its data drawn.
    x, y : str
        Labels, units included.
    title : str
        Set flush left; empty for none.
    grid : {"both", "x"}
        Directions that get grid lines.
    """
    ax.set_facecolor(SURFACE)
    ax.set_xlabel(x, fontsize=TEXT, color=INK)
    ax.set_ylabel(y, fontsize=TEXT, color=INK)
    if title:
        ax.set_title(title, fontsize=TEXT, color=INK, loc="left", fontweight="bold")
    ax.grid(True, axis=grid, which="major", color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", labelsize=SMALL, colors=MUTED, labelcolor=INK, length=3, width=0.7)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.7)
    return ax


def legend(ax: Axes, location: Literal["best", "upper left", "upper right", "lower right"]) -> None:
    """Draw a legend without a frame."""
    box = ax.legend(
        loc=location,
        fontsize=SMALL,
        framealpha=0.85,
        edgecolor="none",
        facecolor=SURFACE,
        labelcolor=INK,
        handlelength=1.6,
        borderpad=0.3,
        labelspacing=0.35,
    )
    box.set_zorder(10)


def legend_above(ax: Axes, columns: int) -> None:
    """Draw a legend above the figure's axes, where it covers nothing."""
    figure_of(ax).legend(
        *ax.get_legend_handles_labels(), loc="outside upper left", ncols=columns, fontsize=SMALL,
        frameon=False, labelcolor=INK, handlelength=1.4, columnspacing=1.2,
    )  # fmt: skip


def log_axis(ax: Axes) -> None:
    """Make the horizontal axis logarithmic with powers of ten for ticks, more where few are seen.

    Written with superscript letters: the same look as the page's text, and mathtext is slow.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    low, high = (log10(end) for end in ax.get_xlim())
    if floor(high) - ceil(low) < 1:
        between = (1.0, 2.0, 5.0) if high - low > 0.7 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
        ax.xaxis.set_major_locator(LogLocator(subs=between))
    ax.xaxis.set_major_formatter(FuncFormatter(_power_of_ten))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _power_of_ten(value: float, _: int) -> str:
    if 0.1 <= value <= 1e3:
        return f"{value:g}"
    power = floor(log10(value) + 1e-9)
    digits = f"{value / 10.0**power:.3g}"
    return ("" if digits == "1" else f"{digits}\u00d7") + f"10{str(power).translate(RAISED)}"


def count_axis(ax: Axes) -> None:
    """Make the horizontal axis logarithmic with counts or sums for ticks: 300K, 1M, 3M."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if high > 50 * low else (1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    ax.xaxis.set_minor_formatter(NullFormatter())


def plain_log_axis(ax: Axes) -> None:
    """Make the vertical axis logarithmic with plain numbers for ticks."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, ScalarFormatter

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_formatter(NullFormatter())
