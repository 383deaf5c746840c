"""Count a runs table under another convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.flops import CONVENTIONS, OTHER_MIXERS, Convention
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import ARCHITECTURE, CONTEXT, FLOPS, MIXER_FLOPS, N_PARAMS, N_TOKENS
from bayescale.runs.wording import map_hint, rows_text


def recount(runs: RunsTable, convention: str) -> RunsTable:
    """Return the table with ``n_params`` and ``flops`` counted by a convention.

    Parameters
    ----------
    runs : RunsTable
        With the columns that the convention needs.
    convention : str
        Name of one of `bayescale.runs.flops.CONVENTIONS`.

    Returns
    -------
    RunsTable
        ``n_params`` is a sixth of the FLOPs per token, so that 6 N D is the compute of that
        convention wherever it is used; the count it replaces is kept as ``file_n_params``.

    Raises
    ------
    UnknownNameError
        When no convention has that name.
    RunsTableError
        When a column or a value is missing, or the convention is not defined for a row.
    """
    known = _known(convention)
    if runs.convention:
        raise RunsTableError(
            f'runs table "{runs.name}": it is already counted by {runs.convention}, and '
            f"{convention} was asked for.",
            "Read it again with the other convention.",
        )
    runs.require(N_TOKENS)
    n_params = _per_token(runs, known) / 6.0
    before = {f"file_{N_PARAMS}": runs.data[N_PARAMS]} if N_PARAMS in runs.data else {}
    data = {**runs.data, **before, N_PARAMS: n_params, FLOPS: 6.0 * n_params * runs.data[N_TOKENS]}
    derived = tuple(dict.fromkeys((*runs.derived, FLOPS)))
    return replace(runs, data=data, derived=derived, convention=convention)


def count_flops(runs: Any) -> RunsTable:
    """Return the table with its training compute by every convention that its columns allow.

    Parameters
    ----------
    runs : RunsTable, or anything `read_runs` takes
        With ``n_tokens`` and the raw shape, or parts of it; see `bayescale.runs.flops`.

    Returns
    -------
    RunsTable
        With a derived column ``flops_<convention>`` each, such as ``flops_porian_attn``.

    Raises
    ------
    RunsTableError
        When no convention can be counted.
    """
    from bayescale.runs.table import read_runs  # which counts by this file

    runs = read_runs(runs)
    runs.require(N_TOKENS)
    found = {}
    for name, convention in CONVENTIONS.items():
        if _fault(runs, convention) is None:
            per_token = _per_token(runs, convention)
            found[f"{FLOPS}_{name.replace('+', '_')}"] = per_token * runs.data[N_TOKENS]
    if not found:
        raise _fault(runs, CONVENTIONS["kaplan"]) or AssertionError
    return replace(runs, data={**runs.data, **found}, derived=(*runs.derived, *found))


def _known(name: str) -> Convention:
    if name not in CONVENTIONS:
        raise UnknownNameError("FLOP convention", name, CONVENTIONS)
    return CONVENTIONS[name]


def _per_token(runs: RunsTable, convention: Convention) -> np.ndarray:
    """Return FLOPs per training token of every row."""
    fault = _fault(runs, convention)
    if fault is not None:
        raise fault
    read = {name: _cells(runs, name) for name in (*convention.needs, MIXER_FLOPS)}
    rows = [dict(zip(read, cells, strict=True)) for cells in zip(*read.values(), strict=True)]
    return np.array([convention.per_token(row) for row in rows], dtype=np.float64)


def _cells(runs: RunsTable, name: str) -> list[float | str | None]:
    """Return a column's cells, None where one is missing."""
    if name not in runs.data:
        return [None] * len(runs)
    return [None if v != v else v for v in runs.data[name].tolist()]


def _fault(runs: RunsTable, convention: Convention) -> RunsTableError | None:
    """Return why a table cannot be counted by a convention, if it cannot."""
    table = f'runs table "{runs.name}": convention {convention.name!r}'
    absent = [name for name in convention.needs if not runs.has(name)]
    if absent:
        return RunsTableError(
            f"{table} reads {', '.join(convention.needs)}, but the table has no "
            f"{', '.join(absent)}.",
            f"Add them, map columns that hold them ({map_hint(absent[0])}), or choose a convention "
            f"that needs less{_alternatives(runs)}.",
        )
    for name in convention.needs:
        wrong = _wrong(runs, name)
        if wrong.any():
            return RunsTableError(
                f"{table}: {name} is missing or not above zero in {rows_text(wrong)}.",
                "Correct them, or leave those rows out with --where.",
            )
    unstated = _unstated_mixers(runs, convention)
    if unstated.any():
        found = ", ".join(sorted(set(runs.labels(ARCHITECTURE)[unstated].tolist())))
        return RunsTableError(
            f"{table} counts attention, but {rows_text(unstated)} ({found}) have no softmax and "
            f"no {MIXER_FLOPS}.",
            f"Add the column {MIXER_FLOPS}, or choose kaplan or porian.",
        )
    other = _other_architectures(runs, convention)
    if other.any():
        found = ", ".join(sorted(set(runs.labels(ARCHITECTURE)[other].tolist())))
        return RunsTableError(
            f"{table} is defined for {', '.join(convention.architectures)}; "
            f"found {found} in {rows_text(other)}.",
            "Choose another convention, or leave those rows out with --where.",
        )
    return None


def _wrong(runs: RunsTable, name: str) -> np.ndarray:
    if name == ARCHITECTURE:
        return np.asarray(runs.labels(name) == "")
    values = runs.numbers(name)
    return np.asarray(~(np.isfinite(values) & (values > 0)))


def _unstated_mixers(runs: RunsTable, convention: Convention) -> np.ndarray:
    """Return the rows whose mixer's cost follows from no formula and is not stated."""
    by_formula = CONTEXT not in convention.needs or bool(convention.architectures)
    if by_formula or not runs.has(ARCHITECTURE):
        return np.zeros(len(runs), dtype=bool)
    stated = ~np.isnan(runs.numbers(MIXER_FLOPS)) if runs.has(MIXER_FLOPS) else False
    return np.asarray(np.isin(runs.labels(ARCHITECTURE), OTHER_MIXERS) & ~np.asarray(stated))


def _other_architectures(runs: RunsTable, convention: Convention) -> np.ndarray:
    if not convention.architectures:
        return np.zeros(len(runs), dtype=bool)
    return ~np.isin(runs.labels(ARCHITECTURE), convention.architectures)


def _alternatives(runs: RunsTable) -> str:
    has: Mapping[str, Convention] = CONVENTIONS
    fits = [name for name, c in has.items() if all(runs.has(column) for column in c.needs)]
    return f": {', '.join(fits)}" if fits else ""
