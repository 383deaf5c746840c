"""What may not be mixed in one group, and the message when it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescale.errors import RunsTableError
from bayescale.runs.schema import ARCHITECTURE, DATASET, LOSS_KIND, TOKENIZER
from bayescale.runs.wording import counts_text

SEPARATING = (DATASET, ARCHITECTURE, LOSS_KIND, TOKENIZER)
"""Columns whose values must not be mixed in one group: each has a loss surface of its own."""


def ways_out(column: str, values: np.ndarray, group: Sequence[str]) -> str:
    """Return the two ways out of a mixed column, and the third for labels that do not separate."""
    names, counts = np.unique(values, return_counts=True)
    first = names[np.argmax(counts)]
    every = ",".join((*group, column))
    return (
        f"Fit them apart with --group {every} (group={(*group, column)!r}), or keep one with "
        f"--where '{column}={first}' (where='{column}={first}'). If these labels do not mean "
        f"different loss surfaces, rename the column: columns={{'{column}_label': {column!r}}}."
    )


def mixed_error(
    table: str, column: str, values: np.ndarray, group: Sequence[str], key: Sequence[str]
) -> RunsTableError:
    """Return the error for a group that holds several values of a separating column.

    Parameters
    ----------
    table : str
        Name of the table.
    column : str
        The separating column.
    values : ndarray of str
        Its values in the group.
    group, key : sequence of str
        The grouping columns and the values that name the group.
    """
    inside = ", ".join(f"{c}={v}" for c, v in zip(group, key, strict=True))
    return RunsTableError(
        f'runs table "{table}": {f"the group {inside}" if inside else "it"} holds '
        f"{np.unique(values).size} values of {column}: {counts_text(values)}.",
        ways_out(column, values, group),
    )
