"""What may not be mixed in one group, and the message when it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayescale.errors import RunsTableError
from bayescale.runs.schema import ARCHITECTURE, DATASET, LOSS_KIND, TOKENIZER
from bayescale.runs.wording import counts_text, map_hint, where_hint

SEPARATING = (DATASET, ARCHITECTURE, LOSS_KIND, TOKENIZER)
"""Columns whose values must not be mixed in one group: each has a loss surface of its own."""


def ways_out(mixed: Mapping[str, np.ndarray], group: Sequence[str]) -> str:
    """Return the two ways out of mixed columns, and the third for labels that do not separate.

    Parameters
    ----------
    mixed : mapping of str to ndarray
        Each mixed column and its values in the group.
    group : sequence of str
        Columns grouped by so far.
    """
    every = (*group, *mixed)
    keep = " and ".join(f"{column}={_most_frequent(values)}" for column, values in mixed.items())
    first = next(iter(mixed))
    return (
        f"Fit them apart with --group {','.join(every)} (group={every!r}), or keep one with "
        f"{where_hint(keep)}. If the labels of {first} do not mean different loss "
        f"surfaces, rename it: {map_hint('label', first)}."
    )


def mixed_error(
    table: str, mixed: Mapping[str, np.ndarray], group: Sequence[str], key: Sequence[str]
) -> RunsTableError:
    """Return the error for a group that holds several values of a separating column.

    Parameters
    ----------
    table : str
        Name of the table.
    mixed : mapping of str to ndarray
        Each mixed column and its values in the group.
    group, key : sequence of str
        The grouping columns and the values that name the group.
    """
    inside = ", ".join(f"{c}={v}" for c, v in zip(group, key, strict=True))
    found = "; ".join(
        f"{np.unique(values).size} values of {column}, {counts_text(values)}"
        for column, values in mixed.items()
    )
    return RunsTableError(
        f'runs table "{table}": {f"the group {inside}" if inside else "one group"} would hold '
        f"{found}.",
        ways_out(mixed, group),
    )


def _most_frequent(values: np.ndarray) -> str:
    names, counts = np.unique(values, return_counts=True)
    return str(names[np.argmax(counts)])
