"""Write a report: one HTML file with everything inside, that opens without a network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bayescale.decisions.decision import Decision
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.forecast import forecast as forecast_at
from bayescale.forecasts.held_out import HeldOut, hold_out
from bayescale.forecasts.points import Points, make_points
from bayescale.forecasts.sensitivity import sensitivity
from bayescale.inference.checks.check_posterior import check_posterior
from bayescale.inference.posterior import Posterior
from bayescale.reports import checks, numbers, pictures, sentences, tables
from bayescale.runs.finding import Finding
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import write_atomically

TEMPLATES = Path(__file__).parent / "templates"
LOOK_AHEAD = 10.0
"""Without a point to forecast, the report looks this many times beyond the largest fitted run."""


def write_report(
    path: str | Path,
    *,
    posterior: Posterior,
    runs: RunsTable | None = None,
    forecast: Forecast | None = None,
    decision: Decision | None = None,
    hidden: RunsTable | HeldOut | None = None,
    findings: Sequence[Finding] = (),
    command: str = "",
) -> Path:
    """Write one HTML file for the person who decides.

    Every part but the posterior may be missing; its section is then left out.

    Parameters
    ----------
    path : str or Path
        Target; written whole or not at all.
    posterior : Posterior
        The fit.
    runs : RunsTable, optional
        The table it comes from, before any run was hidden.
    forecast : Forecast, optional
        Further points of interest.
    decision : Decision, optional
        The verdict; without one the report is a forecast.
    hidden : RunsTable or HeldOut, optional
        Runs kept from the fit.
    findings : sequence of Finding
        What the linter said; the checks of the fit are made here.
    command : str
        The command that made the report, for whoever repeats it.

    Returns
    -------
    Path
        `path`.
    """
    held = None if hidden is None else hold_out(posterior, hidden)
    page = render(posterior, runs, forecast, decision, held, findings, command)
    return write_atomically(Path(path), lambda part: part.write_text(page, encoding="utf-8"))


def render(
    posterior: Posterior,
    runs: RunsTable | None,
    forecast: Forecast | None,
    decision: Decision | None,
    hidden: HeldOut | None,
    findings: Sequence[Finding],
    command: str,
) -> str:
    """Return the page as text; see `write_report`."""
    main = candidates_forecast(posterior, decision) if decision else forecast or _ahead(posterior)
    point = _point(main, decision)
    group = posterior.group_index(main.points.labels[point]) if main.posterior is posterior else 0
    target = decision.scenario.target.loss if decision else None
    seed = _decision_seed(decision)
    own = [*check_posterior(posterior, main)]
    own += [checks.held_out_coverage(hidden)] if hidden is not None else []
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        loss=numbers.loss, percent=numbers.percent, money=numbers.money, usd=numbers.usd
    )
    return environment.get_template("report.html.j2").render(
        words=sentences,
        tables=tables,
        posterior=posterior,
        decision=decision,
        hidden=hidden,
        main=main,
        point=point,
        group=group,
        points=None if decision is None and forecast is None else forecast,
        picture=pictures.extrapolation(main, point, target, hidden),
        chances=pictures.probability(decision, main) if decision else None,
        held_out=pictures.held_out(hidden) if hidden is not None else None,
        coefficients=pictures.coefficients(posterior, group),
        residuals=pictures.residuals(posterior, group),
        sensitivity=_moves(posterior, main, point, seed),
        findings=_by_weight([*own, *findings]),
        linted=bool(findings),
        provenance=_provenance(posterior, runs, decision, command),
    )


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
    return forecast_at(posterior, points, seed=_decision_seed(decision), warn=False)


def _decision_seed(decision: Decision | None) -> int:
    return int(decision.provenance.get("decision_seed", "0")) if decision else 0


def _moves(posterior: Posterior, main: Forecast, point: int, seed: int) -> tables.Table | None:
    """Return how the forecast of one point moves; None where its group holds no run."""
    if main.points.labels[point] not in posterior.labels:
        return None
    inputs = {name: values[[point]] for name, values in main.points.inputs.items()}
    at = Points(inputs, main.points.labels[point : point + 1])
    return tables.sensitivity(sensitivity(posterior, at, seed=seed))


def _ahead(posterior: Posterior) -> Forecast:
    """Return a forecast beyond the largest fitted run of the first group, at its D/N."""
    problem = posterior.problems[0]
    largest = int(problem.positions.sum(axis=1).argmax())
    factor = LOOK_AHEAD ** (1.0 / len(problem.inputs))
    inputs = {name: values[[largest]] * factor for name, values in problem.inputs.items()}
    return forecast_at(posterior, Points(inputs, posterior.labels[:1]), warn=False)


def _point(main: Forecast, decision: Decision | None) -> int:
    """Return the point the report is about: the chosen candidate, or the largest."""
    if decision is not None:
        return [outcome.name for outcome in decision.candidates].index(decision.chosen)
    return int(main.extrapolation_factor.argmax())


def _by_weight(findings: Sequence[Finding]) -> list[Finding]:
    order = ("FAIL", "REVIEW", "PASS")
    return sorted(findings, key=lambda finding: order.index(finding.level))


def _provenance(
    posterior: Posterior, runs: RunsTable | None, decision: Decision | None, command: str
) -> tables.Table:
    items: dict[str, Any] = {"command": command} if command else {}
    items["written"] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    if runs is not None:
        items["whole table"] = f"{runs.name}, {len(runs)} rows, sha256 {runs.fingerprint}"
    items.update(posterior.provenance)
    items.update(decision.provenance if decision else {})
    return tables.pairs((key, str(value)) for key, value in items.items())
