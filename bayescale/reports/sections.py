"""The sections of a report, in the order in which a reader's questions come."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from bayescale.reports import hierarchy, pictures, sentences, tables
from bayescale.reports.content import (
    Block,
    Bullets,
    Code,
    Findings,
    Heading,
    Pairs,
    Rows,
    Section,
    Text,
)
from bayescale.reports.gathered import Gathered

LONG = 15
"""Rows from which on a table is folded away."""


def sections(made: Gathered) -> tuple[Section, ...]:
    """Return the sections of a report, those without content left out.

    Parameters
    ----------
    made : Gathered
        What the report shows.
    """
    found = {
        sentences.REASONS_TITLE: _reasons,
        sentences.CANDIDATES_TITLE: _candidates,
        sentences.POINTS_TITLE: _points,
        sentences.BUDGET_TITLE: _budget,
        sentences.SPLIT_TITLE: _split,
        sentences.PILOTS_TITLE: _pilots,
        sentences.TURNING_TITLE: _turning,
        sentences.HIDDEN_TITLE: _hidden,
        sentences.SENSITIVITY_TITLE: _sensitivity,
        sentences.CHECKS_TITLE: _checks,
        sentences.RELIABILITY_TITLE: _reliability,
        sentences.HIERARCHY_TITLE: hierarchy.blocks,
        sentences.COEFFICIENTS_TITLE: _coefficients,
        sentences.ASSUMPTIONS_TITLE: _assumptions,
        sentences.PROVENANCE_TITLE: _provenance,
    }
    made_of = ((title, tuple(blocks(made))) for title, blocks in found.items())
    return tuple(Section(title, blocks) for title, blocks in made_of if blocks)


def _reasons(made: Gathered) -> Iterator[Block]:
    if made.decision is None:
        return
    yield Bullets(tuple(map(sentences.whole, made.decision.reasons)))
    if made.decision.caveats:
        yield Heading(sentences.CAVEATS_TITLE)
        yield Bullets(tuple(map(sentences.whole, made.decision.caveats)))


def _candidates(made: Gathered) -> Iterator[Block]:
    if made.decision is not None:
        yield Text(sentences.CANDIDATES)
        yield Rows(tables.candidates(made.decision), "candidates", made.decision.chosen)
        yield pictures.probability(made)


def _points(made: Gathered) -> Iterator[Block]:
    if made.forecast is not None:
        rows = tables.forecast_points(made.forecast)
        label = sentences.shown(rows, made.forecast) if len(rows.rows) > LONG else ""
        yield Rows(rows, folded=label)


def _budget(made: Gathered) -> Iterator[Block]:
    if made.decision is not None and made.question is not None:
        yield Text(sentences.BUDGET)
        yield pictures.budget(made)
        yield Bullets(sentences.budget_ahead(made.decision))


def _split(made: Gathered) -> Iterator[Block]:
    if made.decision is None or made.decision.optimum is None:
        return
    yield Text(sentences.SPLIT)
    yield Rows(tables.optimum(made.decision, made.split))
    if made.split is not None:
        yield pictures.split(made)
    yield Bullets(sentences.split_ahead(made.decision))


def _pilots(made: Gathered) -> Iterator[Block]:
    if made.decision is None:
        return
    if not made.decision.pilots:
        yield Text(sentences.NO_PILOTS)
        return
    yield Text(sentences.PILOTS)
    yield Rows(tables.pilots(made.decision), "pilots")
    if made.decision.pilot_sets:
        yield Text(sentences.PILOT_SETS)
        yield Rows(tables.pilot_sets(made.decision), "sets")


def _turning(made: Gathered) -> Iterator[Block]:
    if made.decision is not None and made.decision.assumptions:
        yield Text(sentences.TURNING)
        yield Rows(tables.turning_points(made.decision))
        yield Text(sentences.PLAN_AS_ASKED, "muted")


def _hidden(made: Gathered) -> Iterator[Block]:
    if made.hidden is not None:
        yield Text(sentences.coverage(made.hidden), "strong")
        yield Text(sentences.HIDDEN)
        yield pictures.held_out(made)
        rows = tables.hidden_runs(made.hidden)
        label = sentences.shown(rows, made.hidden.forecast) if len(rows.rows) > LONG else ""
        yield Rows(rows, folded=label)


def _sensitivity(made: Gathered) -> Iterator[Block]:
    if made.moves is not None:
        yield Text(sentences.SENSITIVITY)
        yield Rows(tables.sensitivity(made.moves, made.decision))


def _checks(made: Gathered) -> Iterator[Block]:
    if not made.linted:
        yield Text(sentences.NO_FINDINGS, "muted")
    passed = tuple(finding for finding in made.findings if finding.level == "PASS")
    others = tuple(finding for finding in made.findings if finding.level != "PASS")
    yield Text(sentences.checked(made.findings), "strong")
    if others:
        yield Findings(others)
    if passed:
        yield Findings(passed, sentences.passed(len(passed)))


def _reliability(made: Gathered) -> Iterator[Block]:
    model = made.posterior.spec.name
    rows, own = tables.reliability(model, float(made.main.extrapolation_factor[made.point]))
    if rows.rows:
        yield Text(sentences.RELIABILITY)
        yield Rows(rows, chosen=own)
        yield Text(sentences.corpus(model))
    yield Text(sentences.reliability(made.main, made.point), "muted")


def _coefficients(made: Gathered) -> Iterator[Block]:
    yield Text(sentences.COEFFICIENTS)
    rows = tables.coefficients(made.posterior)
    yield Rows(rows, folded=sentences.ALL_GROUPS if len(rows.rows) > LONG else "")
    yield pictures.coefficients(made)
    yield Heading(sentences.RESIDUALS_TITLE)
    yield Text(sentences.RESIDUALS)
    yield pictures.residuals(made)


def _assumptions(made: Gathered) -> Iterator[Block]:
    said = sentences.model_assumptions(made.posterior)
    if made.decision is not None:
        said = [*sentences.plan_assumptions(made.decision.scenario), *said]
    yield Bullets(tuple(said))
    yield Text(sentences.PRIORS)
    yield Rows(tables.priors(made.posterior, made.group))
    yield Heading(sentences.UNITS_TITLE)
    yield Pairs(sentences.UNITS)


def _provenance(made: Gathered) -> Iterator[Block]:
    if made.command and made.decision is not None:
        yield Text(sentences.REPRODUCE)
    yield Pairs(made.provenance)
    if made.decision is not None:
        plan = made.decision.scenario.model_dump(mode="json", exclude_none=True)
        text = yaml.safe_dump(plan, sort_keys=False, allow_unicode=True)
        yield Code(text, sentences.PLAN_FILE)
