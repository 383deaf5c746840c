"""Decide: fund, don't fund, or run pilots first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.arguments import COUNT, FLAG, check_arguments
from bayescale.decisions import sentences
from bayescale.decisions.allocate import allocate
from bayescale.decisions.assumptions import turning_points
from bayescale.decisions.budget import budget_needed
from bayescale.decisions.caveats import caveats
from bayescale.decisions.decision import Decision, load_decision
from bayescale.decisions.outcomes import CandidateOutcome, Optimum, PilotOutcome
from bayescale.decisions.payoffs import joint_payoffs
from bayescale.decisions.pilots import is_clear
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.planned import Planned, forecast_runs, joint_losses
from bayescale.decisions.scenario import Scenario, load_scenario
from bayescale.decisions.weigh import Weighed, best_pilot, weigh
from bayescale.decisions.yardstick import yardstick
from bayescale.errors import DecisionError
from bayescale.inference.source import fitted
from bayescale.runs.schema import N_PARAMS, N_TOKENS

__all__ = ["CandidateOutcome", "Decision", "PilotOutcome", "decide", "load_decision"]

MIN_DRAWS = 400
"""Fewer joint draws leave too few in each bin of a pilot's loss."""


def decide(
    source: Any,
    scenario: Scenario | Mapping[str, Any] | str | Path,
    *,
    seed: int = 0,
    n_draws: int = 4000,
    sets: bool = True,
) -> Decision:
    """Return the verdict on a scenario, with its numbers, reasons and caveats.

    Probabilities of the target are exact for the predictive mixture. All that compares runs with
    each other comes from one set of joint draws of every candidate's and pilot's loss, through
    shared coefficients, discrepancy and delivery.

    Parameters
    ----------
    source : Posterior, path of a saved one, or anything `fit` takes
        A fit, or runs to fit with the recommended model first.
    scenario : Scenario, mapping or path
        The question: a scenario, its plain data, or a plan file.
    seed : int
        Seed of everything random; equal seeds give equal decisions.
    n_draws : int
        Joint draws.
    sets : bool
        Value sets of pilots too, where one of them is worth something.

    Returns
    -------
    Decision
        FUND when the best candidate's expected net value is above zero, DO NOT FUND when it is
        not, RUN PILOTS FIRST when a pilot is worth more than its cost, beyond Monte Carlo error.

    Raises
    ------
    DecisionError
        For a plan that cannot be used, or runs that the fit cannot forecast.
    """
    plan = as_scenario(scenario)
    check_arguments("decide", DecisionError, n_draws=(n_draws, COUNT), sets=(sets, FLAG))
    if n_draws < MIN_DRAWS:
        raise DecisionError(f"decide: n_draws is {n_draws}, expected at least {MIN_DRAWS}.")
    posterior = fitted(source, seed=seed)
    plan, measure = yardstick(plan, seed)
    planned = forecast_runs(posterior, plan, seed, measure)
    losses = joint_losses(planned, n_draws, seed)
    payoffs = joint_payoffs(plan, planned, losses)
    made = weigh(plan, planned, payoffs, losses, seed, sets=sets)
    chosen = next(run for run in plan.candidates if run.name == made.ranked[0].name)
    return Decision(
        scenario=plan,
        verdict=made.verdict,
        chosen=chosen.name,
        candidates=made.candidates,
        pilots=made.pilots,
        pilot_sets=made.pilot_sets,
        evpi_usd=made.evpi_usd,
        budget=budget_needed(plan, planned, chosen),
        optimum=_optimum(plan, planned, chosen, seed),
        assumptions=turning_points(plan, planned, chosen, payoffs),
        reasons=_reasons(plan, made),
        caveats=caveats(posterior, plan, planned, made.candidates, made.pilots),
        posterior_line=repr(posterior),
        provenance={
            **posterior.provenance,
            "decision_seed": str(seed),
            "decision_draws": str(n_draws),
        },
    )


def as_scenario(found: Scenario | Mapping[str, Any] | str | Path) -> Scenario:
    """Return a scenario as it is, from plain data, or from a plan file."""
    if isinstance(found, Scenario):
        return found
    if not isinstance(found, Mapping | str | Path):
        raise DecisionError(
            f"the plan is a {type(found).__name__}, expected a Scenario, a mapping, or the path of"
            " a plan file."
        )
    return Scenario.from_dict(found) if isinstance(found, Mapping) else load_scenario(found)


def _optimum(plan: Scenario, planned: Planned, run: PlannedRun, seed: int) -> Optimum | None:
    """Return the best split of a candidate's compute, None where the law does not split it."""
    posterior = planned.forecast.posterior
    if set(posterior.law.inputs) != {N_PARAMS, N_TOKENS}:
        return None
    demand = 0.0 if plan.inference is None else plan.inference.lifetime_tokens
    flops = 2.0 * run.n_params * (3.0 * run.n_tokens + demand)
    made = allocate(
        posterior,
        flops=flops,
        n_params=run.n_params,
        lifetime_tokens=demand,
        label=planned.label(run.name),
        seed=seed,
    )
    return Optimum(
        name=run.name,
        flops=flops,
        lifetime_tokens=demand,
        n_params=float(np.median(made.n_params_opt)),
        n_params_90=made.interval("n_params_opt"),
        n_tokens=float(np.median(made.n_tokens_opt)),
        n_tokens_90=made.interval("n_tokens_opt"),
        regret=float(made.regret.mean()),
    )


def _reasons(plan: Scenario, made: Weighed) -> tuple[str, ...]:
    best, *others = made.ranked
    said = [sentences.chance(best, plan.target), sentences.money(best, plan)]
    if best.certain_usd is not None and plan.risk is not None:
        said.append(sentences.certain(best, plan.risk.tolerance_usd))
    said.append(sentences.break_even(best, plan))
    if others:
        said.append(sentences.compared(best, others[0]))
    if not made.every_pilot:
        said.append(sentences.no_pilots(made.evpi_usd))
    elif is_clear(best_pilot(made.every_pilot)):
        said.append(sentences.pilot_pays(best_pilot(made.every_pilot)))
    else:
        said.append(sentences.no_pilot_pays(best_pilot(made.every_pilot)))
    return tuple(said)
