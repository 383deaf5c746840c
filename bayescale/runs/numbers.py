"""Cells of a table read as numbers or labels; a suffix is read, anything unclear is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from bayescale.runs.schema import BY_NAME, FLOPS

SUFFIXES = {"K": 3, "M": 6, "B": 9, "G": 9, "T": 12, "Q": 15}
"""Letter after a count, case ignored, to its power of ten."""

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Words of a number column, lower case, that stand for a missing value."""

_COUNT = re.compile(
    r"(?P<digits>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+|(?=\.\d))(?:\.\d*)?)\s*(?P<suffix>[KMBGTQ]?)",
    re.IGNORECASE,
)


def parse_number(word: str, *, counts: bool = True) -> float:
    """Return the number a word stands for.

    Parameters
    ----------
    word : str
        ``2e12`` and ``1_000`` always; ``1,000``, ``70M`` and ``1.4 T`` where `counts` is true.
    counts : bool
        Whether thousands separators and the suffixes K, M, B or G, T, Q are read. They make
        sense for counts only: a loss of ``3,123`` is more likely a decimal comma.

    Returns
    -------
    float
        The value; ``nan`` for a word that stands for a missing value.

    Raises
    ------
    ValueError
        When the word is not a number.
    """
    word = word.strip()
    if word.lower() in MISSING:
        return float("nan")
    try:
        return float(word)
    except ValueError:
        match = _COUNT.fullmatch(word) if counts else None
    if match is None:
        raise ValueError(word)
    # Decimal keeps 0.07B at 70000000 where a float product gives 70000000.00000001.
    power = SUFFIXES.get(match["suffix"].upper(), 0)
    try:
        return float(Decimal(match["digits"].replace(",", "")).scaleb(power))
    except InvalidOperation:
        raise ValueError(word) from None


def is_count(column: str) -> bool:
    """Return whether a column may be written with suffixes and thousands separators."""
    known = BY_NAME.get(column)
    return column == FLOPS or (known is not None and known.kind == "count")


def as_numbers(
    cells: Iterable[Any], size: int, *, counts: bool
) -> tuple[np.ndarray, dict[int, str]]:
    """Return the cells as float64, and the cells that are not numbers by row.

    Parameters
    ----------
    cells : iterable
        Strings, numbers, or ``None`` for a missing value.
    size : int
        How many there are.
    counts : bool
        As in `parse_number`.

    Returns
    -------
    tuple of (ndarray, dict of int to str)
        The values, ``nan`` where missing or refused, and the refused cells as found.
    """
    values = np.full(size, np.nan)
    refused: dict[int, str] = {}
    for row, cell in enumerate(cells):
        try:
            values[row] = _number(cell, counts)
        except (ValueError, TypeError, OverflowError):
            refused[row] = str(cell)
    return values, refused


def as_labels(cells: Iterable[Any]) -> np.ndarray:
    """Return the cells as text: missing is empty, and a whole float is written as an integer."""
    return np.array([label(cell) for cell in cells], dtype=np.str_)


def label(cell: Any) -> str:
    """Return one cell as text.

    A seed of 42 is the label ``42`` whether the table held ``42``, ``42.0`` or ``"42"``. A label
    is one line: runs of white space become one space.
    """
    if cell is None or (isinstance(cell, float | np.floating) and np.isnan(cell)):
        return ""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def _number(cell: Any, counts: bool) -> float:
    if cell is None:
        return float("nan")
    if isinstance(cell, str):
        return parse_number(cell, counts=counts)
    if isinstance(cell, bool | np.bool_ | complex | np.complexfloating):
        raise TypeError(cell)
    return float(cell)


def short_count(value: float) -> str:
    """Return a count with three digits and the suffix that `parse_number` reads: ``6.9B``."""
    for letter in ("T", "B", "M", "K"):
        scale = 10.0 ** SUFFIXES[letter]
        if value >= 0.9995 * scale:
            return f"{value / scale:.3g}{letter}"
    return f"{value:.3g}"
