"""What a split of one budget between parameters and tokens costs against the best one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayescale.decisions.split import Split
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_split(split: Split, ax: Axes | None = None) -> Axes:
    """Plot the loss above the best split's against parameters, at the candidate's compute.

    Parameters
    ----------
    split : Split
        The curve, the best split and the candidate.
    ax : Axes, optional
        Where to draw; a new figure by default.
    """
    ax = ax or style.new_axes(3.0)[0]
    ax.axvspan(*split.optimum.n_params_90, color=style.TARGET, alpha=0.12, linewidth=0, zorder=0)
    ax.axvline(
        split.optimum.n_params, color=style.TARGET, linewidth=1.6, zorder=2, label="N*, 90 % shaded"
    )
    ax.fill_between(
        split.n_params, split.low, split.high, color=style.FORECAST, alpha=0.22, linewidth=0,
        zorder=1, label="90 %",
    )  # fmt: skip
    ax.plot(split.n_params, split.mean, color=style.FORECAST, linewidth=1.7, zorder=3, label="mean")
    ax.axvline(
        split.candidate, color=style.ACTUAL, linewidth=1.6, linestyle=(0, (5, 2)), zorder=4,
        label=split.optimum.name,
    )  # fmt: skip
    ax.set_xlim(split.n_params[0], split.n_params[-1])
    style.count_axis(ax)
    # The ends may cost far more than any split that is worth a look.
    ax.set_ylim(0.0, max(0.6 * float(split.high.max()), 1e-12))
    style.furnish(ax, "parameters N, at the same compute", "nats above the best split")
    style.legend_above(ax, columns=4)
    return ax
