"""What a fit cannot take: options, tables without a usable run, values that a law does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayescale.arguments import Kind, one_of, several
from bayescale.errors import InferenceError
from bayescale.laws import Law
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Constants
from bayescale.runs.table import RunsTable, read_runs
from bayescale.runs.wording import rows_text

CONSTANTS = Kind(
    "a sequence of Constants, one a group",
    several(one_of(Constants)),
    "Pass [p.constants for p in posterior.problems] of a posterior with the same groups.",
)
"""What `fit` takes as constants."""


def check_asked(columns: Sequence[str], max_epochs: float) -> None:
    """Raise on options of `fit` that make no sense.

    Raises
    ------
    InferenceError
        With the option and the value found.
    """
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise InferenceError(f"group: column {twice[0]!r} is named twice.", "Name it once.")
    if not max_epochs > 0.0:
        raise InferenceError(f"max_epochs is {max_epochs!r}, expected a positive number.")


def usable_runs(runs: Any) -> tuple[RunsTable, tuple[str, ...]]:
    """Return the runs that can be fitted, and why others are left out.

    Raises
    ------
    InferenceError
        When none can.
    """
    table = read_runs(runs)
    usable, dropped = table.usable()
    if not len(usable):
        raise InferenceError(
            f"no run of {table.name!r} can be fitted. {' '.join(dropped)}",
            "Are n_params and n_tokens in one unit, ones, and not in millions and billions?"
            " `bayescale check` says what it finds.",
        )
    return usable, dropped


def check_values(law: Law, name: str, values: Floats, table: str) -> None:
    """Raise on the first value of a column that lies outside what the law takes.

    Parameters
    ----------
    law : Law
        The law.
    name : str
        One of its inputs, or its output.
    values : array, shape (n,)
        The column.
    table : str
        Name of the table for messages.

    Raises
    ------
    InferenceError
        With the rows, the value found and what was expected.
    """
    quantity = law.quantity(name)
    wrong = quantity.wrong(values, open_ends=name == law.output)
    if wrong.any():
        ends = ", both ends left out" if quantity.domain == "unit" and name == law.output else ""
        raise InferenceError(
            f'runs table "{table}": {rows_text(wrong)}, {name} is {values[wrong][0]:g}, but law'
            f" {law.name!r} needs {quantity.expected}{ends}.",
            f"Correct them, or leave them out with where=, such as {name}>0.",
            {"table": table, "column": name, "rows": np.flatnonzero(wrong).tolist()},
        )
