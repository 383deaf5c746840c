"""What the runs of one group support: ranges of N and D, and whether they vary apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayescale.models.discrepancy import Floats
from bayescale.runs.checks.fixed_ratio import SPREAD
from bayescale.runs.schema import N_PARAMS, N_TOKENS


@dataclass(frozen=True)
class Support:
    """The region of (N, D) that runs speak for.

    Parameters
    ----------
    n_params, n_tokens, tokens_per_param : tuple of float
        Smallest and largest among the runs.
    ray : tuple of float or None
        Slope and intercept of log D on log N when all runs lie on that line.
    """

    n_params: tuple[float, float]
    n_tokens: tuple[float, float]
    tokens_per_param: tuple[float, float]
    ray: tuple[float, float] | None

    def factor_off_ray(self, n_params: float, n_tokens: float) -> float:
        """Return how many times more or fewer tokens than on the ray; 1 where there is none."""
        if self.ray is None:
            return 1.0
        slope, intercept = self.ray
        return float(np.exp(abs(np.log(n_tokens) - intercept - slope * np.log(n_params))))


def support_of(inputs: Mapping[str, Floats]) -> Support | None:
    """Return what runs support, None when the law does not read both N and D or has no runs.

    Parameters
    ----------
    inputs : mapping of str to array, shape (n,)
        Inputs of the fitted runs.
    """
    if N_PARAMS not in inputs or N_TOKENS not in inputs or not len(inputs[N_PARAMS]):
        return None
    n, d = inputs[N_PARAMS], inputs[N_TOKENS]
    return Support(_range(n), _range(d), _range(d / n), _ray(np.log(n), np.log(d)))


def _range(values: Floats) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _ray(n: Floats, d: Floats) -> tuple[float, float] | None:
    if len(n) < 3 or np.ptp(n) == 0.0 or np.ptp(d) == 0.0:
        return None
    slope, at_mean = np.polyfit(n - n.mean(), d, 1)
    if np.std(d - at_mean - slope * (n - n.mean())) >= SPREAD:
        return None
    return float(slope), float(at_mean - slope * n.mean())
