"""The forecast: the loss of runs not yet made, with intervals, probabilities and its reach."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arguments import COUNT, FLAG, LABELS, SEED, check_arguments
from bayescale.errors import ExtrapolationWarning, ForecastError
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.newcomer import with_new_group
from bayescale.forecasts.points import Points, make_points, points_from_frame
from bayescale.forecasts.predict import predict, predictive_draws
from bayescale.forecasts.predictive import Predictive
from bayescale.forecasts.reliability import reliability_sentence
from bayescale.forecasts.versions import Versions
from bayescale.inference.components import Components
from bayescale.inference.posterior import (
    Posterior,
    load_posterior,
    read_datasets,
    write_datasets,
)
from bayescale.inference.source import fitted
from bayescale.inference.threads import one_thread
from bayescale.laws import Law
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import log_compute, positions
from bayescale.runs.schema import FLOPS, LOSS, N_PARAMS, N_TOKENS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LEVELS = (0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.975)
"""Probabilities of the quantile columns of a forecast table."""

FAR = 1000.0
"""Extrapolation factor beyond which no backtest of ours says anything."""


MAKE_ONE = "Make one with forecast(posterior, n_params=..., n_tokens=...)."
"""How one comes by a forecast, where another thing was given."""

NEGLIGIBLE = 1e-3
"""Share of the smallest fitted value below which a point's was given in another unit."""


@dataclass(frozen=True, eq=False)
class Forecast(Predictive):
    """Predictive distribution of one new run's loss, or other output, at each of several points.

    Parameters
    ----------
    posterior : Posterior
        The fit it rests on.
    points : Points
        Inputs and group of each point.
    parts : Components
        Mixture components of log loss, one per draw and point.
    """

    posterior: Posterior
    points: Points
    parts: Components

    def __repr__(self) -> str:
        """Return one line: how many points, how far, and the first interval."""
        low, high = self.interval(0.9)[0]
        return (
            f"Forecast of {len(self.points)} point(s) by {self.posterior.spec.name}, up to"
            f" {self.extrapolation_factor.max():.3g}x the fitted compute; first:"
            f" {self.median[0]:.4g} [{low:.4g}, {high:.4g}] at 90 %"
        )

    @cached_property
    def mixture(self) -> Mixture:
        """The predictive distribution of log loss."""
        return Mixture(self.parts.mean, self.parts.variance)

    @property
    def law(self) -> Law:
        """The law of the posterior."""
        return self.posterior.law

    @property
    def output(self) -> str:
        """What is predicted."""
        return self.law.output

    def draws(self, n_draws: int = 4000, seed: int = 0, *, noise: bool = True) -> Floats:
        """Draw the losses of new runs at all points jointly.

        Parameters
        ----------
        n_draws : int
            Draws.
        seed : int
            Seed; equal seeds and points give equal draws.
        noise : bool
            False for what a run is expected to reach, without its own noise.

        Returns
        -------
        array, shape (n_draws, P)
            Loss. Points of one group share coefficients, discrepancy and delivery.
        """
        check_arguments("draws", ForecastError, n_draws=(n_draws, COUNT), seed=(seed, SEED))
        out = np.empty((n_draws, len(self.points)))
        for group, rows in _by_group(self.posterior, self.points).items():
            inputs = {name: values[rows] for name, values in self.points.inputs.items()}
            rng = np.random.default_rng([seed, group])
            with one_thread():
                drawn = predictive_draws(self.posterior, group, inputs, n_draws, rng, noise=noise)
            out[:, rows] = self.posterior.law.inverse_link(drawn)
        return out

    def draws_with(
        self, versions: Points, of: int, n_draws: int = 4000, seed: int = 0
    ) -> tuple[Floats, Floats]:
        """Draw the losses of new runs, and beside them those of one run at other sizes.

        Parameters
        ----------
        versions : Points
            The other sizes, in the group of the run.
        of : int
            The point that they are versions of: it and they share run-to-run noise too.
        n_draws, seed : int
            As for `draws`.

        Returns
        -------
        draws : array, shape (n_draws, P)
            Those that `draws` returns.
        others : array, shape (n_draws, len(versions))
            Loss at the other sizes, given the same coefficients, discrepancy and delivery.
        """
        group = self.posterior.group_index(self.points.labels[of])
        rows = _by_group(self.posterior, self.points)[group]
        inputs = {
            name: np.concatenate([values[rows], versions.inputs[name]])
            for name, values in self.points.inputs.items()
        }
        beside = Versions(len(versions), int(np.flatnonzero(rows == of)[0]))
        rng = np.random.default_rng([seed, group])
        with one_thread():
            drawn = predictive_draws(self.posterior, group, inputs, n_draws, rng, versions=beside)[
                :, len(rows) :
            ]
        return self.draws(n_draws, seed), np.asarray(self.posterior.law.inverse_link(drawn))

    @cached_property
    def extrapolation_factor(self) -> Floats:
        """Compute of each point over that of the largest fitted run of its group, shape (P,).

        Of any group's, where its own has no runs.
        """
        out = np.empty(len(self.points))
        for group, rows in _by_group(self.posterior, self.points).items():
            inputs = {name: values[rows] for name, values in self.points.inputs.items()}
            asked = log_compute(self.law, positions(self.law, inputs))
            out[rows] = np.exp(asked - _log_reach(self.posterior, group))
        return out

    @cached_property
    def reliability(self) -> tuple[str, ...]:
        """What public tables tell of intervals like each point's: one sentence a point."""
        name = self.posterior.spec.name
        return tuple(reliability_sentence(name, factor) for factor in self.extrapolation_factor)

    @cached_property
    def khat(self) -> Floats:
        """Pareto khat of each point's group, shape (P,); NaN under NUTS."""
        khat = self.posterior.diagnostics.khat
        groups = [self.posterior.group_index(label) for label in self.points.labels]
        return np.array([khat[g] if g < len(khat) else np.nan for g in groups])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a point: mean, sd, quantiles, extrapolation factor and khat.

        Columns are called after the law's output: ``loss_mean``, ``loss_q05``...
        """
        import pandas as pd

        law = self.posterior.law
        if law.output_support == "positive":
            mean, sd = self.mixture.moments()
        else:
            mean, sd = self.mixture.moments_of(law.inverse_link)
        columns: dict[str, Any] = {f"{law.output}_mean": mean, f"{law.output}_sd": sd}
        quantiles = self.quantile(LEVELS)
        columns.update({quantile_column(p, law.output): quantiles[k] for k, p in enumerate(LEVELS)})
        columns["extrapolation_factor"] = self.extrapolation_factor
        columns["khat"] = self.khat
        return pd.DataFrame(columns)

    def save(self, path: str | Path) -> Path:
        """Write the forecast with its posterior to a NetCDF file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Target, usually ending in ``.nc``; `load_forecast` and `load_posterior` read it.
        """
        import xarray as xr

        inputs = {name: ("point", values) for name, values in self.points.inputs.items()}
        labels = {"labels": json.dumps([list(label) for label in self.points.labels])}
        points = xr.Dataset(inputs, attrs=labels)
        return write_datasets(path, {**self.posterior.to_datasets(), "points": points})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot loss against compute: runs, law, bands and the forecast points."""
        from bayescale.plots.extrapolation import plot_extrapolation

        return plot_extrapolation(self, ax=ax)


def forecast(
    source: Any,
    at: Any = None,
    *,
    seed: int = 0,
    warn: bool = True,
    labels: Sequence[Sequence[str]] | None = None,
    **inputs: Any,
) -> Forecast:
    """Forecast the loss of runs that have not been made.

    Parameters
    ----------
    source : Posterior, path of a saved one, or anything `fit` takes
        A fit, or runs to fit with the recommended model first.
    at : DataFrame, optional
        One row a point: the law's inputs, and the group columns where there are groups.
    seed : int
        Seed of the fit when `source` is no posterior.
    warn : bool
        Warn when a point lies absurdly far from the fitted runs.
    labels : sequence of sequence of str, optional
        Group of each point, where inputs are given by name and group columns are not.
    **inputs : float, str or array
        Inputs by name instead of `at`, and group columns where there are groups:
        ``n_params=7e9, n_tokens=2e12, dataset="web"``.

    Returns
    -------
    Forecast
        Intervals, probabilities and joint draws.

    Raises
    ------
    ForecastError
        For points that cannot be used.

    Warns
    -----
    ExtrapolationWarning
        When a point's compute exceeds 1000 times the largest fitted one, or a count
        is below a thousandth of the smallest fitted one.
    """
    check_arguments("forecast", ForecastError, warn=(warn, FLAG), labels=(labels, LABELS.or_none))
    posterior = fitted(source, seed=seed)
    if (at is None) == (not inputs):
        raise ForecastError(
            "forecast: give either a table of points or inputs by name, not both and not neither.",
            f"For example forecast(posterior, {'=..., '.join(posterior.law.inputs)}=...).",
        )
    if at is None:
        points = make_points(posterior, inputs, None if labels is None else [*map(tuple, labels)])
    else:
        points = at if isinstance(at, Points) else points_from_frame(at, posterior)
    for label in dict.fromkeys(points.labels):
        if label not in posterior.labels:
            posterior = with_new_group(posterior, label, seed)
    with one_thread():
        made = Forecast(posterior, points, _components(posterior, points))
    furthest = float(made.extrapolation_factor.max())
    if warn and furthest > FAR:
        warnings.warn(
            f"a forecast point has {furthest:.3g} times the compute of the largest fitted run;"
            f" beyond {FAR:g} the interval rests on the prior.",
            ExtrapolationWarning,
            stacklevel=2,
        )
    for said in _in_another_unit(posterior, points) if warn else ():
        warnings.warn(said, ExtrapolationWarning, stacklevel=2)
    return made


def _in_another_unit(posterior: Posterior, points: Points) -> Iterator[str]:
    """Yield a sentence for each count that lies absurdly far below every fitted one."""
    for name, values in points.inputs.items():
        fitted = [p.inputs[name].min() for p in posterior.problems if len(p)]
        if name not in (N_PARAMS, N_TOKENS, FLOPS) or not fitted:
            continue
        if values.min() < NEGLIGIBLE * min(fitted):
            yield (
                f"a forecast point has {name} {values.min():.4g}, and the smallest fitted run has"
                f" {min(fitted):.4g}: in another unit?"
            )


def load_forecast(path: str | Path) -> Forecast:
    """Read a forecast written by `Forecast.save`.

    Raises
    ------
    InferenceError
        When the file is missing, damaged or no forecast of ours.
    """
    posterior = load_posterior(path)
    (points,) = read_datasets(path, ("points",), "forecast")
    labels = [tuple(label) for label in json.loads(points.attrs["labels"])]
    inputs = {name: points[name].values for name in posterior.law.inputs}
    return forecast(posterior, make_points(posterior, inputs, labels), warn=False)


def quantile_column(p: float, output: str = LOSS) -> str:
    """Return the column name of a quantile: ``loss_q05`` for .05, ``loss_q975`` for .975."""
    return f"{output}_q" + f"{p:.3f}"[2:].rstrip("0").ljust(2, "0")


def _by_group(posterior: Posterior, points: Points) -> dict[int, Any]:
    groups = np.array([posterior.group_index(label) for label in points.labels])
    return {int(group): np.flatnonzero(groups == group) for group in np.unique(groups)}


def _log_reach(posterior: Posterior, group: int) -> float:
    """Return the log of the largest fitted compute: siblings and the model's c* may lie beyond."""
    own = posterior.problems[group]
    fitted = [own] if len(own) else [problem for problem in posterior.problems if len(problem)]
    return max(float(log_compute(posterior.law, each.positions).max()) for each in fitted)


def _components(posterior: Posterior, points: Points) -> Components:
    names = ("law", "mean", "discrepancy", "improvement", "noise", "share")
    size = (posterior.n_draws, len(points))
    out: Mapping[str, Floats] = {name: np.empty(size) for name in names}
    for group, rows in _by_group(posterior, points).items():
        inputs = {name: values[rows] for name, values in points.inputs.items()}
        parts = predict(posterior, group, inputs)
        for name in names:
            out[name][:, rows] = getattr(parts, name)
    return Components(**out)
