"""Posterior of the coefficients as the literature writes them, with the prior's medians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayescale.inference.posterior import Posterior
from bayescale.models.density import Density
from bayescale.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
BINS = 32
WIDE = 8.0
"""Ratio of the 99 % and 1 % quantiles above which a coefficient gets a logarithmic axis."""

N_PRIOR = 100_001
"""Points of the prior whose median is marked: it errs by half a percent under the widest one."""


def plot_coefficients(
    posterior: Posterior, group: int = 0, axes: Sequence[Axes] | None = None
) -> list[Axes]:
    """Plot one histogram a coefficient.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    group : int
        Index of the group.
    axes : sequence of Axes, optional
        One a coefficient; panels of a new figure by default.

    Returns
    -------
    list of Axes
        One a coefficient, in the law's order.
    """
    draws = posterior.textbook(group)
    medians = _prior_medians(posterior, group)
    if axes is None:
        rows = -(-len(draws) // COLUMNS)
        axes = style.new_axes(0.35 + 1.55 * rows, rows, min(COLUMNS, len(draws)))
    for ax in axes[len(draws) :]:
        ax.set_axis_off()
    for k, (ax, (symbol, values)) in enumerate(zip(axes, draws.items(), strict=False)):
        _panel(ax, symbol, np.asarray(values), medians[symbol], labelled=k == 0)
    return list(axes[: len(draws)])


def _panel(ax: Axes, symbol: str, values: np.ndarray, prior: float, labelled: bool) -> None:
    low, high = np.quantile(values, [0.01, 0.99])
    wide = bool(low > 0 and high / low > WIDE)
    ends = [min(low, prior), max(high, prior)]
    if wide:
        style.log_axis(ax)
        bins = np.geomspace(ends[0] / 1.2, ends[1] * 1.2, BINS)
    else:
        margin = 0.06 * (ends[1] - ends[0])
        bins = np.linspace(ends[0] - margin, ends[1] + margin, BINS)
    ax.hist(values, bins=bins.tolist(), color=style.FORECAST, alpha=0.45, linewidth=0)
    ax.axvline(
        prior, color=style.PRIOR, linewidth=1.5, linestyle=(0, (4, 2)),
        label="prior median" if labelled else None,
    )  # fmt: skip
    inner = np.quantile(values, [0.05, 0.95])
    ax.plot(inner, [0, 0], color=style.FORECAST, linewidth=4, solid_capstyle="butt", clip_on=False)
    style.furnish(ax, "", "", f"{symbol} = {_short(float(np.median(values)))}", grid="x")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    if labelled:
        ax.set_ylim(top=1.35 * ax.get_ylim()[1])
        style.legend(ax, "upper right")
    if not wide:
        ax.locator_params(axis="x", nbins=4)


def _short(value: float) -> str:
    """Return three significant digits, with an exponent only where zeros would not fit."""
    return (
        f"{float(f'{value:.3g}'):,.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:#.3g}".rstrip(".")
    )


def _prior_medians(posterior: Posterior, group: int) -> dict[str, float]:
    """Return the medians of the textbook coefficients under the prior.

    From a Latin hypercube: a product of coefficients has another median than that of its factors.
    """
    problem = posterior.problems[group]
    density, rng = Density(problem), np.random.default_rng(0)
    strata = np.tile(np.arange(N_PRIOR)[:, None], len(density.symbols))
    drawn = density.prior_quantiles((rng.permuted(strata, axis=0) + 0.5) / N_PRIOR)
    values = {symbol: column[:, 0] for symbol, column in density.constrain(drawn).items()}
    textbook = posterior.law.textbook(values, problem.constants.reference)
    return {symbol: float(np.median(value)) for symbol, value in textbook.items()}
