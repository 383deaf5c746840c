"""The usual practice: Huber regression on log loss from many starts, and its bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.forecasts.baselines.huber import Design, minimise, objective, predict, starts
from bayescale.forecasts.methods import Inputs
from bayescale.models.discrepancy import Floats
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS

_EXPLORE, _STEPS, _KEPT = 60, 600, 4


@dataclass(frozen=True)
class HuberBootstrap:
    """Chinchilla law, Huber loss (delta 1e-3, summed) on log loss, refitted to resampled runs.

    Parameters
    ----------
    refits : int
        Bootstrap samples.
    residuals : bool
        Add a resampled training residual to every draw, as a prediction of a new run needs.
    copies : int
        Draws a refit, with `residuals`.
    seed : int
        Seed of the resampling.

    References
    ----------
    Besiroglu, Erdil, Barnett and You (2024), Chinchilla scaling: a replication attempt,
    arXiv:2404.10102.
    """

    refits: int = 200
    residuals: bool = True
    copies: int = 5
    seed: int = 0

    @property
    def name(self) -> str:
        """Name in a backtest's frame."""
        return "huber_bootstrap" if self.residuals else "huber_bootstrap_bare"

    @property
    def identity(self) -> str:
        """Text that changes whenever the predictions may change."""
        return repr(self)

    def __call__(self, train: RunsTable, inputs: Inputs) -> Floats:
        """Return draws of log loss at `inputs`, shape (refits or refits * copies, P)."""
        log_n, log_d = np.log(train.numbers(N_PARAMS)), np.log(train.numbers(N_TOKENS))
        centre = log_n.mean(), log_d.mean()
        design = Design(log_n - centre[0], log_d - centre[1], np.log(train.numbers(LOSS)))
        best = fit_huber(design)
        rng = np.random.default_rng(self.seed)
        weights = _bootstrap_weights(len(train), self.refits, rng)
        begun = np.repeat(best[None], self.refits, axis=0)
        theta, _ = minimise(begun, design, weights, steps=_STEPS, tolerance=1e-6)
        at = np.log(inputs[N_PARAMS]) - centre[0], np.log(inputs[N_TOKENS]) - centre[1]
        draws = predict(theta, *at)
        if not self.residuals:
            return draws
        residual = design.log_loss - predict(best[None], design.log_n, design.log_d)[0]
        draws = np.repeat(draws, self.copies, axis=0)
        return np.asarray(draws + rng.choice(residual, draws.shape))


def fit_huber(design: Design) -> Floats:
    """Return the best optimum from the grid of starts, shape (5,)."""
    begun = starts(design)
    weights = np.ones((len(begun), len(design.log_loss)))
    theta, value = minimise(begun, design, weights, steps=_EXPLORE)
    kept = np.argsort(value)[:_KEPT]
    theta, _ = minimise(theta[kept], design, weights[kept], steps=_STEPS, tolerance=1e-10)
    return np.asarray(theta[np.argmin(objective(theta, design, weights[:_KEPT]))])


def _bootstrap_weights(n_runs: int, refits: int, rng: np.random.Generator) -> Floats:
    """Return how often each run is drawn in each refit, shape (refits, n_runs)."""
    return np.asarray(rng.multinomial(n_runs, np.full(n_runs, 1.0 / n_runs), refits), dtype=float)
