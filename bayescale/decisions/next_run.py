"""Next run: which pilots to make before a large run is decided on, a few at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.arguments import COUNT, NAME, NUMBER, check_arguments
from bayescale.decisions.campaign import GOALS, Goal, NextRun, Proposal
from bayescale.decisions.decide import as_scenario
from bayescale.decisions.design import Chosen, cheapest, frontier, most_telling, shrinkages
from bayescale.decisions.outcomes import PilotOutcome, PilotSet
from bayescale.decisions.payoffs import joint_payoffs
from bayescale.decisions.pilots import PilotValues, is_clear
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.planned import Planned, forecast_runs
from bayescale.decisions.proposals import propose
from bayescale.decisions.scenario import Scenario
from bayescale.decisions.weigh import best_pilot
from bayescale.decisions.yardstick import yardstick
from bayescale.errors import DecisionError
from bayescale.forecasts.covariance import joint_moments
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.models.discrepancy import Floats

__all__ = ["NextRun", "Proposal", "next_run"]

SHRINK = 0.5
"""Width of the candidate's interval to reach, over its present one, where nothing else is said."""

VALUED = 12
"""Pilots valued in money: those that narrow the candidate's interval most for their cost."""


def next_run(
    source: Any,
    scenario: Scenario | Mapping[str, Any] | str | Path,
    *,
    goal: Goal = "width",
    shrink: float | None = None,
    budget_usd: float | None = None,
    k: int = 1,
    candidate: str | None = None,
    seed: int = 0,
) -> NextRun:
    """Return the pilots to make next: for the width of a forecast, or for the decision.

    Pilots are those of the plan; where it names none, a grid between the fitted runs and the
    candidate. Refit with what they show under the same constants
    (``fit(..., constants=[p.constants for p in posterior.problems])``) and ask again.

    Parameters
    ----------
    source : Posterior, path of a saved one, or anything `fit` takes
        A fit, or runs to fit with the recommended model first.
    scenario : Scenario, mapping or path
        The question.
    goal : {"width", "decision"}
        ``width``: the cheapest set that narrows the candidate's interval to `shrink`, or the most
        telling one within `budget_usd`. ``decision``: the set with the largest net gain.
    shrink : float, optional
        Width to reach over the present one. Default: a half, where there is no budget either.
    budget_usd : float, optional
        Most that pilots may cost together.
    k : int
        Pilots to make at a time.
    candidate : str, optional
        The run to tell about; the plan's first by default.
    seed : int
        Seed of the joint draws.

    Returns
    -------
    NextRun
        What to make now, the set it begins, and all proposals.

    Raises
    ------
    DecisionError
        For a plan or an argument that cannot be used, or when nothing can be proposed.
    """
    plan = as_scenario(scenario)
    _check(goal, shrink, budget_usd, k, candidate)
    posterior = fitted(source, seed=seed)
    run = _candidate(plan, candidate)
    plan = _with_pilots(plan, posterior, run, budget_usd)
    plan, measure = yardstick(plan, seed)
    planned = forecast_runs(posterior, plan, seed, measure)
    columns = [planned.column[each.name] for each in (run, *plan.pilots)]
    moments = joint_moments(planned.forecast.posterior, planned.forecast.points)
    covariance = moments.covariance[np.ix_(columns, columns)]
    noise, costs = moments.noise[columns], _costs(plan)
    alone = shrinkages(covariance, noise)
    low, high = np.log(planned.quantiles[run.name][[1, -2]])
    values: dict[str, PilotOutcome] = {}
    gain: float | None = None
    sought = SHRINK if shrink is None and budget_usd is None and goal == "width" else shrink
    if goal == "width":
        whole = _by_width(frontier(covariance, noise, costs), sought, budget_usd)
    else:
        whole, values, gain = _by_gain(plan, planned, alone, costs, seed, budget_usd)
        whole = Chosen(whole.runs, whole.cost, _after(covariance, noise, whole.runs))
    names = tuple(plan.pilots[k].name for k in whole.runs)
    return NextRun(
        goal=goal,
        candidate=run.name,
        chosen=names[:k],
        whole=names,
        cost_usd=sum(plan.run_cost_usd(plan.pilots[k]) for k in whole.runs),
        flops=sum(plan.flops(plan.pilots[k].inputs) for k in whole.runs),
        width=float(high - low),
        shrinkage=whole.shrinkage,
        sought=sought,
        net_gain_usd=gain,
        proposals=_proposals(plan, alone, costs, values),
        posterior_line=repr(posterior),
    )


def _check(
    goal: str, shrink: float | None, budget_usd: float | None, k: int, candidate: str | None
) -> None:
    check_arguments(
        "next_run",
        DecisionError,
        goal=(goal, NAME),
        shrink=(shrink, NUMBER.or_none),
        budget_usd=(budget_usd, NUMBER.or_none),
        k=(k, COUNT),
        candidate=(candidate, NAME.or_none),
    )
    if goal not in GOALS:
        raise DecisionError(f"next_run: goal is {goal!r}, expected one of {', '.join(GOALS)}.")
    if shrink is not None and not 0.0 < shrink < 1.0:
        raise DecisionError(
            f"next_run: shrink is {shrink!r}, expected between 0 and 1 (0.5 halves the interval)."
        )
    if budget_usd is not None and not (math.isfinite(budget_usd) and budget_usd > 0):
        raise DecisionError(f"next_run: budget_usd is {budget_usd!r}, expected positive USD.")


def _candidate(plan: Scenario, name: str | None) -> PlannedRun:
    found = [run for run in plan.candidates if name in (None, run.name)]
    if not found:
        known = ", ".join(run.name for run in plan.candidates)
        raise DecisionError(
            f"next_run: plan {plan.title!r} has no candidate {name!r}.", f"Name one of {known}."
        )
    return found[0]


def _with_pilots(
    plan: Scenario, posterior: Posterior, run: PlannedRun, budget_usd: float | None
) -> Scenario:
    """Return the plan with pilots: its own or proposed ones, none beyond the budget."""
    pilots = plan.pilots
    if not pilots:
        fitted = [p.positions.sum(axis=1) for p in posterior.problems if len(p)]
        pilots = propose(run, 6.0 * float(np.exp(np.median(np.concatenate(fitted)))))
    if plan.price.flops_convention == "stated":
        pilots = tuple(
            pilot if pilot.flops else pilot.model_copy(update={"flops": _six_nd(pilot)})
            for pilot in pilots
        )
    most = math.inf if budget_usd is None else budget_usd
    affordable = tuple(pilot for pilot in pilots if plan.run_cost_usd(pilot) <= most)
    if not affordable:
        said = "no pilot" if not pilots else f"no pilot of {len(pilots)} for {most:,.2f} USD"
        raise DecisionError(
            f"next_run: there is {said} to make before {run.name!r}.",
            "Name pilots in the plan, or raise the budget.",
        )
    return plan.model_copy(update={"pilots": affordable})


def _six_nd(run: PlannedRun) -> float:
    return 6.0 * run.n_params * run.n_tokens


def _costs(plan: Scenario) -> Floats:
    """Return what pilots cost, USD; their compute where compute is free."""
    usd = np.array([plan.run_cost_usd(run) for run in plan.pilots])
    return usd if usd.any() else np.array([plan.flops(run.inputs) for run in plan.pilots])


def _by_width(found: tuple[Chosen, ...], shrink: float | None, budget_usd: float | None) -> Chosen:
    within = found if budget_usd is None else tuple(c for c in found if c.cost <= budget_usd)
    return most_telling(within) if shrink is None else cheapest(within, shrink)


def _by_gain(
    plan: Scenario,
    planned: Planned,
    alone: Floats,
    costs: Floats,
    seed: int,
    budget_usd: float | None,
) -> tuple[Chosen, dict[str, PilotOutcome], float | None]:
    """Return the set with the largest clear net gain, and the value of every pilot tried.

    The pilots of the plan are affordable one by one; a set of them need not be.
    """
    order = _ranking(alone, costs)[:VALUED]
    tried = plan.model_copy(update={"pilots": tuple(plan.pilots[k] for k in order)})
    losses = planned.forecast.draws(4000, seed)
    values = PilotValues(joint_payoffs(tried, planned, losses), planned, losses, seed)
    outcomes = [values.one(run) for run in tried.pilots]
    by_name = {outcome.name: outcome for outcome in outcomes}
    most = math.inf if budget_usd is None else budget_usd
    found: list[PilotOutcome | PilotSet] = [*outcomes, *values.greedy(outcomes)]
    best = best_pilot([each for each in found if each.cost_usd <= most])
    if not is_clear(best):
        return Chosen((), 0.0, 1.0), by_name, None
    names = best.names if isinstance(best, PilotSet) else (best.name,)
    position = {run.name: k for k, run in enumerate(plan.pilots)}
    chosen = Chosen(tuple(position[name] for name in names), best.cost_usd, 1.0)
    return chosen, by_name, best.net_gain_usd


def _after(covariance: Floats, noise: Floats, runs: tuple[int, ...]) -> float:
    """Return the width predicted after a set of runs, over the present one."""
    seen = np.array(runs, dtype=int) + 1
    joint = covariance[np.ix_(seen, seen)] + np.diag(noise[seen])
    before = float(covariance[0, 0] + noise[0])
    told = float(covariance[0, seen] @ np.linalg.solve(joint, covariance[seen, 0])) if runs else 0.0
    return math.sqrt(max(1.0 - told / before, 0.0))


def _ranking(alone: Floats, costs: Floats) -> list[int]:
    told = -np.log(np.maximum(alone, 1e-9)) / np.maximum(costs, 1e-300)
    return np.argsort(-told, kind="stable").tolist()


def _proposals(
    plan: Scenario, alone: Floats, costs: Floats, values: dict[str, PilotOutcome]
) -> tuple[Proposal, ...]:
    runs = [(plan.pilots[k], float(alone[k])) for k in _ranking(alone, costs)]
    return tuple(
        Proposal(
            name=run.name,
            n_params=run.n_params,
            n_tokens=run.n_tokens,
            flops=plan.flops(run.inputs),
            cost_usd=plan.run_cost_usd(run),
            shrinkage=shrinkage,
            net_gain_usd=values[run.name].net_gain_usd if run.name in values else None,
        )
        for run, shrinkage in runs
    )
