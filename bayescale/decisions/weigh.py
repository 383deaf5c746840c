"""Weigh a plan: from what its runs may come to, to numbers in money and a verdict.

Nothing here forecasts or draws, so that a question whose target, value, price or budget is moved
is weighed by the same lines as the question that was asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bayescale.decisions.decision import DO_NOT_FUND, FUND, RUN_PILOTS_FIRST, Verdict
from bayescale.decisions.outcomes import CandidateOutcome, PilotOutcome, PilotSet
from bayescale.decisions.outlook import Outlook
from bayescale.decisions.payoffs import Payoffs, certain_usd, expected_usd
from bayescale.decisions.pilots import PilotValues, is_clear
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.scenario import Scenario
from bayescale.models.discrepancy import Floats


@dataclass(frozen=True, eq=False)
class Weighed:
    """A verdict and the numbers it rests on.

    Parameters
    ----------
    verdict : {"FUND", "DO NOT FUND", "RUN PILOTS FIRST"}
        The answer.
    candidates : tuple of CandidateOutcome
        In the order of the plan.
    ranked : tuple of CandidateOutcome
        The best first.
    pilots : tuple of PilotOutcome
        In the order of the plan.
    pilot_sets : tuple of PilotSet
        Growing sets of pilots.
    evpi_usd : float
        Expected value of perfect information.
    """

    verdict: Verdict
    candidates: tuple[CandidateOutcome, ...]
    ranked: tuple[CandidateOutcome, ...]
    pilots: tuple[PilotOutcome, ...]
    pilot_sets: tuple[PilotSet, ...]
    evpi_usd: float

    @property
    def every_pilot(self) -> tuple[PilotOutcome | PilotSet, ...]:
        """Pilots alone, then sets of them."""
        return (*self.pilots, *self.pilot_sets)


def weigh(
    plan: Scenario,
    outlook: Outlook,
    payoffs: Payoffs,
    losses: Floats,
    seed: int,
    *,
    sets: bool = True,
) -> Weighed:
    """Return the verdict on a plan.

    Parameters
    ----------
    plan : Scenario
        The question.
    outlook : Outlook
        What is known of its runs one by one.
    payoffs : Payoffs
        What every action pays in joint draws.
    losses : array, shape (S, runs)
        Those draws.
    seed : int
        Seed of the halves that pilots are valued by.
    sets : bool
        Value sets of pilots too, where one of them is worth something.
    """
    candidates = _candidates(plan, outlook, payoffs)
    ranked = tuple(sorted(candidates, key=_rank))
    values = PilotValues(payoffs, outlook, losses, seed)
    pilots = tuple(values.one(run) for run in plan.pilots)
    found = values.greedy(pilots) if pilots and sets else ()
    verdict = _verdict(ranked[0], (*pilots, *found))
    return Weighed(verdict, candidates, ranked, pilots, found, values.perfect())


def best_pilot(pilots: Sequence[PilotOutcome | PilotSet]) -> PilotOutcome | PilotSet:
    """Return the pilot or pilots to run first: a clear gain before a larger one in doubt."""
    return max(pilots, key=lambda pilot: (is_clear(pilot), pilot.net_gain_usd, pilot.name))


def _candidates(plan: Scenario, outlook: Outlook, payoffs: Payoffs) -> tuple[CandidateOutcome, ...]:
    usd = payoffs.usd()
    lowest = payoffs.losses.argmin(axis=1)
    hindsight = float(usd.max(axis=1).mean())
    outcomes = []
    for run in plan.candidates:
        k, own = outlook.column[run.name], payoffs.runs.index(run)
        low, lower, median, upper, high = outlook.quantiles[run.name][1:-1].tolist()
        outcomes_of, probability = payoffs.outcomes[:, own], float(outlook.reached[k])
        cost = plan.run_cost_usd(run)
        net = expected_usd(plan, run, probability, outcomes_of)
        sure = certain_usd(plan, run, probability, outcomes_of)
        hours = plan.price.gpu_hours(plan.flops(run.inputs))
        outcomes.append(
            CandidateOutcome(
                name=run.name,
                inputs=run.inputs,
                label=outlook.label(run.name),
                flops=plan.flops(run.inputs),
                cost_usd=cost,
                extrapolation_factor=outlook.factor(run.name),
                loss_median=median,
                loss_interval_50=(lower, upper),
                loss_interval_90=(low, high),
                prob_target=probability,
                expected_net_value_usd=net,
                break_even_value_usd=_break_even_value(plan, run, sure, probability),
                break_even_price_usd_per_gpu_hour=(sure + cost) / hours,
                prob_best=float((lowest == own).mean()),
                certain_usd=sure if plan.risk else None,
                regret_usd=hindsight - float(usd[:, own + 1].mean()),
                serving_usd=plan.serving_usd(run),
                days=plan.days(run),
            )
        )
    return tuple(outcomes)


def _break_even_value(plan: Scenario, run: PlannedRun, sure: float, probability: float) -> float:
    """Return the worth of the target at which funding a run is as good as nothing."""
    cost, risk = plan.run_cost_usd(run), plan.risk
    if plan.value.shape == "step" and not plan.is_late(run):
        if risk is not None:
            return risk.prize(cost, probability) + plan.serving_usd(run)
        return cost / probability + plan.serving_usd(run) if probability else math.inf
    # Other shapes scale as a whole; with serving subtracted first, or risk minded, this is their
    # first-order answer.
    return plan.value_usd * cost / (sure + cost) if sure + cost > 0 else math.inf


def _rank(outcome: CandidateOutcome) -> tuple[float, float, str]:
    """Sort by expected net value; among candidates that lose money, by how little is missing.

    The cheapest hopeless run loses least, but it is not the one that the question is about.
    """
    net = outcome.weighed_usd
    return (-max(net, 0.0), 0.0 if net > 0 else outcome.break_even_value_usd, outcome.name)


def _verdict(best: CandidateOutcome, pilots: Sequence[PilotOutcome | PilotSet]) -> Verdict:
    if any(is_clear(pilot) for pilot in pilots):
        return RUN_PILOTS_FIRST
    return FUND if best.weighed_usd > 0 else DO_NOT_FUND
