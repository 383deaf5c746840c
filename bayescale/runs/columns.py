"""A user's column names to the canonical ones of the schema."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

import numpy as np

from bayescale.errors import RunsTableError, UnknownNameError, nearest
from bayescale.runs.files import RawColumns
from bayescale.runs.numbers import as_numbers, is_count
from bayescale.runs.schema import BY_NAME, SPELLINGS
from bayescale.runs.wording import map_hint

_FACTOR = re.compile(r"\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*\*\s*(.+?)\s*")
"""``1e6*Size (M)``: a factor and the column that it multiplies."""


def canonical(raw: RawColumns, mapping: Mapping[str, str], table: str) -> RawColumns:
    """Return the columns under their canonical names; unknown ones keep their own.

    Parameters
    ----------
    raw : dict of str to ndarray
        Columns under the user's names.
    mapping : mapping of str to str
        Canonical name to the user's column; wins over spellings. A key that is no canonical
        name renames the column, which frees the canonical name it would have claimed. A factor
        before the column, as in ``1e6*Size (M)``, multiplies its numbers.
    table : str
        Name of the table for messages.

    Raises
    ------
    RunsTableError
        When a mapped column does not exist, or two columns claim one canonical name.
    UnknownNameError
        When a key of `mapping` is a misspelled canonical name.
    """
    raw, mapping = _scaled(raw, mapping)
    _check_mapping(raw, mapping, table)
    names = {theirs: ours for ours, theirs in mapping.items()}
    taken = set(names.values())
    exact = [c for c in raw if c in BY_NAME and c not in names and c not in taken]
    names.update((column, column) for column in exact)
    taken.update(exact)
    for column in _spelled(raw, names, taken, table):
        names[column] = SPELLINGS[spelling(column)]
    return {_free(names.get(c, c), c, names): cells for c, cells in raw.items()}


def spelling(column: str) -> str:
    """Return the form under which `schema.SPELLINGS` knows a name."""
    return re.sub(r"[\s\-.]+", "_", column.strip()).lower()


def resolve(column: str, columns: Mapping[str, np.ndarray], table: str) -> str:
    """Return the name under which a table holds a column the user asks for.

    Raises
    ------
    UnknownNameError
        When the table has no such column.
    """
    for name in (column, SPELLINGS.get(spelling(column), column)):
        if name in columns:
            return name
    raise UnknownNameError("column", column, columns, f'runs table "{table}"')


def _scaled(raw: RawColumns, mapping: Mapping[str, str]) -> tuple[RawColumns, Mapping[str, str]]:
    """Return columns multiplied by the factors that stand before them in a mapping."""
    if not isinstance(mapping, Mapping):
        return raw, mapping
    factors = {
        ours: found
        for ours, theirs in mapping.items()
        if theirs not in raw and (found := _FACTOR.fullmatch(str(theirs))) and found[2] in raw
    }
    multiplied = {
        found[2]: _times(raw[found[2]], float(found[1]), is_count(ours))
        for ours, found in factors.items()
    }
    columns = {ours: found[2] for ours, found in factors.items()}
    return {**raw, **multiplied}, {**mapping, **columns}


def _times(cells: np.ndarray, factor: float, counts: bool) -> np.ndarray:
    """Return the cells times a factor; what is no number stays, to be refused as it was found."""
    values, refused = as_numbers(cells.tolist(), len(cells), counts=counts)
    made = (factor * values).astype(object)
    for row in refused:
        made[row] = cells[row]
    return made


def _spelled(raw: RawColumns, names: dict[str, str], taken: set[str], table: str) -> list[str]:
    """Return the columns whose spelling is known and whose canonical name is still free."""
    claims: dict[str, list[str]] = {}
    for column in raw:
        name = SPELLINGS.get(spelling(column))
        if column not in names and name is not None and name not in taken:
            claims.setdefault(name, []).append(column)
    for name, claimants in claims.items():
        if len(claimants) > 1:
            raise RunsTableError(
                f'runs table "{table}": columns {" and ".join(map(repr, claimants))} '
                f"can both be read as {name}.",
                f"Choose one: {map_hint(name, claimants[0])}.",
            )
    return [claimants[0] for claimants in claims.values()]


def _free(name: str, column: str, names: Mapping[str, str]) -> str:
    """Return a name for an extra column whose own name a mapping has given away."""
    return f"file_{name}" if column not in names and name in names.values() else name


def _check_mapping(raw: RawColumns, mapping: Mapping[str, str], table: str) -> None:
    for ours, theirs in mapping.items():
        if ours not in BY_NAME and difflib.get_close_matches(ours, BY_NAME, n=1, cutoff=0.8):
            raise UnknownNameError("column", ours, BY_NAME, "columns=")
        if theirs not in raw:
            raise RunsTableError(
                f'runs table "{table}": columns= maps {ours} to {theirs!r}, which does not exist.',
                nearest(theirs, raw),
            )
    twice = [c for c in mapping.values() if list(mapping.values()).count(c) > 1]
    if twice:
        raise RunsTableError(
            f'runs table "{table}": columns= maps {twice[0]!r} to two names.',
            "Give each column one name.",
        )
