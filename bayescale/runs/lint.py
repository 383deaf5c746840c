"""The linter of runs tables: what to know, or to correct, before any fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayescale.arguments import NAMES, check_arguments
from bayescale.errors import RunsTableError
from bayescale.runs.checks import (
    annealing,
    columns_read,
    compute_span,
    diverged,
    duplicates,
    embeddings,
    enough_runs,
    fixed_ratio,
    imputed_tokens,
    mixed_groups,
    one_tokenizer,
    outliers,
    repeated_data,
    tokens_per_parameter,
    trend,
    units_counts,
    units_flops,
    units_loss,
)
from bayescale.runs.columns import resolve
from bayescale.runs.finding import Check, Finding, Subject
from bayescale.runs.table import read_runs

__all__ = ["CHECKS", "Finding", "lint"]

CHECKS: tuple[Check, ...] = (
    columns_read.CHECK,
    units_counts.CHECK,
    units_flops.CHECK,
    units_loss.CHECK,
    duplicates.CHECK,
    imputed_tokens.CHECK,
    embeddings.CHECK,
    annealing.CHECK,
    tokens_per_parameter.CHECK,
    fixed_ratio.CHECK,
    one_tokenizer.CHECK,
    mixed_groups.CHECK,
    enough_runs.CHECK,
    compute_span.CHECK,
    trend.CHECK,
    outliers.CHECK,
    repeated_data.CHECK,
    diverged.CHECK,
)
"""Every check, in the order of the report."""


def lint(runs: Any, group: str | Sequence[str] = ()) -> tuple[Finding, ...]:
    """Return one finding for every check.

    Parameters
    ----------
    runs : RunsTable, or anything `read_runs` takes
        The table, before `RunsTable.usable`.
    group : str or sequence of str
        Columns that a fit will group by.

    Returns
    -------
    tuple of Finding
        PASS, REVIEW or FAIL each; a check without its columns passes and says so.

    Raises
    ------
    RunsTableError
        When the table cannot be read.
    UnknownNameError
        When a grouping column does not exist.
    """
    check_arguments("lint", RunsTableError, group=(group, NAMES))
    table, columns = read_runs(runs), (group,) if isinstance(group, str) else group
    subject = Subject(table, tuple(resolve(column, table.data, table.name) for column in columns))
    return tuple(_one(check, subject) for check in CHECKS)


def _one(check: Check, subject: Subject) -> Finding:
    missing = [column for column in check.needs if not subject.runs.has(column)]
    if missing:
        return Finding(check.name, "PASS", f"Not checked: no column {', '.join(missing)}.")
    return check.run(subject)
