"""How a forecast moves with the law, with the prior, and with the floor E."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import BayescaleWarning, ForecastError, InferenceError
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.forecast import forecast as forecast_at
from bayescale.inference.fit import fit
from bayescale.inference.guard import posterior_alone
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.models.catalog import DEFAULT_MODEL, load_model
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import N_PARAMS, N_TOKENS, TRUNK
from bayescale.runs.table import read_runs

if TYPE_CHECKING:
    import pandas as pd

AS_ASKED = "as asked"

MODELS = {
    DEFAULT_MODEL: "prior: learned on public tables",
    "coupled_gp_weak": "prior: weak",
    "chinchilla_gp_weak": "law: additive, weak prior",
    "coupled_plain_weak": "law: taken as exact, weak prior",
}
"""Models refitted to the same runs, and what each one changes."""

THIRDS = {"floor E: lowest third": (0.0, 1 / 3), "floor E: highest third": (2 / 3, 1.0)}
"""Shares of the posterior, in the order of E, on which the forecast is conditioned."""

COLUMNS = ("point", "variant", "model", "loss_q05", "loss_q50", "loss_q95", "shift", "width_ratio")
"""Columns of `sensitivity`."""


def sensitivity(
    source: Any, points: Any, *, seed: int = 0, below: float | None = None
) -> pd.DataFrame:
    """Forecast the same points under other laws, other priors and other floors.

    Parameters
    ----------
    source : Posterior, or anything `fit` takes
        The fit, whose runs are fitted again by each of `MODELS`; or a table, which the recommended
        model then fits first.
    points : Points, Forecast or DataFrame
        Where.
    seed : int
        Seed of every fit.
    below : float, optional
        A target: adds the column ``prob_below``, the probability of a loss at most this.

    Returns
    -------
    DataFrame
        One row a point and variant, columns `COLUMNS`: median and 90 % interval of one new run's
        loss; ``shift``, the log of its median over that of the fit as asked; and ``width_ratio``,
        the width of its interval in log loss over that of the fit as asked. Refits are left out
        where the law does not read N and D or a group holds too few runs for the model, thirds of E
        where the law has none.

    Raises
    ------
    ForecastError
        For points that cannot be used, or in a group that holds no run.
    """
    import pandas as pd

    posterior = fitted(source, seed=seed)
    asked = points if isinstance(points, Forecast) else forecast_at(posterior, points, warn=False)
    at = asked.points
    unknown = [label for label in at.labels if label not in posterior.labels]
    if unknown:
        raise ForecastError(
            f"sensitivity: group {'/'.join(unknown[0])!r} holds no run to fit again.",
            "Give points in groups that were fitted.",
        )
    base = _log_quantiles(asked)
    rows, reached = [], []
    for variant, other in variants(posterior, dict.fromkeys(at.labels), seed):
        forecast = forecast_at(other, at, warn=False)
        made = _log_quantiles(forecast)
        if below is not None:
            reached += forecast.prob_below(below).tolist()
        width = (made[2] - made[0]) / (base[2] - base[0])
        columns = zip(*np.exp(made), made[1] - base[1], width, strict=True)
        rows += [(k, variant, other.spec.name, *values) for k, values in enumerate(columns)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    if below is not None:
        frame["prob_below"] = reached
    return frame.sort_values("point", kind="stable", ignore_index=True)


def variants(
    posterior: Posterior, labels: Collection[tuple[str, ...]], seed: int
) -> Iterator[tuple[str, Posterior]]:
    """Yield the fit as asked, then the same runs under every other model and floor, each named."""
    yield AS_ASKED, posterior
    if {N_PARAMS, N_TOKENS} <= set(posterior.law.inputs):
        table = fitted_runs(posterior, labels)
        columns = posterior.group_columns if posterior.labels[0] else ()
        for model, variant in MODELS.items():
            if load_model(model).hash != posterior.spec.hash:
                other = _refitted(table, model, columns, seed)
                yield from [(variant, other)] if other else []
    if "E" in posterior.textbook():
        for variant, (low, high) in THIRDS.items():
            yield variant, given_floor(posterior, low, high, labels)


def _refitted(
    table: RunsTable, model: str, columns: tuple[str, ...], seed: int
) -> Posterior | None:
    with warnings.catch_warnings():
        # Notes on groups and gates were given by the fit as asked.
        warnings.simplefilter("ignore", BayescaleWarning)
        try:
            return fit(table, model, group=columns, engine="amis", seed=seed)
        except InferenceError:
            return None


def given_floor(
    posterior: Posterior, low: float, high: float, labels: Collection[tuple[str, ...]] = ()
) -> Posterior:
    """Return the draws whose floor E lies between two of its posterior probabilities.

    Each group is conditioned on its own E. Groups that share a population keep their joint draws:
    those are picked by the mean rank of E over the groups asked for.

    Parameters
    ----------
    posterior : Posterior
        A fit of a law with a floor.
    low, high : float
        Probabilities, 0 to 1.
    labels : collection of tuple of str
        The groups asked for; all by default.
    """
    if posterior.population:
        return _given_floors(posterior, low, high, labels or posterior.labels)
    kept = []
    for group in range(len(posterior.labels)):
        order = np.argsort(posterior.textbook(group)["E"], kind="stable")
        first, last = (round(p * len(order)) for p in (low, high))
        picked = order[first:last]
        draws = posterior.coefficients(group)
        kept.append({symbol: values[picked] for symbol, values in draws.items()})
    joined = {s: np.stack([each[s] for each in kept], axis=-1)[None] for s in kept[0]}
    return replace(posterior, draws=joined)


def _given_floors(
    posterior: Posterior, low: float, high: float, labels: Collection[tuple[str, ...]]
) -> Posterior:
    groups = [posterior.group_index(label) for label in labels]
    floors = [posterior.textbook(group)["E"] for group in groups]
    ranks = [np.argsort(np.argsort(floor, kind="stable")) for floor in floors]
    order = np.argsort(np.mean(ranks, axis=0), kind="stable")
    first, last = (round(p * len(order)) for p in (low, high))

    def picked(values: np.ndarray) -> np.ndarray:
        return values.reshape(-1, *values.shape[2:])[order[first:last]][None]

    return replace(
        posterior,
        draws={symbol: picked(values) for symbol, values in posterior.draws.items()},
        population={name: picked(values) for name, values in posterior.population.items()},
        alone=_alone_given_floor(posterior, low, high),
    )


def _alone_given_floor(posterior: Posterior, low: float, high: float) -> dict[str, np.ndarray]:
    """Return the draws of guarded groups fitted alone, each given its own floor."""
    n_groups, n_draws = len(posterior.problems), posterior.n_draws
    first, last = (round(p * n_draws) for p in (low, high))
    out = {s: np.full((1, last - first, n_groups), np.nan) for s in posterior.alone}
    for group in range(n_groups if out else 0):
        if np.isnan(next(iter(posterior.alone.values()))[0, 0, group]):
            continue
        own = posterior_alone(posterior, group)
        order = np.argsort(own.textbook()["E"], kind="stable")[first:last]
        for symbol, values in own.coefficients().items():
            out[symbol][0, :, group] = values[order]
    return out


def fitted_runs(posterior: Posterior, labels: Collection[tuple[str, ...]] = ()) -> RunsTable:
    """Return the runs that a posterior was fitted to as a table, of some groups or of all."""
    import pandas as pd

    parts = []
    for label in labels or posterior.labels:
        problem = posterior.problems[posterior.group_index(label)]
        part = pd.DataFrame({**problem.inputs, problem.law.output: np.exp(problem.log_loss)})
        part[TRUNK] = problem.trunks
        for column, value in zip(posterior.group_columns, label, strict=False):
            part[column] = value
        parts.append(part)
    return read_runs(pd.concat(parts), name=posterior.provenance.get("runs", "runs"))


def _log_quantiles(made: Forecast) -> np.ndarray:
    return np.log(made.quantile([0.05, 0.5, 0.95]))
