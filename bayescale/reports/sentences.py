"""Every word of a report that is not a name or a number: edit wording here, not in code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bayescale.decisions.caveats import STRONG_FACTOR
from bayescale.decisions.decision import DO_NOT_FUND, FUND, RUN_PILOTS_FIRST, Decision
from bayescale.decisions.outcomes import CandidateOutcome
from bayescale.decisions.plan import Target
from bayescale.decisions.scenario import Scenario
from bayescale.decisions.sentences import ahead, far
from bayescale.decisions.weigh import best_pilot
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.held_out import HeldOut
from bayescale.forecasts.reliability import corpus_scores
from bayescale.inference.posterior import Posterior
from bayescale.reports.numbers import (
    count,
    interval,
    loss,
    money,
    number,
    percent,
    times,
    usd,
)
from bayescale.reports.tables import Table
from bayescale.runs.finding import Finding

FORECAST_ONLY = "FORECAST"
"""Stands where a verdict would when no plan was given."""

TONES = {FUND: "good", DO_NOT_FUND: "bad", RUN_PILOTS_FIRST: "wait", FORECAST_ONLY: "plain"}
"""Colour of each verdict on the page."""

CHANGES_TITLE = "What would change it"
REASONS_TITLE = "Reasons"
CAVEATS_TITLE = "What could make it wrong"
CANDIDATES_TITLE = "What the candidates may reach"
BUDGET_TITLE = "Probability against budget"
SPLIT_TITLE = "Parameters against tokens"
PILOTS_TITLE = "Pilots"
TURNING_TITLE = "Where the answer turns"
POINTS_TITLE = "Forecast points"
HIDDEN_TITLE = "What happened to the hidden runs"
SENSITIVITY_TITLE = "How the answer moves"
CHECKS_TITLE = "Checks"
RELIABILITY_TITLE = "Tables like yours"
HIERARCHY_TITLE = "Groups and pooling"
COEFFICIENTS_TITLE = "Coefficients"
RESIDUALS_TITLE = "Residuals"
ASSUMPTIONS_TITLE = "Assumptions"
UNITS_TITLE = "Units"
PROVENANCE_TITLE = "Provenance and how to reproduce"

PICTURE = "Grey: the compute that was fitted. The curve keeps the forecast's D/N."
DISTRIBUTION = "Each candidate's probability of a loss at most this, and the plan's target."
REACH = "the compute of the largest fitted run"
ALL_GROUPS = "Coefficients of every group"
NO_PILOTS = "The plan names no pilot."
NO_FINDINGS = "The runs table was not linted for this report."
CANDIDATES = (
    "One row a run that could be funded. Losses are those of one new run, in nats per token: the"
    " law's coefficients, the law's own error, the improvement that may not arrive, and run-to-run"
    " noise are all in the interval."
)
PILOTS = (
    "What seeing a pilot's loss first would add to the decision, next to what it costs. The value"
    " counts that pilot and candidate share coefficients and the law's error; ± is its Monte Carlo"
    " standard error."
)
BUDGET = (
    "The chance of the target for the chosen run made smaller or larger at its own D/N. Every size"
    " is drawn with the same coefficients, the same error of the law and the same luck in training,"
    " so that the curve is that of one bet."
)
SPLIT = (
    "The same compute spent on more parameters and fewer tokens, or the other way round, under the"
    " law alone. Regret is the mean loss above whatever is best: even the best guess has one, and"
    " a split costs the difference. The law's own error is left out, and off the D/N of the fitted"
    " runs this is partly the prior's word."
)
RELIABILITY = (
    "The model of this report on public tables of training runs: fitted to the smaller runs of"
    " each, it forecast the larger ones. A 90 % interval that means what it says holds 90 % of"
    " them. A prior learned on public tables was learned without the table's own family."
)
HIERARCHY = {
    "one": "All runs form one group: there is nothing to pool.",
    "none": "Groups were fitted apart: the runs of one say nothing about another.",
    "partial": "Groups borrow from each other: every coefficient is drawn towards what they share,"
    " the more the fewer runs a group has.",
    "crossed": "Groups borrow from each other through what their columns share: a combination of"
    " levels is known from the same levels elsewhere.",
}
SHRINKAGE = (
    "Where each group's coefficients lay when fitted apart, and where pooling moved them. A long"
    " arrow is a group that its siblings decide about."
)
GUARD = (
    "Where no sibling reaches three times a group's compute, or siblings hardly narrow a forecast,"
    " pooling neither moves nor narrows it (width: as alone), but as far as siblings reach."
)
PILOT_SETS = (
    "Pilots made together before one decision, added one at a time while each adds more than it"
    " costs."
)
TURNING = (
    "Each number of the plan, and the value at which funding the chosen run breaks even when it"
    " alone is moved. A stated value near its turning point deserves another look."
)
HIDDEN = (
    "These runs were kept from the fit, then forecast. An interval that means what it says holds"
    " about as many of them as its probability; runs of one sweep err together, so a few more or"
    " less is no surprise."
)
SENSITIVITY = (
    "The same runs fitted under another law or prior, and the fit of this report if its floor E lay"
    " in the lowest or the highest third of what the runs allow. A median that leaves the first"
    " row's interval, or funding that pays in one row and loses in another, means that the answer"
    " is the assumption's, not the runs'."
)
COEFFICIENTS = (
    "Coefficients as the literature writes them, with central 90 % intervals. Small sweeps fix a"
    " ridge of them and not a point: read forecasts from the intervals above, not from these."
)
RESIDUALS = (
    "What the law alone leaves of the fitted runs. A trend with compute or with D/N is an error of"
    " the law; the model's discrepancy is there to carry it into the interval."
)
PRIORS = (
    "Every prior of the model, moved by what is known of this table before its losses are seen"
    " where the model says so, and why it is what it is."
)

REPRODUCE = "The same table, the same command and the plan below give the same numbers."
PLAN_FILE = "The plan, as a file"
PLAN_AS_ASKED = "These are the plan's own numbers; sliders, where there are any, leave them alone."

BUDGET_ALT = "Probability of the target against the budget of the chosen run."
SPLIT_ALT = "Loss above the best split of the candidate's compute, against parameters."
SHRINKAGE_ALT = "Coefficients of each group fitted apart and pooled, with 90 % intervals."
VARIANCE_ALT = "How much groups differ by each factor, coefficient by coefficient."
PROBABILITY_ALT = "Probability of a loss this low or lower, one curve a candidate."
COEFFICIENTS_ALT = "Histograms of the coefficients with the prior's medians. Posterior medians:"
RESIDUALS_ALT = "Residuals of the fitted runs against compute and against tokens per parameter."

LIVE = {
    FUND: "Fund {name}.",
    DO_NOT_FUND: "Do not fund {name}.",
    "none of them": "Do not fund {name}, nor any other candidate.",
    RUN_PILOTS_FIRST: "Run {pilot} first, then decide on {name}.",
    "chance": "chance that {name} reaches {target}",
    "loss": "nats per token predicted; 90 % between {low} and {high}",
    "net": "USD expected net value: {value} if met, {cost} spent",
    "target": "Target",
    "target line": "target {at}",
    "target turns": "breaks even at {at}",
    "target never": "no target near the forecast breaks even",
    "value": "Worth of meeting it",
    "value turns": "breaks even at {at}",
    "value never": "no worth near the plan's breaks even",
    "price": "Price of a GPU-hour",
    "price turns": "breaks even at {at}",
    "price never": "no price near the plan's breaks even",
    "scale": "Budget of {chosen}",
    "scale turns": "a chance of {probability} takes {cost}, {times} the compute",
    "scale never": "no size of it in reach has a chance of {probability}",
    "pilots": "Best pilot, net gain",
    "pilots turns": "{pilot} costs {cost} and adds {worth} to the decision; knowing every loss"
    " beforehand would add {perfect}.",
    "pilots never": "The plan names none; knowing every loss beforehand would add {perfect}.",
    "moved": "Moved from the plan: {what}. Reasons, checks and turning points stay the plan's.",
    "back": "Back to the plan",
    "sliders": "Move a slider; its mark is where funding {name} turns, the others as they stand.",
}
"""Sentences that sliders write anew; braces hold names and numbers."""

UNITS = (
    ("n_params (N)", "parameters of the network, counted as the runs table counts them"),
    ("n_tokens (D)", "training tokens seen"),
    ("compute", "6 N D in floating-point operations, on both sides of an extrapolation factor"),
    ("loss", "nats per token; a lower loss is better"),
    ("50 %, 90 %", "central predictive intervals: equal probability below and above"),
    ("money", "USD, as the plan states price and value"),
)


def title(posterior: Posterior) -> str:
    """Return the heading of a report without a plan."""
    return f"Forecast from {_table(posterior)}"


def basis(posterior: Posterior) -> str:
    """Say what the report rests on."""
    groups = len(posterior.labels)
    grouped = f" in {groups} groups" if groups > 1 else ""
    return (
        f"{posterior.n_runs} runs of table {_table(posterior)!r}{grouped},"
        f" model {posterior.spec.name} ({posterior.law.name} law)"
    )


def forecast_line(forecast: Forecast, point: int) -> str:
    """Say which point the report is about."""
    inputs = forecast.points.inputs
    said = ", ".join(f"{name} = {count(float(values[point]))}" for name, values in inputs.items())
    label = "/".join(forecast.points.labels[point])
    return f"{label}: {said}" if label else said


def reach(forecast: Forecast, point: int) -> str:
    """Return how far beyond the fitted compute a point lies."""
    return times(float(forecast.extrapolation_factor[point]))


def reliability(forecast: Forecast, point: int) -> str:
    """Say how far a point lies where that is far, and what public tables tell of its interval."""
    factor = float(forecast.extrapolation_factor[point])
    told = whole(forecast.reliability[point])
    return told if factor <= STRONG_FACTOR else f"{far('The run', factor, strong=True)} {told}"


def whole(note: str) -> str:
    """Return a note as a sentence: a capital in front and a full stop behind."""
    return f"{note[:1].upper()}{note[1:].rstrip('.')}."


def checked(findings: Sequence[Finding]) -> str:
    """Count the checks by what they found."""
    counts = Counter(finding.level for finding in findings)
    return ", ".join(f"{counts[level]} {level}" for level in ("FAIL", "REVIEW", "PASS"))


def passed(n_passed: int) -> str:
    """Label the checks that found nothing."""
    return f"The {n_passed} that passed" if n_passed > 1 else "The one that passed"


def pooling(posterior: Posterior) -> str:
    """Say what groups had to do with each other."""
    if len(posterior.labels) == 1:
        return HIERARCHY["one"]
    return HIERARCHY.get(posterior.spec.pooling, HIERARCHY["none"])


def corpus(model: str) -> str:
    """Say how the model did over all public tables."""
    covered = corpus_scores(model)["coverage_90"]
    return (
        f"Over all families of tables and all factors, {percent(covered)} of larger"
        f" runs lay inside 90 % intervals of {model}, each family counted once."
    )


def budget_ahead(decision: Decision) -> tuple[str, ...]:
    """Say what a likely success would cost."""
    return tuple(ahead(replace(decision, optimum=None)))


def split_ahead(decision: Decision) -> tuple[str, ...]:
    """Say how the compute would best be split."""
    return tuple(ahead(replace(decision, budget=None)))


def shown(table: Table, forecast: Forecast) -> str:
    """Label a table that is folded away."""
    total, rows = len(forecast.points), len(table.rows)
    return f"All {total} rows" if rows == total else f"The first {rows} of {total} rows"


def verdict(decision: Decision) -> str:
    """Say what to do."""
    several = decision.verdict == DO_NOT_FUND and len(decision.candidates) > 1
    pilots = decision.every_pilot
    pilot = best_pilot(pilots).name if pilots else ""
    words = LIVE["none of them" if several else decision.verdict]
    return words.format(name=decision.chosen, pilot=pilot)


def chance(outcome: CandidateOutcome, target: Target) -> str:
    """Say what the large probability stands for."""
    return LIVE["chance"].format(name=outcome.name, target=wanted(target))


def wanted(target: Target) -> str:
    """Return the target with its unit."""
    at = loss(target.level) if target.downstream is None else number(target.level)
    return loss_or_error(target).format(at=at)


def loss_or_error(target: Target) -> str:
    """Return how a value of the target is written, its number in braces."""
    if target.downstream is None:
        return "{at} nats per token"
    return "{at} " + target.downstream.column.replace("{", "{{").replace("}", "}}")


def predicted(low: float, high: float) -> str:
    """Say what the predictive median stands for."""
    return LIVE["loss"].format(low=loss(low), high=loss(high))


def worth(outcome: CandidateOutcome, value_usd: float) -> str:
    """Say what the expected net value stands for."""
    return LIVE["net"].format(value=money(value_usd), cost=money(outcome.cost_usd))


def picture(forecast: Forecast, point: int, target: float | None, hidden: HeldOut | None) -> str:
    """Describe the extrapolation plot to a reader who cannot see it."""
    low, high = forecast.interval(0.9)[point].tolist()
    parts = [
        f"Loss against compute: {forecast.posterior.n_runs} fitted runs, then predictive bands up"
        f" to {times(float(forecast.extrapolation_factor.max()))} the largest fitted compute. The"
        f" forecast has median {loss(float(forecast.median[point]))} and 90 % interval"
        f" {interval((low, high))}."
    ]
    parts += [f"A line marks the target {loss(target)}."] if target is not None else []
    parts += [coverage(hidden)] if hidden is not None else []
    return " ".join(parts)


def coverage(hidden: HeldOut) -> str:
    """Count the hidden runs inside their intervals."""
    inside = {prob: int(hidden.inside(prob).sum()) for prob in (0.9, 0.5)}
    reach = times(float(hidden.forecast.extrapolation_factor.max()))
    return (
        f"{inside[0.9]} of {len(hidden)} hidden runs ({percent(hidden.coverage(0.9))}) lie inside"
        f" their 90 % interval and {inside[0.5]} inside their 50 % interval; the largest has"
        f" {reach} the compute of the largest fitted run."
    )


def plan_assumptions(scenario: Scenario) -> list[str]:
    """Say what the plan states about price and value."""
    price = scenario.price
    allowance = percent(price.failure_allowance) if price.failure_allowance else "nothing"
    out = [
        f"Meeting the target of {wanted(scenario.target)} is worth"
        f" {usd(scenario.value_usd)}{_shape(scenario)}.",
        f"A GPU-hour costs {usd(price.usd_per_gpu_hour)}, a GPU peaks at"
        f" {count(price.peak_flops / 1e12)} TFLOP/s, and {percent(price.mfu)} of that is used.",
        f"FLOPs are counted as {price.flops_convention}, with {allowance} added for failures.",
    ]
    if scenario.target.downstream is not None:
        out.append(
            f"The error follows from the loss by {scenario.target.downstream.model}, fitted to"
            f" {scenario.target.downstream.runs}, its own uncertainty included. In the median it"
            f" is met at {loss(scenario.target.loss)} nats per token, the line in the pictures."
        )
    if price.gpus is not None and price.deadline_days is not None:
        out.append(
            f"{count(price.gpus)} GPUs train one run, and all must be done in"
            f" {number(price.deadline_days)} days."
        )
    if scenario.inference is not None:
        out.append(
            f"The funded network then reads or writes {count(scenario.inference.lifetime_tokens)}"
            f" tokens at 2 N FLOPs each, unless its worth does not cover that."
        )
    if scenario.risk is not None:
        out.append(f"Losses are weighed with a tolerance of {usd(scenario.risk.tolerance_usd)}.")
    return out + [f"Left to its default by the plan: {field}." for field in scenario.assumed]


def _shape(scenario: Scenario) -> str:
    """Say what missing or beating the target is worth."""
    value = scenario.value
    if value.shape == "linear" and value.worthless_at is not None:
        return f", on a straight line through nothing at {loss(value.worthless_at)}"
    if value.shape == "piecewise" and value.points is not None:
        said = (f"{usd(worth)} at {loss(at)}" for at, worth in value.points)
        return f", on straight lines between {', '.join(said)}"
    return ", and missing it by any amount is worth nothing"


def model_assumptions(posterior: Posterior) -> list[str]:
    """Say what the model takes for granted."""
    spec = posterior.spec
    out = [
        f"Losses follow the {posterior.law.name} law up to its own error; new runs are trained like"
        f" the fitted ones: same data, recipe and tokenizer."
    ]
    if spec.discrepancy is None:
        out.append("The law is taken as exact: the model has no discrepancy.")
    else:
        out.append(
            f"The law's error varies smoothly over {number(spec.discrepancy.length)} e-folds of N"
            f" and D; beyond the fitted compute a share of the promised improvement, with standard"
            f" deviation {percent(spec.discrepancy.kappa)}, may not arrive."
        )
    return [*out, *map(whole, posterior.notes)]


def _table(posterior: Posterior) -> str:
    return posterior.provenance.get("runs", "a runs table")
