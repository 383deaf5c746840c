"""The forecast of every run of a scenario at once, candidates and pilots drawn jointly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescale.decisions.labels import fitted_label
from bayescale.decisions.scenario import Scenario
from bayescale.decisions.yardstick import Yardstick
from bayescale.errors import DecisionError
from bayescale.forecasts.forecast import Forecast, forecast
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.points import make_points
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats
from bayescale.runs.schema import FLOPS, LOSS

LEVELS = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
"""Probabilities at which a decision quotes losses."""


@dataclass(frozen=True, eq=False)
class Planned:
    """A forecast with one point a run, in an order that does not depend on the plan's.

    Parameters
    ----------
    forecast : Forecast
        Predictive distributions and joint draws.
    column : dict of str to int
        Point of each run, by its name.
    measure : Yardstick
        What outcomes are measured by.
    candidates : tuple of str
        Names of the runs that could be funded.
    """

    forecast: Forecast
    column: dict[str, int]
    measure: Yardstick
    candidates: tuple[str, ...]

    @cached_property
    def quantiles(self) -> dict[str, Floats]:
        """Losses of each candidate at `LEVELS`, by its name."""
        own = [self.column[name] for name in self.candidates]
        whole = self.forecast.mixture
        found = Mixture(whole.mean[:, own], whole.variance[:, own]).quantile(np.array(LEVELS))
        return dict(zip(self.candidates, np.exp(found.T), strict=True))

    @cached_property
    def reached(self) -> Floats:
        """Probability that each run meets the target, shape (runs,)."""
        return self.measure.reached(self.forecast)

    def label(self, name: str) -> tuple[str, ...]:
        """Return the group of a run."""
        return self.forecast.points.labels[self.column[name]]

    def factor(self, name: str) -> float:
        """Return the compute of a run over that of the largest fitted one."""
        return float(self.forecast.extrapolation_factor[self.column[name]])


def joint_losses(planned: Planned, n_draws: int, seed: int) -> Floats:
    """Draw the losses of all runs jointly, shape (n_draws, runs).

    In single precision, which is what a report carries: there the same draws give the same answer.
    """
    return planned.forecast.draws(n_draws, seed).astype(np.float32).astype(float)


def forecast_runs(
    posterior: Posterior, scenario: Scenario, seed: int, measure: Yardstick
) -> Planned:
    """Forecast every candidate and pilot of a scenario.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    scenario : Scenario
        The runs.
    seed : int
        Seed of what is drawn for a group without runs.
    measure : Yardstick
        What outcomes are measured by.

    Raises
    ------
    DecisionError
        When a run's group is unknown to the fit, or the law predicts no loss, or reads an input
        that plans do not state.
    """
    _check_output(posterior, scenario)
    labels = {run.name: fitted_label(run.name, run.group, posterior) for run in scenario.runs}
    # The same runs in another order must give the same draws.
    runs = sorted(scenario.runs, key=lambda r: (labels[r.name], r.n_params, r.n_tokens, r.name))
    inputs = [{**run.inputs, FLOPS: scenario.flops(run.inputs)} for run in runs]
    for name in posterior.law.inputs:
        if name not in inputs[0]:
            raise DecisionError(
                f"plan {scenario.title!r}: law {posterior.law.name!r} of the fit reads {name},"
                f" but the runs of a plan state {', '.join(inputs[0])}."
            )
    columns = {name: np.array([point[name] for point in inputs]) for name in posterior.law.inputs}
    points = make_points(posterior, columns, [labels[run.name] for run in runs])
    made = forecast(posterior, points, seed=seed, warn=False)
    columns_of = {run.name: k for k, run in enumerate(runs)}
    return Planned(made, columns_of, measure, tuple(run.name for run in scenario.candidates))


def _check_output(posterior: Posterior, scenario: Scenario) -> None:
    law = posterior.law
    if law.output != LOSS:
        raise DecisionError(
            f"plan {scenario.title!r}: law {law.name!r} of the fit predicts {law.output}, but a"
            " plan is decided by its runs' loss.",
            "Fit a law of loss; an error to be met goes into the plan as target.downstream.",
        )
