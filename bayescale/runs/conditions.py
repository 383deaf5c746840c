"""Conditions such as ``loss_kind=c4 and n_params>1e8``, parsed without running any code."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayescale.arguments import CONDITIONS, check_arguments
from bayescale.errors import RunsTableError, nearest
from bayescale.runs.columns import resolve
from bayescale.runs.numbers import label, parse_number

_CONDITION = re.compile(
    r"\s*(?P<column>[^=!<>]+?)\s*(?P<sign>!=|<=|>=|==|=|<|>)(?P<value>.*)", re.DOTALL
)
# Only an "and" before another condition splits: a value may hold the word.
_AND = re.compile(r"\s+and\s+(?=(?:(?!\sand\s)[^=!<>])+[=!<>])", re.IGNORECASE)
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matching(
    expression: str | Sequence[str], columns: Mapping[str, np.ndarray], table: str
) -> np.ndarray:
    """Return the mask of the rows that meet every condition.

    Parameters
    ----------
    expression : str or sequence of str
        ``column=value`` with one of ``= == != < <= > >=``; several joined by ``and`` or in a
        sequence. Quotes around the value are optional.
    columns : mapping of str to ndarray
        Typed columns.
    table : str
        Name of the table for messages.

    Raises
    ------
    UnknownNameError
        When a column does not exist.
    RunsTableError
        When a condition cannot be read, or a value or the whole expression matches no row.
    """
    check_arguments("where", RunsTableError, conditions=(expression, CONDITIONS))
    texts = [expression] if isinstance(expression, str) else list(expression)
    rows = len(next(iter(columns.values())))
    mask = np.ones(rows, dtype=bool)
    for condition in (part for text in texts for part in _AND.split(text)):
        mask &= _one(condition, columns, table)
    if not mask.any():
        raise RunsTableError(
            f'runs table "{table}": no row of {rows} meets {" and ".join(texts)!r}.',
            "Loosen a condition.",
        )
    return mask


def _one(condition: str, columns: Mapping[str, np.ndarray], table: str) -> np.ndarray:
    match = _CONDITION.fullmatch(condition)
    if match is None:
        raise RunsTableError(
            f"condition {condition!r} is not of the form column=value.",
            f"Signs are {', '.join(_SIGNS)}; join several conditions with ' and '.",
        )
    column = resolve(match["column"], columns, table)
    value = match["value"].strip().strip("'\"")
    values = columns[column]
    if values.dtype.kind == "f":
        return _compare_numbers(values, match["sign"], value, column, table)
    return _compare_labels(values, match["sign"], value, column, table)


def _compare_numbers(
    values: np.ndarray, sign: str, value: str, column: str, table: str
) -> np.ndarray:
    try:
        number = parse_number(value)
    except ValueError:
        raise RunsTableError(
            f'runs table "{table}": {column} holds numbers, and {value!r} is not one.',
            f"Values present: {_present(values)}.",
        ) from None
    mask = np.asarray(_SIGNS[sign](values, number))
    named = sign in ("=", "==", "!=")
    if not (values == number).any() if named else not mask.any():
        raise RunsTableError(
            f'runs table "{table}": no row has {column} {sign.lstrip("!")} {value}.',
            f"Values present: {_present(values)}.",
        )
    # A comparison with a missing value is true for != only; such a row was not asked for.
    return np.asarray(mask & ~np.isnan(values))


def _compare_labels(
    values: np.ndarray, sign: str, value: str, column: str, table: str
) -> np.ndarray:
    if sign not in ("=", "==", "!="):
        raise RunsTableError(
            f'runs table "{table}": {column} holds text, which {sign!r} does not compare.',
            "Use = or !=.",
        )
    if value not in values:
        raise RunsTableError(
            f'runs table "{table}": no row has {column} = {value!r}.',
            nearest(value, [v or "(empty)" for v in np.unique(values).tolist()][:20]),
        )
    return np.asarray(_SIGNS[sign](values, value))


def _present(values: np.ndarray) -> str:
    found = np.unique(values[~np.isnan(values)])
    if found.size <= 8:
        return ", ".join(label(v) for v in found.tolist()) or "(none)"
    return f"{found.size} between {found[0]:g} and {found[-1]:g}"
