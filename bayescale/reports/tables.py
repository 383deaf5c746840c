"""Tables of a report: columns and cells as text, numbers marked so that the page aligns them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayescale.decisions.decision import Decision
from bayescale.decisions.payoffs import certain_usd
from bayescale.decisions.split import Split
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.held_out import HeldOut
from bayescale.forecasts.reliability import reliability as at_factor
from bayescale.forecasts.tasks import BINS
from bayescale.inference.posterior import Posterior
from bayescale.laws import Prior
from bayescale.plots.compute import compute
from bayescale.reports import numbers as n
from bayescale.runs.schema import RUN_ID

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 200
"""Rows shown of a long forecast or of the hidden runs; the note says how many there are."""


@dataclass(frozen=True)
class Table:
    """Columns and cells.

    Parameters
    ----------
    columns : tuple of str
        Headings. Those in `texts` are set flush left, all others right.
    rows : tuple of tuple of str
        Cells.
    texts : tuple of str
        Columns that hold words.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...] = ()


def candidates(decision: Decision) -> Table:
    """Return one row a candidate."""
    rows = [
        (
            o.name,
            *_sizes(o.inputs),
            n.times(o.extrapolation_factor),
            n.loss(o.loss_median),
            n.interval(o.loss_interval_90),
            n.percent(o.prob_target),
            n.percent(o.prob_best),
            n.money(o.cost_usd),
            n.money(o.expected_net_value_usd),
        )
        for o in decision.candidates
    ]
    columns = (
        *("run", "N", "D", "reach", "loss", "90 %", "P(target)", "P(best)"),
        *("cost, USD", "net value, USD"),
    )
    return Table(columns, tuple(rows), ("run",))


def pilots(decision: Decision) -> Table:
    """Return one row a pilot."""
    rows = [
        (
            o.name,
            *_sizes(o.inputs),
            n.flops(o.flops),
            n.money(o.cost_usd),
            f"{n.money(o.evsi_usd)} ± {n.money(o.evsi_se_usd)}",
            n.money(o.net_gain_usd),
            n.number(o.net_gain_per_usd),
        )
        for o in decision.pilots
    ]
    columns = (
        *("pilot", "N", "D", "FLOPs", "cost, USD", "worth, USD"),
        *("net gain, USD", "gain per USD"),
    )
    return Table(columns, tuple(rows), ("pilot",))


def pilot_sets(decision: Decision) -> Table:
    """Return one row a set of pilots."""
    rows = [
        (
            " + ".join(o.names),
            n.money(o.cost_usd),
            f"{n.money(o.evsi_usd)} ± {n.money(o.evsi_se_usd)}",
            n.money(o.net_gain_usd),
        )
        for o in decision.pilot_sets
    ]
    columns = ("pilots together", "cost, USD", "worth, USD", "net gain, USD")
    return Table(columns, tuple(rows), ("pilots together",))


def optimum(decision: Decision, split: Split | None = None) -> Table:
    """Return the best split of the chosen candidate's compute beside its own.

    Even the best has a regret: it is no draw's own best, and what a split costs is the difference.
    """
    best, own = decision.optimum, decision.outcome.inputs
    assert best is not None
    least = "" if split is None else n.number(split.at(best.n_params))
    rows = [
        (
            "best by the law",
            n.count(best.n_params),
            n.counts(best.n_params_90),
            n.count(best.n_tokens),
            n.counts(best.n_tokens_90),
            n.number(best.n_tokens / best.n_params),
            least,
        ),
        (
            best.name,
            n.count(own["n_params"]),
            "",
            n.count(own["n_tokens"]),
            "",
            n.number(own["n_tokens"] / own["n_params"]),
            n.number(best.regret),
        ),
    ]
    columns = ("split", "N", "N, 90 %", "D", "D, 90 %", "D/N", "regret, nats")
    return Table(columns, tuple(rows), ("split",))


def reliability(model: str, factor: float) -> tuple[Table, str]:
    """Return how a model's intervals did on public tables, and the row of one factor."""
    rows, own = [], ""
    for cell, (low, high) in BINS.items():
        found = at_factor(model, low)
        if found is None:
            continue
        held = found.held / found.predicted
        rows.append(
            (cell, str(found.n_tables), str(found.predicted), str(found.held), n.percent(held))
        )
        own = cell if low <= factor < high else own
    columns = ("factor near", "tables", "predictions", "inside 90 %", "share")
    return Table(columns, tuple(rows), ("factor near",)), own


def groups(posterior: Posterior) -> Table:
    """Return one row a group: its runs, their largest compute, and whether it keeps its width."""
    alone = next(iter(posterior.alone.values()), None)
    rows = []
    for k, label in enumerate(posterior.labels):
        problem = posterior.problems[k]
        kept = [] if alone is None else ["as alone" if np.isfinite(alone[0, 0, k]) else ""]
        rows.append(
            (
                *label,
                str(len(problem)),
                n.flops(float(compute(problem.inputs).max())) if len(problem) else n.NONE,
                *kept,
            )
        )
    widths = () if alone is None else ("width",)
    columns = (*posterior.group_columns, "runs", "largest compute, FLOPs", *widths)
    return Table(columns, tuple(rows), (*posterior.group_columns, "width"))


def turning_points(decision: Decision) -> Table:
    """Return one row a number of the plan, with the value at which funding breaks even."""
    rows = [
        (o.name, _stated(o.name, o.stated), _stated(o.name, o.flips_at))
        for o in decision.assumptions
    ]
    return Table(("assumption", "stated", "breaks even at"), tuple(rows), ("assumption",))


def forecast_points(forecast: Forecast, names: Sequence[str] = ()) -> Table:
    """Return one row a forecast point."""
    inputs = tuple(forecast.points.inputs)
    grouped = forecast.posterior.group_columns
    outer, inner = forecast.interval(0.9).tolist(), forecast.interval(0.5).tolist()
    rows = []
    for k in range(min(len(forecast.points), MAX_ROWS)):
        rows.append(
            (
                *names[k : k + 1],
                *forecast.points.labels[k],
                *(n.count(float(forecast.points.inputs[name][k])) for name in inputs),
                n.times(float(forecast.extrapolation_factor[k])),
                n.loss(float(forecast.median[k])),
                n.interval(inner[k]),
                n.interval(outer[k]),
            )
        )
    texts = (*(("run",) if names else ()), *grouped)
    return Table((*texts, *inputs, "reach", "loss", "50 %", "90 %"), tuple(rows), texts)


def hidden_runs(hidden: HeldOut) -> Table:
    """Return one row a hidden run, with what was predicted and what happened."""
    made = forecast_points(hidden.forecast, _ids(hidden))
    outcome = {(False, False): "outside", (False, True): "in 90 %", (True, True): "in 50 %"}
    inside = zip(hidden.inside(0.5), hidden.inside(0.9), strict=True)
    said = [outcome[bool(inner), bool(outer)] for inner, outer in inside]
    rows = tuple(
        (*row, n.loss(float(actual)), word)
        for row, actual, word in zip(made.rows, hidden.actual, said, strict=False)
    )
    return Table((*made.columns, "actual", "held"), rows, (*made.texts, "held"))


def sensitivity(frame: pd.DataFrame, decision: Decision | None = None) -> Table:
    """Return one row a variant of `forecasts.sensitivity`, for one point.

    Parameters
    ----------
    frame : DataFrame
        The variants.
    decision : Decision, optional
        Adds the chance of its target and, where that alone counts, whether funding still pays.
    """
    chances = decision is not None and "prob_below" in frame
    rows = []
    for row in frame.to_dict("records"):
        made = [
            str(row["variant"]),
            str(row["model"]),
            n.loss(row["loss_q50"]),
            n.interval((row["loss_q05"], row["loss_q95"])),
            f"{100 * np.expm1(row['shift']):+.1f} %",
            n.times(row["width_ratio"]),
        ]
        if chances and decision is not None:
            made += [n.percent(row["prob_below"]), _pays(decision, row["prob_below"])]
        rows.append(tuple(made))
    more = ("P(target)", "funding") if chances else ()
    columns = ("changed", "model", "loss", "90 %", "median moves", "width", *more)
    return Table(columns, tuple(rows), ("changed", "model", "funding"))


def _pays(decision: Decision, chance: float) -> str:
    """Say whether funding the chosen run would pay at another chance of its target."""
    plan = decision.scenario
    if plan.value.shape != "step":
        return ""
    run = next(run for run in plan.candidates if run.name == decision.chosen)
    sure = certain_usd(plan, run, chance, np.empty(0))
    return "pays" if sure > 0 else "loses"


def coefficients(posterior: Posterior) -> Table:
    """Return the textbook coefficients of every group: medians, because A and B are skewed."""
    rows = []
    for group, label in enumerate(posterior.labels):
        for symbol, draws in posterior.textbook(group).items():
            figures = np.quantile(draws, [0.5, 0.05, 0.25, 0.75, 0.95]).tolist()
            rows.append((*label, symbol, *map(n.number, figures)))
    words = (*posterior.group_columns, "coefficient")
    return Table((*words, "median", "5 %", "25 %", "75 %", "95 %"), tuple(rows), words)


def priors(posterior: Posterior, group: int) -> Table:
    """Return every prior of the model with its reason, as the group's covariates move it."""
    spec = posterior.spec
    every = {**posterior.problems[group].priors, **spec.scale_priors, **(spec.derived_priors or {})}
    rows = tuple((symbol, _prior(prior), prior.reason) for symbol, prior in every.items())
    columns = ("coefficient", "prior", "reason")
    return Table(columns, rows, columns)


def _stated(name: str, value: float | None) -> str:
    """Return a number of the plan as its field is read."""
    if value is None:
        return n.NONE
    if "usd" in name:
        return n.usd(value)
    return n.count(value) if name.endswith("tokens") else n.number(value)


def _prior(prior: Prior) -> str:
    given = ", ".join(
        f"{name} = {value}" if isinstance(value, str) else f"{name} = {value:.4g}"
        for name, value in prior.arguments.items()
    )
    return f"{prior.distribution}({given})"


def _sizes(inputs: object) -> tuple[str, str]:
    assert isinstance(inputs, dict)
    return n.count(inputs["n_params"]), n.count(inputs["n_tokens"])


def _ids(hidden: HeldOut) -> list[str]:
    return hidden.runs.labels(RUN_ID).tolist() if hidden.runs.has(RUN_ID) else []
