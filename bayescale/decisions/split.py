"""What any split of a budget between parameters and tokens costs, under the law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.decisions.optimum import LossAtCompute, best_by_draw
from bayescale.decisions.outcomes import Optimum
from bayescale.errors import DecisionError
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats
from bayescale.runs.schema import N_PARAMS, N_TOKENS

N_SPLITS = 61
MARGIN = 1.5
"""Factor by which the curve goes on beyond the optimum's interval and the candidate."""


@dataclass(frozen=True, eq=False)
class Split:
    """Loss above the best split's along one budget.

    Parameters
    ----------
    optimum : Optimum
        The best split, and the candidate whose compute it is.
    candidate : float
        Parameters of the candidate.
    n_params : array, shape (G,)
        Rising.
    mean, low, high : array, shape (G,)
        Nats per token above the best split: mean, and ends of the central 90 % interval.
    """

    optimum: Optimum
    candidate: float
    n_params: Floats
    mean: Floats
    low: Floats
    high: Floats

    def at(self, n_params: float) -> float:
        """Return the mean regret of a network's size, nats per token, between those of the grid."""
        return float(np.interp(np.log(n_params), np.log(self.n_params), self.mean))


def split_curve(
    posterior: Posterior, optimum: Optimum, candidate: float, label: tuple[str, ...]
) -> Split:
    """Return the regret of every split of a candidate's compute.

    Parameters
    ----------
    posterior : Posterior
        A fit of a law that reads N and D.
    optimum : Optimum
        As a decision holds it.
    candidate : float
        Parameters of the candidate.
    label : tuple of str
        Its group, one of the fit's.

    Raises
    ------
    DecisionError
        For a law that does not split compute.
    """
    if set(posterior.law.inputs) != {N_PARAMS, N_TOKENS}:
        raise DecisionError(
            f"split_curve: law {posterior.law.name!r} reads {', '.join(posterior.law.inputs)},"
            f" expected {N_PARAMS} and {N_TOKENS}."
        )
    group = posterior.group_index(label)
    constants = posterior.problems[group].constants
    loss = LossAtCompute(
        posterior.law,
        posterior.coefficients(group),
        constants,
        optimum.flops,
        optimum.lifetime_tokens,
    )
    best, _ = best_by_draw(loss)
    ends = np.array([*optimum.n_params_90, candidate])
    low, high = np.log(ends.min() / MARGIN), np.log(ends.max() * MARGIN)
    grid = np.linspace(max(low, loss.grid[0]), min(high, loss.grid[-1]), N_SPLITS)
    regret = np.maximum(loss(grid) - loss(best[:, None]), 0.0)
    lower, upper = np.quantile(regret, [0.05, 0.95], axis=0)
    return Split(optimum, candidate, np.exp(grid), regret.mean(axis=0), lower, upper)
