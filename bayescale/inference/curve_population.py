"""What curves of one kind have in common: priors of coefficients learned over their groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescale.inference.curve_posterior import CurveFit
from bayescale.laws import Prior
from bayescale.models.density import Density

PASSES = 2
"""Of empirical Bayes; more change little."""

_NORMAL_ON = {"positive": "LogNormal", "unit": "LogitNormal", "real": "Normal"}
_NARROWEST = 0.05


def population_priors(fits: Sequence[CurveFit]) -> dict[str, Prior]:
    """Return priors, normal on the sampling coordinates, with the moments of all groups together.

    Parameters
    ----------
    fits : sequence of CurveFit
        Of one law, one a group. The level keeps its prior: outputs of groups need not compare.

    Returns
    -------
    dict of str to Prior
        By symbol, ``sigma`` and ``tau`` included.
    """
    density = Density(fits[0].problem)
    means = np.array([fit.x.mean(axis=0) for fit in fits])
    within = np.array([fit.x.var(axis=0) for fit in fits])
    centre, sd = means.mean(axis=0), np.sqrt(within.mean(axis=0) + means.var(axis=0))
    reason = f"learned over {len(fits)} groups of curves"
    return {
        symbol: Prior(
            _NORMAL_ON[density.supports[k]],
            {"mu": float(centre[k]), "sigma": float(max(sd[k], _NARROWEST))},
            reason,
        )
        for k, symbol in enumerate(density.symbols)
        if k > 0
    }
