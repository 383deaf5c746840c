"""Every sentence of a decision's and an allocation's reasons and caveats: words only, no rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayescale.decisions.outcomes import CandidateOutcome, PilotOutcome, PilotSet
from bayescale.decisions.plan import Target
from bayescale.decisions.scenario import Scenario
from bayescale.runs.numbers import short_count

if TYPE_CHECKING:
    from bayescale.decisions.decision import Decision


def usd(amount: float) -> str:
    """Return an amount of money with as many digits as anybody reads."""
    if math.isinf(amount):
        return "any sum of USD"
    return f"{amount:,.0f} USD" if abs(amount) >= 100 else f"{amount:,.2f} USD"


def percent(probability: float) -> str:
    """Return a probability in percent, never 0 or 100."""
    if probability < 0.01:
        return "less than 1 %"
    return "more than 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def chance(best: CandidateOutcome, target: Target) -> str:
    """Say how likely the target is, and the predictive loss."""
    low, high = best.loss_interval_90
    wanted = target.downstream
    unit = "nats per token" if wanted is None else wanted.column
    return (
        f"{best.name} reaches the target of {target.level:.4g} {unit} with a probability of"
        f" {percent(best.prob_target)}: its loss is forecast at {best.loss_median:.4g}, and with"
        f" 90 % probability between {low:.4g} and {high:.4g}."
    )


def money(best: CandidateOutcome, plan: Scenario) -> str:
    """Say what funding costs and brings."""
    net = best.expected_net_value_usd
    verb = "brings" if net > 0 else "loses"
    served = f", serving it for life {usd(best.serving_usd)}" if best.serving_usd else ""
    return (
        f"It costs {usd(best.cost_usd)}{served} and meeting the target is worth"
        f" {usd(plan.value_usd)}, so funding it {verb} {usd(abs(net))} on average."
    )


def certain(best: CandidateOutcome, tolerance: float) -> str:
    """Say what the gamble is worth to somebody who minds losing."""
    sure = best.weighed_usd
    word = "gain" if sure > 0 else "loss"
    return (
        f"With a risk tolerance of {usd(tolerance)}, funding {best.name} is as good as a sure"
        f" {word} of {usd(abs(sure))}."
    )


def break_even(best: CandidateOutcome, plan: Scenario) -> str:
    """Say at which value and at which price funding begins to pay."""
    worth, price = best.break_even_value_usd, best.break_even_price_usd_per_gpu_hour
    hour = "GPU-hour of training" if best.serving_usd else "GPU-hour"
    cheaper = f"a {hour} costs less than {usd(price)}"
    stated = any(run.name == best.name and run.cost_usd is not None for run in plan.candidates)
    if not math.isinf(worth):
        priced = "" if stated else f", or {cheaper}"
        return f"Funding pays when meeting the target is worth more than {usd(worth)}{priced}."
    if price <= 0:
        return "No worth of the target would justify the run: the target is out of its reach."
    priced = "" if stated else f" Funding pays when {cheaper}."
    return f"No worth of the target would make up for the risk of losing its cost.{priced}"


def compared(best: CandidateOutcome, second: CandidateOutcome) -> str:
    """Say how the next best candidate does."""
    return (
        f"Next comes {second.name}, which reaches the target with a probability of"
        f" {percent(second.prob_target)} and has an expected net value of"
        f" {usd(second.expected_net_value_usd)}; {best.name} has the lowest loss of all candidates"
        f" with a probability of {percent(best.prob_best)}."
    )


def pilot_pays(pilot: PilotOutcome | PilotSet) -> str:
    """Say that pilots are worth more than they cost."""
    several = isinstance(pilot, PilotSet)
    subject, costs, improves, them = (
        ("Pilots", "cost", "improve", "them") if several else ("Pilot", "costs", "improves", "it")
    )
    return (
        f"{subject} {pilot.name} {costs} {usd(pilot.cost_usd)} and {improves} the decision by"
        f" {usd(pilot.evsi_usd)} on average (Monte Carlo error {usd(pilot.evsi_se_usd)}), a net"
        f" gain of {usd(pilot.net_gain_usd)}: make {them} first, refit with {them}, and decide"
        f" again."
    )


def no_pilot_pays(pilot: PilotOutcome | PilotSet) -> str:
    """Say that even the best pilot is not worth its cost, or not so that draws could tell."""
    if pilot.net_gain_usd > 0.0:
        return (
            f"No pilot of the plan pays for itself beyond doubt: the best, {pilot.name}, costs"
            f" {usd(pilot.cost_usd)} and improves the decision by {usd(pilot.evsi_usd)} on average,"
            f" give or take {usd(pilot.evsi_se_usd)}; more draws would tell."
        )
    return (
        f"No pilot of the plan pays for itself: the best, {pilot.name}, costs"
        f" {usd(pilot.cost_usd)} and improves the decision by {usd(max(pilot.evsi_usd, 0.0))} on"
        f" average."
    )


def no_pilots(evpi_usd: float) -> str:
    """Say what a pilot could be worth at most when the plan has none."""
    return (
        f"The plan names no pilot; knowing every candidate's loss beforehand would be worth"
        f" {usd(evpi_usd)}, and no pilot can be worth more."
    )


def ahead(decision: Decision) -> list[str]:
    """Say what a likely success would cost, and how the compute would best be split."""
    said = []
    budget, optimum = decision.budget, decision.optimum
    if budget is not None and budget.flops is None:
        said.append(
            f"No run like {budget.name}, up to ten thousand times its compute, meets the target"
            f" with a probability of {percent(budget.probability)}."
        )
    elif budget is not None and budget.cost_usd is not None:
        said.append(
            f"To meet the target with a probability of {percent(budget.probability)} takes"
            f" {budget.flops:.3g} FLOPs at the D/N of {budget.name}: {_count(budget.n_params)}"
            f" parameters on {_count(budget.n_tokens)} tokens for {usd(budget.cost_usd)},"
            f" {budget.factor:.3g} times its compute."
        )
    if optimum is not None:
        (low, high), served = optimum.n_params_90, optimum.lifetime_tokens
        demand = f", serving {short_count(served)} tokens included" if served else ""
        said.append(
            f"By the law, the compute of {optimum.name}{demand} is best spent on"
            f" {short_count(optimum.n_params)} parameters (90 %: {short_count(low)} to"
            f" {short_count(high)}) and {short_count(optimum.n_tokens)} tokens; its own split"
            f" lies {optimum.regret:.2g} nats above whatever is best, on average."
        )
    return said


def _count(value: float | None) -> str:
    return "any" if value is None else short_count(value)


def unclear_pilot(pilot: PilotOutcome) -> str:
    """Caveat: a net gain within its Monte Carlo error."""
    return (
        f"Pilot {pilot.name} may pay for itself: its net gain of {usd(pilot.net_gain_usd)} is"
        f" within two Monte Carlo errors of zero ({usd(pilot.evsi_se_usd)} each); use more draws."
    )


PILOTS_APART = (
    "Each pilot is valued as if it were the only one made; several together are worth less than"
    " the sum of their values (see the sets)."
)


WEAK = (
    "The model has a weak prior: intervals of _weak models have not been recalibrated on a corpus"
    " of runs."
)


def far(name: str, factor: float, strong: bool) -> str:
    """Caveat: a candidate far beyond the fitted runs."""
    advice = "Do not rest a large sum on it alone" if strong else "Review the interval"
    reach = (
        "as far as backtests reach, or farther"
        if strong
        else "and few tables let a backtest reach so far"
    )
    return (
        f"{name} has {factor:,.0f} times the compute of the largest fitted run, {reach}. {advice}:"
        f" a run nearer to it would say more."
    )


def nearer(name: str, factor: float) -> str:
    """Caveat: a candidate smaller than runs already made."""
    return (
        f"{name} has only {factor:.2g} of the compute of the largest fitted run: nothing is"
        f" extrapolated, and runs already made may answer the question."
    )


def off_ray(name: str, factor: float) -> str:
    """Caveat: runs on one line in (N, D), candidate off it."""
    return (
        f"All fitted runs lie on one line in (log N, log D), and {name} lies off it by a factor of"
        f" {factor:.2g} in tokens: there the forecast is the prior's word."
    )


def out_of_range(name: str, target: float, low: float, high: float) -> str:
    """Caveat: a target outside the central 99 % of a forecast."""
    side = "below" if target < low else "above"
    return (
        f"The target of {target:.4g} lies {side} the central 99 % of the forecast of {name},"
        f" {low:.4g} to {high:.4g}: so far in the tail, its probability rests on the model's shape."
    )


def below_floor(name: str, target: float, floor: float, probability: float) -> str:
    """Caveat: a target below the irreducible loss."""
    return (
        f"The target of {target:.4g} lies below the irreducible loss E with a probability of"
        f" {percent(probability)} (median E {floor:.4g}): by this law {name} would miss it with any"
        f" amount of compute. Check the target's unit and tokenizer."
    )


def late(outcome: CandidateOutcome, deadline: float | None) -> str:
    """Caveat: a candidate that ends past the deadline."""
    return (
        f"{outcome.name} takes {outcome.days:,.3g} days, past the deadline of {deadline:g}: it is"
        f" counted as worth nothing."
    )


def new_group(name: str, label: str) -> str:
    """Caveat: a candidate of a group without runs."""
    return (
        f"No fitted run belongs to {label}, the group of {name}: it is known by its siblings only."
    )


def gate(what: str, value: float, limit: float, side: str) -> str:
    """Caveat: a sampling diagnostic that misses its gate."""
    return f"The posterior is badly sampled: {what} is {value:.4g}, {side} {limit:g}. Fit again."


def assumed(fields: tuple[str, ...]) -> str:
    """Caveat: price fields left to their default."""
    return f"The plan leaves to their default: {', '.join(fields)}."


UNDER_THE_LAW = (
    "The optimum is that of the law alone, without its discrepancy, and for runs tuned as the"
    " fitted ones were."
)


def optimum_on_ray() -> str:
    """Caveat: an allocation from runs on one line in (N, D)."""
    return (
        "All fitted runs lie on one line in (log N, log D): off that ray the split between N and D"
        " is the prior's word. Add a few runs at another D/N."
    )


def optimum_outside(what: str, median: float, low: float, high: float) -> str:
    """Caveat: an optimum beyond what the fitted runs span."""
    return (
        f"The median optimal {what} of {median:.3g} lies outside the fitted runs, {low:.3g} to"
        f" {high:.3g}."
    )


def optimum_at_edge(share: float, low: float, high: float) -> str:
    """Caveat: draws whose loss keeps falling to the end of the search."""
    return (
        f"In {percent(share)} of the draws the loss still falls at an end of the search,"
        f" {low:.2g} to {high:.2g} parameters: by those the law has no optimum."
    )
