"""What each group's runs say of its scales, as a normal about the draws of the warm-up.

A guide to where scales go when their population moves: groups that tell much of a scale keep it,
others keep their place about the population. Whatever it says, the exact density accepts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.inference.stacked import StackedLikelihood
from bayescale.models.discrepancy import Floats

_STEP = 0.25
"""In the log of a scale: wide enough to see where a flat likelihood begins to fall."""


@dataclass(frozen=True)
class ScaleGuides:
    """Precision of each group's runs on the log of each scale, and precision times mean.

    Parameters
    ----------
    held, pull : array, shape (G, S)
    """

    held: Floats
    pull: Floats

    @classmethod
    def of(cls, likelihood: StackedLikelihood, x: Floats, weights: Floats) -> ScaleGuides:
        """Read slopes and curvatures off draws x (C, G, P) with shared weights (C, M).

        The weights shrink as tau grows: what groups have in common is not each one's word on it.
        """
        here = likelihood.log_likelihood(x, weights)
        held, pull = np.empty((2, x.shape[1], x.shape[2] - likelihood.n_law))
        for s in range(held.shape[1]):
            step = np.zeros(x.shape[2])
            step[likelihood.n_law + s] = _STEP
            up, down = (
                likelihood.log_likelihood(x + way * step, np.exp(-way * _STEP * s) * weights)
                for way in (1, -1)
            )
            slope, bend = up - down, 2.0 * here - up - down
            held[:, s] = np.maximum(np.median(bend, axis=0) / _STEP**2, 0.0)
            mean = x[..., likelihood.n_law + s].mean(axis=0)
            pull[:, s] = held[:, s] * mean + np.median(slope, axis=0) / (2.0 * _STEP)
        return cls(held, pull)

    def about(self, scales: np.ndarray, centres: Floats, spreads: Floats) -> tuple[Floats, Floats]:
        """Return where some scales are, given centres (C, G, .) and spreads (C, .) of them.

        Returns
        -------
        mean, sd : array, shape (C, G, .)
        """
        prior = 1.0 / spreads[:, None] ** 2
        held = self.held[:, scales] + prior
        return (self.pull[:, scales] + prior * centres) / held, np.sqrt(1.0 / held)
