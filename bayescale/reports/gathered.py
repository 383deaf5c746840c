"""Everything a report shows, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from bayescale.decisions.decision import Decision
from bayescale.decisions.split import Split, split_curve
from bayescale.decisions.what_if import WhatIf, what_if
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.forecast import forecast as forecast_at
from bayescale.forecasts.held_out import HeldOut
from bayescale.forecasts.points import Points, make_points
from bayescale.forecasts.sensitivity import sensitivity
from bayescale.inference.checks.check_posterior import check_posterior
from bayescale.inference.posterior import Posterior
from bayescale.reports import checks
from bayescale.runs.finding import Finding
from bayescale.runs.runs_table import RunsTable

if TYPE_CHECKING:
    import pandas as pd

LOOK_AHEAD = 10.0
"""Without a point to forecast, the report looks this many times beyond the largest fitted run."""

MOST_RUNS = 60
"""Runs of a plan up to which a page carries draws of each: about 4 MB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """What a report is made from.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    runs : RunsTable or None
        The table it comes from, before any run was hidden.
    forecast : Forecast or None
        Further points of interest.
    decision : Decision or None
        The verdict.
    hidden : HeldOut or None
        Runs kept from the fit.
    linted : sequence of Finding
        What the linter said.
    command : str
        The command that made the report.
    """

    posterior: Posterior
    runs: RunsTable | None
    forecast: Forecast | None
    decision: Decision | None
    hidden: HeldOut | None
    linted: Sequence[Finding]
    command: str

    @cached_property
    def main(self) -> Forecast:
        """The candidates, or the points asked about, or a look ahead."""
        if self.decision is not None:
            return candidates_forecast(self.posterior, self.decision)
        return self.forecast or _ahead(self.posterior)

    @cached_property
    def point(self) -> int:
        """The point of `main` that the report is about: the chosen candidate, or the largest."""
        if self.decision is None:
            return int(self.main.extrapolation_factor.argmax())
        names = [outcome.name for outcome in self.decision.candidates]
        return names.index(self.decision.chosen)

    @property
    def label(self) -> tuple[str, ...]:
        """Group of that point."""
        return self.main.points.labels[self.point]

    @property
    def group(self) -> int:
        """Index of that group among those of the fit; the first where it holds no run."""
        return self.posterior.group_index(self.label) if self.label in self.posterior.labels else 0

    @cached_property
    def question(self) -> WhatIf | None:
        """The question with numbers that can be moved, None where there is none or it is huge."""
        if self.decision is None or len(self.decision.scenario.runs) > MOST_RUNS:
            return None
        return what_if(self.posterior, self.decision)

    @cached_property
    def split(self) -> Split | None:
        """What splits of the chosen candidate's compute cost."""
        best = self.decision and self.decision.optimum
        if not self.decision or not best or self.label not in self.posterior.labels:
            return None
        candidate = self.decision.outcome.inputs["n_params"]
        return split_curve(self.posterior, best, candidate, self.label)

    @cached_property
    def moves(self) -> pd.DataFrame | None:
        """How the forecast of the point moves; None where its group holds no run."""
        if self.label not in self.posterior.labels:
            return None
        inputs = {name: values[[self.point]] for name, values in self.main.points.inputs.items()}
        plan = self.decision and self.decision.scenario
        below = plan.target.loss if plan and plan.target.downstream is None else None
        return sensitivity(
            self.posterior,
            Points(inputs, (self.label,)),
            seed=_seed(self.decision),
            below=below,
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every check, the gravest first."""
        own = [*check_posterior(self.posterior, self.main)]
        own += [] if self.hidden is None else [checks.held_out_coverage(self.hidden)]
        order = ("FAIL", "REVIEW", "PASS")
        return tuple(sorted([*own, *self.linted], key=lambda f: order.index(f.level)))

    @cached_property
    def provenance(self) -> tuple[tuple[str, str], ...]:
        """Where the numbers come from."""
        items = {"command": self.command} if self.command else {}
        items["written"] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        if self.runs is not None:
            name, rows = self.runs.name, len(self.runs)
            items["whole table"] = f"{name}, {rows} rows, sha256 {self.runs.fingerprint}"
        items.update(self.posterior.provenance)
        items.update(self.decision.provenance if self.decision else {})
        return tuple((key, str(value)) for key, value in items.items())


def candidates_forecast(posterior: Posterior, decision: Decision) -> Forecast:
    """Return the forecast of a decision's candidates, in the order of its plan.

    Parameters
    ----------
    posterior : Posterior
        The fit that the decision rests on.
    decision : Decision
        The verdict.
    """
    outcomes = decision.candidates
    # A law of compute alone reads the FLOPs that the plan's convention counts.
    read = [{**outcome.inputs, "flops": outcome.flops} for outcome in outcomes]
    inputs = {name: [found[name] for found in read] for name in posterior.law.inputs}
    labels = [outcome.label for outcome in outcomes]
    points = make_points(posterior, inputs, labels)
    # A group without runs is drawn with the decision's seed, so that its numbers agree.
    return forecast_at(posterior, points, seed=_seed(decision), warn=False)


def _seed(decision: Decision | None) -> int:
    return int(decision.provenance.get("decision_seed", "0")) if decision else 0


def _ahead(posterior: Posterior) -> Forecast:
    """Return a forecast beyond the largest fitted run of the first group, at its D/N."""
    problem = posterior.problems[0]
    largest = int(problem.positions.sum(axis=1).argmax())
    factor = LOOK_AHEAD ** (1.0 / len(problem.inputs))
    inputs = {name: values[[largest]] * factor for name, values in problem.inputs.items()}
    return forecast_at(posterior, Points(inputs, posterior.labels[:1]), warn=False)
