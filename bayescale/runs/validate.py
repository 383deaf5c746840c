"""Canonical raw columns to checked ones: float64 for numbers, text for labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.errors import RunsTableError, nearest
from bayescale.runs.files import RawColumns
from bayescale.runs.numbers import as_labels, as_numbers, is_count
from bayescale.runs.schema import (
    BY_NAME,
    FLOPS,
    LOSS,
    N_PARAMS,
    N_TOKENS,
    STATUS,
    STATUSES,
    largest,
)
from bayescale.runs.wording import map_hint, where_hint

ESSENTIAL = (N_PARAMS, N_TOKENS, LOSS, FLOPS)
"""Columns without gaps: every row has a value, or none has and the column counts as absent."""

_AT_LEAST = {
    "count": " and above zero",
    "positive": " and above zero",
    "rate": " and zero or above",
}
"""What is expected of numbers by kind, beside that they are finite."""

Columns = dict[str, np.ndarray]
Refused = dict[str, dict[int, str]]


def typed(raw: RawColumns) -> tuple[Columns, Refused]:
    """Return every column as numbers or labels, and the cells that should be numbers and are not.

    A column the schema does not know is a number column when each of its cells is a number.
    """
    columns: Columns = {}
    refused: Refused = {}
    for name, cells in raw.items():
        known = BY_NAME.get(name)
        if known is not None and known.kind == "label":
            columns[name] = as_labels(cells)
        elif cells.dtype != object:
            columns[name] = cells
        else:
            values, bad = as_numbers(cells, len(cells), counts=is_count(name))
            columns[name] = as_labels(cells) if known is None and bad else values
            if known is not None and bad:
                refused[name] = bad
    if STATUS in columns:
        columns[STATUS] = np.char.lower(columns[STATUS])
    return columns, refused


def validate(columns: Mapping[str, np.ndarray], refused: Refused, rows: Any, table: str) -> None:
    """Raise on the first column whose values at `rows` are not what the schema says.

    Parameters
    ----------
    columns, refused
        As returned by `typed`.
    rows : ndarray of int
        Positions that are kept; the others may hold anything.
    table : str
        Name of the table for messages.

    Raises
    ------
    RunsTableError
        With the column, the rows and the values found.
    """
    for name, values in columns.items():
        known = BY_NAME.get(name)
        if known is None:
            continue
        bad = {row: repr(refused[name][row]) for row in rows if row in refused.get(name, {})}
        if bad:
            raise _error(table, name, bad, "are not numbers", _number_hint(name))
        if known.kind != "label":
            checked = rows if name != LOSS else rows[~_lost(columns)[rows]]
            _check_numbers(table, name, known.kind, values, checked)
    if STATUS in columns:
        _check_status(columns[STATUS], rows, table)


def _lost(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the mask of runs that have no loss because they did not get to their end."""
    gaps = np.isnan(columns[LOSS])
    return gaps & (columns[STATUS] != "finished") if STATUS in columns else np.zeros_like(gaps)


def _check_numbers(table: str, name: str, kind: str, values: np.ndarray, rows: Any) -> None:
    kept = values[rows]
    absent = np.isnan(kept)
    gaps_allowed = name not in ESSENTIAL or bool(absent.all())
    wrong = np.isinf(kept) | (absent & (not gaps_allowed))
    if kind in ("count", "positive"):
        wrong |= kept <= 0
    if kind == "rate":
        wrong |= kept < 0
    if wrong.any():
        bad = {int(row): f"{values[row]:.6g}" for row in rows[wrong]}
        expected = f"are not finite{_AT_LEAST.get(kind, '')}"
        hint = _where_hint(name, kind, bool(np.isinf(kept).any()), bool(wrong.all()))
        raise _error(table, name, bad, expected, hint)
    _check_size(table, name, values, rows)


def _check_size(table: str, name: str, values: np.ndarray, rows: Any) -> None:
    most = largest(name)
    huge = values[rows] > most
    if huge.any():
        bad = {int(row): f"{values[row]:.6g}" for row in rows[huge]}
        hint = f"Correct them, or keep the others with {where_hint(f'{name}<={most:g}')}."
        raise _error(table, name, bad, f"are above {most:g}, more than any run has", hint)


def _check_status(status: np.ndarray, rows: Any, table: str) -> None:
    bad = {int(row): repr(str(status[row])) for row in rows if status[row] not in STATUSES}
    if bad:
        hint = nearest(next(iter(bad.values())).strip("'"), STATUSES)
        raise _error(table, STATUS, bad, "are no known status", hint)


def _where_hint(name: str, kind: str, infinite: bool, every: bool) -> str:
    if every:
        return f"Correct them, or map another column: {map_hint(name)}."
    if kind == "real":
        return "Correct them."
    kept = f"{name}>{'=' if kind == 'rate' else ''}0" + (f" and {name}<inf" if infinite else "")
    return f"Correct them, or keep the others with {where_hint(kept)}."


def _number_hint(name: str) -> str:
    written = "2e12, 1,000 or 1.5B" if is_count(name) else "2.345 or 1e-3"
    return f"Write numbers as {written}, and leave a missing cell empty."


def _error(table: str, name: str, bad: Mapping[int, str], what: str, hint: str) -> RunsTableError:
    shown = ", ".join(f"row {row}: {value}" for row, value in list(bad.items())[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    unit = BY_NAME[name].unit
    return RunsTableError(
        f'runs table "{table}": column {name}{f" ({unit})" if unit else ""} holds {len(bad)} '
        f"value(s) that {what} ({shown}{more}; row 0 is the first below the header).",
        hint,
        {"table": table, "column": name, "rows": [int(row) for row in bad]},
    )
