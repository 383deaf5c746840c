"""The second stage of a forecast: what a loss not yet reached is worth on downstream tasks.

Both stages keep their uncertainty: every draw of the loss passes through another draw of the law
from loss to error, its coefficients, its own error and its noise included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arguments import COUNT, LABEL, SEED, a, check_arguments
from bayescale.errors import ForecastError
from bayescale.forecasts.forecast import MAKE_ONE, Forecast
from bayescale.forecasts.predict import predict, predictive_draws
from bayescale.forecasts.predictive import tails
from bayescale.inference.posterior import Posterior
from bayescale.inference.threads import one_thread
from bayescale.models.discrepancy import Floats
from bayescale.runs.schema import LOSS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

GRID = 33
"""Losses at which a drawn curve is worked out; between them it is a straight line."""


@dataclass(frozen=True, eq=False)
class Downstream:
    """Joint draws of a downstream error, or another score, of the runs of a forecast.

    Parameters
    ----------
    errors : Posterior
        Fit of the law from loss to the score.
    loss : array, shape (S, P)
        Draws of the loss of each run.
    draws : array, shape (S, P)
        Draws of the score of each run, row by row from those of the loss.
    """

    errors: Posterior
    loss: Floats
    draws: Floats

    def __repr__(self) -> str:
        """Return one line: what is forecast, by which law, and the first interval."""
        low, high = self.interval(0.9)[0]
        return (
            f"Downstream {self.errors.law.output} of {self.draws.shape[1]} run(s) by"
            f" {self.errors.spec.name}; first: {self.median[0]:.4g} [{low:.4g}, {high:.4g}]"
            f" at 90 %, {100.0 * self.unseen[0]:.0f} % of it from losses beyond the fitted ones"
        )

    @cached_property
    def median(self) -> Floats:
        """Median score of each run, shape (P,)."""
        return np.asarray(np.median(self.draws, axis=0))

    def interval(self, ci_prob: float = 0.9) -> Floats:
        """Return central intervals of the score of one new run.

        Parameters
        ----------
        ci_prob : float
            Probability inside.

        Returns
        -------
        array, shape (P, 2)
            Lower and upper ends.
        """
        return np.asarray(np.quantile(self.draws, tails(ci_prob), axis=0).T)

    def prob_below(self, score: float) -> Floats:
        """Return the probability that a new run's score is at most `score`, shape (P,)."""
        return np.asarray((self.draws <= score).mean(axis=0))

    @cached_property
    def unseen(self) -> Floats:
        """Share of the draws whose loss no fitted run of the law has reached, shape (P,)."""
        fitted = np.concatenate([problem.inputs[LOSS] for problem in self.errors.problems])
        return np.asarray((self.loss < fitted.min()).mean(axis=0))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a run: mean, sd, median, 90 % interval, share from unseen losses."""
        import pandas as pd

        name = self.errors.law.output
        low, high = self.interval(0.9).T
        columns: dict[str, Any] = {
            f"{name}_mean": self.draws.mean(axis=0),
            f"{name}_sd": self.draws.std(axis=0),
            f"{name}_q05": low,
            f"{name}_q50": self.median,
            f"{name}_q95": high,
            "unseen": self.unseen,
        }
        return pd.DataFrame(columns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the score against the loss: the fitted runs and the forecast ones."""
        from bayescale.plots.downstream import plot_downstream

        return plot_downstream(self, ax=ax)


def downstream(
    forecast: Forecast | Floats,
    errors: Posterior,
    *,
    label: tuple[str, ...] | None = None,
    n_draws: int = 4000,
    seed: int = 0,
) -> Downstream:
    """Forecast a downstream error, or another score, of the runs of a forecast of loss.

    Parameters
    ----------
    forecast : Forecast or array, shape (S, P)
        A forecast of loss, or joint draws of losses, one column a run.
    errors : Posterior
        Fit of a law from loss to a score, such as ``error_of_loss_plain_weak``, on the same kind
        of loss. A table with the score under another name is read with
        ``read_runs(table, columns={"downstream_error": "that name"})``.
    label : tuple of str, optional
        Group of `errors`; may be left out when it has one.
    n_draws : int
        Draws of a `Forecast`; of draws given all are used.
    seed : int
        Seed of the draws.

    Returns
    -------
    Downstream
        Draws, intervals and probabilities.

    Raises
    ------
    ForecastError
        When `errors` is no law of the loss alone, the draws are no positive losses, or the group
        is unknown.
    """
    fit_errors = "Fit error_of_loss_plain_weak to a table of losses and errors."
    if not isinstance(forecast, np.ndarray):
        check_arguments("downstream", ForecastError, forecast=(forecast, a(Forecast, MAKE_ONE)))
    check_arguments(
        "downstream",
        ForecastError,
        errors=(errors, a(Posterior, fit_errors)),
        label=(label, LABEL.or_none),
        n_draws=(n_draws, COUNT),
        seed=(seed, SEED),
    )
    drawn = forecast.draws(n_draws, seed) if isinstance(forecast, Forecast) else forecast
    loss = np.asarray(drawn, dtype=float)
    _check(errors, loss)
    group = _group(errors, label)
    with one_thread():
        scores = downstream_draws(errors, loss, np.random.default_rng([seed, 2]), group=group)
    return Downstream(errors, loss, scores)


def downstream_draws(
    errors: Posterior, loss: Floats, rng: np.random.Generator, *, group: int = 0
) -> Floats:
    """Return one draw of the score for each draw of the loss.

    Parameters
    ----------
    errors : Posterior
        Fit of a law from loss to a score.
    loss : array, shape (S, P)
        Draws of losses; a row is one state of the world.
    rng : Generator
        Source of randomness.
    group : int
        Index of the group of `errors`.

    Returns
    -------
    array, shape (S, P)
        Scores; those of one row share a draw of the law, only the noise is their own.
    """
    low, high = float(loss.min()), float(loss.max())
    grid = np.geomspace(low, max(high, low * (1.0 + 1e-9)), GRID)
    curves = predictive_draws(errors, group, {LOSS: grid}, len(loss), rng, noise=False)
    at = np.log(loss / grid[0]) / np.log(grid[-1] / grid[0]) * (GRID - 1)
    left = np.clip(at.astype(int), 0, GRID - 2)
    before, after = (np.take_along_axis(curves, left + k, axis=1) for k in (0, 1))
    linked = before + (at - left) * (after - before)
    noise = predict(errors, group, {LOSS: np.median(loss, axis=0)}).noise
    which = np.arange(len(loss)) % len(noise)
    linked = linked + np.sqrt(noise[which]) * rng.standard_normal(loss.shape)
    return np.asarray(errors.law.inverse_link(linked))


def _check(errors: Posterior, loss: Floats) -> None:
    if errors.law.inputs != (LOSS,):
        raise ForecastError(
            f"downstream: law {errors.law.name!r} of the fit reads {', '.join(errors.law.inputs)},"
            " but a law of the loss alone was expected.",
            "Fit error_of_loss_plain_weak or accuracy_of_loss_plain_weak.",
        )
    if loss.ndim != 2 or not loss.size or not np.all(np.isfinite(loss) & (loss > 0)):
        raise ForecastError(
            f"downstream: losses have shape {loss.shape} and include"
            f" {np.min(loss, initial=np.inf):g}, but positive draws of shape (draws, runs) were"
            " expected."
        )


def _group(errors: Posterior, label: tuple[str, ...] | None) -> int:
    if label is None and len(errors.labels) > 1:
        known = ", ".join("/".join(name) for name in errors.labels)
        raise ForecastError(
            f"downstream: the fit of {errors.law.name} has {len(errors.labels)} groups.",
            f"Name one with label=: {known}.",
        )
    return errors.group_index(errors.labels[0] if label is None else label)
