"""Decide: fund, don't fund, or run pilots first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.decisions import sentences
from bayescale.decisions.caveats import caveats, pilot_is_clear
from bayescale.decisions.decision import (
    DO_NOT_FUND,
    FUND,
    RUN_PILOTS_FIRST,
    Decision,
    Verdict,
    load_decision,
)
from bayescale.decisions.information import evpi, evsi
from bayescale.decisions.outcomes import CandidateOutcome, PilotOutcome
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.planned import Planned, forecast_runs
from bayescale.decisions.scenario import Scenario, load_scenario
from bayescale.errors import DecisionError
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats

__all__ = ["CandidateOutcome", "Decision", "PilotOutcome", "decide", "load_decision"]

MIN_DRAWS = 400
"""Fewer joint draws leave too few in each bin of a pilot's loss."""


def decide(
    source: Any,
    scenario: Scenario | Mapping[str, Any] | str | Path,
    *,
    seed: int = 0,
    n_draws: int = 4000,
) -> Decision:
    """Return the verdict on a scenario, with its numbers, reasons and caveats.

    Probabilities of the target are exact for the predictive mixture. All that compares runs with
    each other comes from one set of joint draws of every candidate's and pilot's loss, through
    shared coefficients, discrepancy and delivery.

    Parameters
    ----------
    source : Posterior, or anything `fit` takes
        A fit, or runs to fit with the recommended model first.
    scenario : Scenario, mapping or path
        The question: a scenario, its plain data, or a plan file.
    seed : int
        Seed of everything random; equal seeds give equal decisions.
    n_draws : int
        Joint draws.

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
    plan = _scenario(scenario)
    if n_draws < MIN_DRAWS:
        raise DecisionError(f"decide: n_draws is {n_draws}, expected at least {MIN_DRAWS}.")
    posterior = source if isinstance(source, Posterior) else fit(source, seed=seed)
    planned = forecast_runs(posterior, plan, seed)
    losses = planned.forecast.draws(n_draws, seed)
    candidates = _candidates(plan, planned, losses)
    payoffs = _payoffs(plan, planned, losses)
    pilots = _pilots(plan, planned, losses, payoffs, seed)
    ranked = sorted(candidates, key=_rank)
    perfect = evpi(payoffs)
    return Decision(
        scenario=plan,
        verdict=_verdict(ranked[0], pilots),
        chosen=ranked[0].name,
        candidates=candidates,
        pilots=pilots,
        evpi_usd=perfect,
        reasons=_reasons(plan, ranked, pilots, perfect),
        caveats=caveats(posterior, plan, planned, candidates, pilots),
        posterior_line=repr(posterior),
        provenance={
            **posterior.provenance,
            "decision_seed": str(seed),
            "decision_draws": str(n_draws),
        },
    )


def _scenario(found: Scenario | Mapping[str, Any] | str | Path) -> Scenario:
    if isinstance(found, Scenario):
        return found
    return Scenario.from_dict(found) if isinstance(found, Mapping) else load_scenario(found)


def _candidates(plan: Scenario, planned: Planned, losses: Floats) -> tuple[CandidateOutcome, ...]:
    made = planned.forecast
    quantiles = made.quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    reached = made.prob_below(plan.target.loss)
    columns = sorted(planned.column[run.name] for run in plan.candidates)
    best = np.bincount(losses[:, columns].argmin(axis=1), minlength=len(columns)) / len(losses)
    prob_best = dict(zip(columns, best.tolist(), strict=True))
    outcomes = []
    for run in plan.candidates:
        k = planned.column[run.name]
        low, lower, median, upper, high = quantiles[:, k].tolist()
        price = _priced(plan, run)
        probability = float(reached[k])
        worth = plan.value.usd * probability
        outcomes.append(
            CandidateOutcome(
                **price,
                label=planned.label(run.name),
                extrapolation_factor=float(made.extrapolation_factor[k]),
                loss_median=median,
                loss_interval_50=(lower, upper),
                loss_interval_90=(low, high),
                prob_target=probability,
                expected_net_value_usd=worth - price["cost_usd"],
                break_even_value_usd=price["cost_usd"] / probability if probability else math.inf,
                break_even_price_usd_per_gpu_hour=worth / plan.price.gpu_hours(price["flops"]),
                prob_best=prob_best[k],
            )
        )
    return tuple(outcomes)


def _priced(plan: Scenario, run: PlannedRun) -> dict[str, Any]:
    """Return what every outcome says of a run: name, inputs, compute and cost."""
    return {
        "name": run.name,
        "inputs": run.inputs,
        "flops": plan.flops(run.inputs),
        "cost_usd": plan.cost_usd(run.inputs),
    }


def _payoffs(plan: Scenario, planned: Planned, losses: Floats) -> Floats:
    """Return USD of doing nothing and of funding each candidate, shape (S, 1 + candidates)."""
    runs = sorted(plan.candidates, key=lambda run: planned.column[run.name])
    met = losses[:, [planned.column[run.name] for run in runs]] <= plan.target.loss
    costs = np.array([plan.cost_usd(run.inputs) for run in runs])
    return np.column_stack([np.zeros(len(losses)), plan.value.usd * met - costs])


def _pilots(
    plan: Scenario, planned: Planned, losses: Floats, payoffs: Floats, seed: int
) -> tuple[PilotOutcome, ...]:
    # predictive draws repeat the posterior's in turn, so this is the posterior draw of each.
    clusters = np.arange(len(losses)) % planned.forecast.posterior.n_draws
    outcomes = []
    for run in plan.pilots:
        rng = np.random.default_rng([seed, 1])
        value, error = evsi(payoffs, losses[:, planned.column[run.name]], clusters, rng)
        price = _priced(plan, run)
        outcomes.append(
            PilotOutcome(
                **price,
                label=planned.label(run.name),
                evsi_usd=value,
                evsi_se_usd=error,
                net_gain_usd=value - price["cost_usd"],
            )
        )
    return tuple(outcomes)


def _rank(outcome: CandidateOutcome) -> tuple[float, float, str]:
    """Sort by expected net value; among candidates that lose money, by how little is missing.

    The cheapest hopeless run loses least, but it is not the one that the question is about.
    """
    net = outcome.expected_net_value_usd
    return (-max(net, 0.0), 0.0 if net > 0 else outcome.break_even_value_usd, outcome.name)


def _best(pilots: Sequence[PilotOutcome]) -> PilotOutcome:
    return max(pilots, key=lambda pilot: (pilot_is_clear(pilot), pilot.net_gain_usd, pilot.name))


def _verdict(best: CandidateOutcome, pilots: Sequence[PilotOutcome]) -> Verdict:
    if any(pilot_is_clear(pilot) for pilot in pilots):
        return RUN_PILOTS_FIRST
    return FUND if best.expected_net_value_usd > 0 else DO_NOT_FUND


def _reasons(
    plan: Scenario,
    ranked: Sequence[CandidateOutcome],
    pilots: Sequence[PilotOutcome],
    perfect: float,
) -> tuple[str, ...]:
    best = ranked[0]
    said = [sentences.chance(best, plan.target.loss), sentences.money(best, plan.value.usd)]
    said.append(sentences.break_even(best))
    if len(ranked) > 1:
        said.append(sentences.compared(best, ranked[1]))
    if not pilots:
        said.append(sentences.no_pilots(perfect))
    elif pilot_is_clear(_best(pilots)):
        said.append(sentences.pilot_pays(_best(pilots)))
    else:
        said.append(sentences.no_pilot_pays(_best(pilots)))
    return tuple(said)
