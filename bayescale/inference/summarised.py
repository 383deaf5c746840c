"""One coefficient's draws as one row of a summary."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayescale.models.discrepancy import Floats


def summarised(symbol: str, draws: Floats, ci_prob: float) -> dict[str, Any]:
    """Return a coefficient's name, mean, sd and central interval, by column.

    Parameters
    ----------
    symbol : str
        The coefficient.
    draws : array, shape (S,)
        Of it.
    ci_prob : float
        Probability of the central interval; its ends name their columns.
    """
    below = (0.5 - ci_prob / 2, 0.5 + ci_prob / 2)
    low, high = np.quantile(draws, below)
    return {
        "coefficient": symbol,
        "mean": draws.mean(),
        "sd": draws.std(),
        f"q{100 * below[0]:g}": low,
        f"q{100 * below[1]:g}": high,
    }
