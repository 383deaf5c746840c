"""What if the target, its worth, the price or the budget were another: no new fit, no new draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bayescale.decisions.ahead import Ahead, look_ahead
from bayescale.decisions.budget import scaled
from bayescale.decisions.decision import Decision
from bayescale.decisions.payoffs import Payoffs
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.planned import LEVELS, Planned, forecast_runs
from bayescale.decisions.scenario import Scenario
from bayescale.decisions.weigh import Weighed, weigh
from bayescale.decisions.yardstick import N_DRAWS, Yardstick, yardstick
from bayescale.errors import DecisionError
from bayescale.forecasts.forecast import forecast
from bayescale.forecasts.points import Points
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats
from bayescale.runs.schema import FLOPS

N_SIZES = 40
"""Sizes of the chosen candidate that are drawn, itself among them."""

SMALLEST, LARGEST, FURTHEST = 1 / 16, 16.0, 1000.0
"""Compute of the smallest and the largest one over the candidate's, and how far that may move."""


@dataclass(frozen=True, eq=False)
class WhatIf:
    """A question that can be weighed again with four of its numbers moved.

    Parameters
    ----------
    scenario : Scenario
        The question as asked.
    chosen : str
        Candidate whose compute a budget scales, at its D/N.
    runs : Ahead
        Its runs, candidates first.
    scales : array, shape (N_SIZES,)
        Compute over the candidate's, rising, 1 among them.
    sizes : Ahead
        The candidate at those scales, drawn jointly with `runs`.
    clusters : array of int, shape (S,)
        Draws that rest on the same posterior draw.
    labels, factors : mapping of str
        Group and extrapolation factor of each run, by its name.
    seed : int
        That of the decision.
    """

    scenario: Scenario
    chosen: str
    runs: Ahead
    scales: Floats
    sizes: Ahead
    clusters: np.ndarray
    labels: Mapping[str, tuple[str, ...]]
    factors: Mapping[str, float]
    seed: int

    def at(
        self,
        *,
        target: float | None = None,
        value: float = 1.0,
        price: float = 1.0,
        scale: float = 1.0,
    ) -> Weighed:
        """Return the verdict with some numbers of the plan moved.

        Parameters
        ----------
        target : float, optional
            What an outcome must not exceed: a loss, or a downstream error where the plan has one.
        value, price : float
            Factors on the worth of every outcome and on the price of a GPU-hour.
        scale : float
            Factor on the compute of the chosen candidate, between the ends of `scales`.

        Raises
        ------
        DecisionError
            For a number that is not positive, or a scale beyond the ends.
        """
        self._check(target, value, price, scale)
        plan = self._moved(target, value, price, scale)
        ahead = self._sized(scale)
        n = len(plan.candidates)
        outlook = _Moved(self, ahead, plan)
        losses = ahead.losses.astype(float)
        own = ahead.outcomes[:, :n].astype(float)
        payoffs = Payoffs(plan, plan.candidates, losses[:, :n], own, self.clusters)
        return weigh(plan, outlook, payoffs, losses, self.seed)

    def probability(self, target: float | None = None) -> Floats:
        """Return the probability of the target at each of `scales`, shape (N_SIZES,)."""
        return self.sizes.reached(self.scenario.target.level if target is None else target)

    def _sized(self, scale: float) -> Ahead:
        """Return the runs, the chosen one at another scale."""
        if scale == 1.0:
            return self.runs
        own = [run.name for run in self.scenario.runs].index(self.chosen)
        resized = self.sizes.between(np.log(self.scales), float(np.log(scale)))
        n = len(self.scenario.runs)
        return self.runs.beside(resized).taking([n if k == own else k for k in range(n)])

    def _moved(self, target: float | None, value: float, price: float, scale: float) -> Scenario:
        plan = self.scenario
        runs = tuple(_resized(r, scale) if r.name == self.chosen else r for r in plan.candidates)
        worth: dict[str, object] = {} if plan.value.usd is None else {"usd": plan.value.usd * value}
        if plan.value.points is not None:
            worth["points"] = tuple((at, usd * value) for at, usd in plan.value.points)
        hourly = {"usd_per_gpu_hour": plan.price.usd_per_gpu_hour * price}
        parts: dict[str, object] = {
            "candidates": runs,
            "value": plan.value.model_copy(update=worth),
            "price": plan.price.model_copy(update=hourly),
        }
        if target is not None:
            parts["target"] = _retargeted(plan, target)
        return plan.model_copy(update=parts)

    def _check(self, target: float | None, value: float, price: float, scale: float) -> None:
        for name, given in (("target", target), ("value", value), ("price", price)):
            if given is not None and not (np.isfinite(given) and given > 0):
                raise DecisionError(f"what if: {name} is {given!r}, expected a positive number.")
        low, high = float(self.scales[0]), float(self.scales[-1])
        if not low <= scale <= high:
            raise DecisionError(
                f"what if: scale is {scale!r}, expected {low:.3g} to {high:.3g} times the compute"
                f" of {self.chosen}.",
                "Ask decide about a plan with that run instead.",
            )


@dataclass(frozen=True, eq=False)
class _Moved:
    """What is known of the runs of a moved question."""

    whole: WhatIf
    ahead: Ahead
    plan: Scenario

    @property
    def column(self) -> dict[str, int]:
        return {run.name: k for k, run in enumerate(self.plan.runs)}

    @property
    def quantiles(self) -> dict[str, Floats]:
        own = list(range(len(self.plan.candidates)))
        found = np.exp(self.ahead.taking(own).mixture.quantile(np.array(LEVELS)))
        return {run.name: found[:, k] for k, run in enumerate(self.plan.candidates)}

    @property
    def reached(self) -> Floats:
        return self.ahead.reached(self.plan.target.level)

    def label(self, name: str) -> tuple[str, ...]:
        return self.whole.labels[name]

    def factor(self, name: str) -> float:
        run = next(run for run in self.plan.runs if run.name == name)
        asked = next(run for run in self.whole.scenario.runs if run.name == name)
        grown = run.n_params * run.n_tokens / (asked.n_params * asked.n_tokens)
        return self.whole.factors[name] * grown


def what_if(posterior: Posterior, decision: Decision) -> WhatIf:
    """Return a decision's question in a form that can be weighed again.

    Parameters
    ----------
    posterior : Posterior
        The fit that the decision rests on.
    decision : Decision
        The verdict; `WhatIf.at` without arguments repeats it.
    """
    seed = int(decision.provenance.get("decision_seed", "0"))
    n_draws = int(decision.provenance.get("decision_draws", "4000"))
    plan, measure = yardstick(decision.scenario, seed)
    planned = forecast_runs(posterior, plan, seed, measure)
    chosen = next(run for run in plan.candidates if run.name == decision.chosen)
    scales = _scales(decision)
    points = _points(plan, planned, chosen, np.delete(scales, int(np.argmin(abs(scales - 1.0)))))
    drawn, others = planned.forecast.draws_with(points, planned.column[chosen.name], n_draws, seed)
    runs = _runs(planned, drawn, measure, seed)
    return WhatIf(
        scenario=plan,
        chosen=chosen.name,
        runs=runs.taking([planned.column[run.name] for run in plan.runs]),
        scales=scales,
        sizes=_sizes(planned, points, others, runs.taking([planned.column[chosen.name]]), scales),
        clusters=np.arange(n_draws) % planned.forecast.posterior.n_draws,
        labels={run.name: planned.label(run.name) for run in plan.runs},
        factors={run.name: planned.factor(run.name) for run in plan.runs},
        seed=seed,
    )


def _runs(planned: Planned, drawn: Floats, measure: Yardstick, seed: int) -> Ahead:
    """Keep the runs, in the order of the forecast, their outcomes drawn as `decide` draws them."""
    made = planned.forecast
    if measure.errors is None:
        return look_ahead(made, drawn)
    single = drawn.astype(np.float32).astype(float)
    rows = sorted(planned.column[name] for name in planned.candidates)
    outcomes = single.copy()
    outcomes[:, rows] = measure.outcomes(single[:, rows])
    return look_ahead(made, drawn, outcomes, measure.outcomes(made.draws(N_DRAWS, seed)))


def _sizes(planned: Planned, points: Points, drawn: Floats, own: Ahead, scales: Floats) -> Ahead:
    """Keep the candidate at every scale, itself where the scale is 1."""
    measure = planned.measure
    made = forecast(planned.forecast.posterior, points, warn=False)
    outcomes = None if measure.errors is None else measure.outcomes(drawn)
    others = look_ahead(made, drawn, outcomes, outcomes)
    place = int(np.argmin(abs(scales - 1.0)))
    order = [k + 1 if k < place else 0 if k == place else k for k in range(N_SIZES)]
    sizes = own.beside(others).taking(order)
    # Errors at other sizes come from one set of draws, which is all that the page carries.
    return sizes if sizes.sample is None else replace(sizes, sample=sizes.outcomes)


def _scales(decision: Decision) -> Floats:
    """Return compute over the chosen candidate's, as far as a likely success takes."""
    budget = decision.budget
    wanted = 2.0 * budget.factor if budget is not None and budget.factor is not None else 0.0
    largest = min(max(LARGEST, wanted), FURTHEST)
    below = round((N_SIZES - 1) * np.log(1 / SMALLEST) / np.log(largest / SMALLEST))
    lower, upper = (
        np.geomspace(SMALLEST, 1.0, below + 1),
        np.geomspace(1.0, largest, N_SIZES - below),
    )
    return np.concatenate([lower[:-1], [1.0], upper[1:]])


def _points(plan: Scenario, planned: Planned, run: PlannedRun, scales: Floats) -> Points:
    inputs = [scaled(run.inputs, scale) for scale in scales]
    every = [{**each, FLOPS: plan.flops(each)} for each in inputs]
    names = planned.forecast.posterior.law.inputs
    columns = {name: np.array([at[name] for at in every]) for name in names}
    return Points(columns, (planned.label(run.name),) * len(scales))


def _resized(run: PlannedRun, scale: float) -> PlannedRun:
    sizes = scaled(run.inputs, scale)
    cost = None if run.cost_usd is None else run.cost_usd * scale
    return run.model_copy(update={**sizes, "cost_usd": cost})


def _retargeted(plan: Scenario, level: float) -> object:
    if plan.target.downstream is None:
        return plan.target.model_copy(update={"loss": level})
    wanted = plan.target.downstream.model_copy(update={"error": level})
    return plan.target.model_copy(update={"downstream": wanted})
