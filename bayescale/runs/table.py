"""Read a runs table: from a file, a frame or a shipped table to checked columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayescale.arguments import CONDITIONS, MAPPING, NAME, check_arguments
from bayescale.errors import RunsTableError
from bayescale.runs.columns import canonical
from bayescale.runs.conditions import matching
from bayescale.runs.convention import recount
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS
from bayescale.runs.sources import Source, load
from bayescale.runs.validate import typed, validate
from bayescale.runs.wording import map_hint

__all__ = ["RunsTable", "read_runs"]


_COLUMNS = replace(MAPPING, hint=f"Write {map_hint(N_PARAMS)}.")


def read_runs(
    source: Source | RunsTable,
    *,
    columns: Mapping[str, str] | None = None,
    where: str | Sequence[str] | None = None,
    name: str | None = None,
    convention: str | None = None,
) -> RunsTable:
    """Read a table of training runs and check it.

    Parameters
    ----------
    source : path, DataFrame, RunsTable or str
        A ``.csv``, ``.tsv`` or ``.parquet`` file (the first two may be gzipped, and separated by
        semicolons or bars), a frame (never changed), a table to cut further, the name of a
        shipped table or of a public one that was fetched, a sweep's folder or its records (see
        `bayescale.runs.records`), or logs of training jobs that `bayescale.runs.importers` knows
        (a file, a folder, runs of W&B's API): the last loss of each run.
    columns : mapping of str to str, optional
        Canonical name to the name in `source`; wins over the recognised spellings. A factor may
        stand before it, for a column in another unit: ``{"n_params": "1e6*Size (M)"}``.
    where : str or sequence of str, optional
        Conditions as in `RunsTable.where`. Rows that do not meet them may hold anything.
    name : str, optional
        What messages call the table; the file name without its ending by default.
    convention : {"kaplan", "porian", "porian+attn", "palm", "chinchilla", "shen"}, optional
        Count ``n_params`` and ``flops`` anew from the raw shape; see
        `bayescale.runs.convention.recount`. As the source counts them by default.

    Returns
    -------
    RunsTable
        With ``flops`` as 6 N D where the source has none (see `RunsTable.derived`).

    Raises
    ------
    RunsTableError
        When the source cannot be read, or its values are not what the schema says.
    UnknownNameError
        When a name in `columns` or `where`, or the convention, does not exist.

    Notes
    -----
    Counts and FLOPs may be written ``1.5B``, ``70M``, ``1,000`` or ``2e12`` (suffixes K, M, B or
    G, T, Q for 1e3 to 1e15); other numbers may not. Columns the schema does not know are kept
    under their own names; a column whose canonical name `columns` gives to another is kept
    with ``file_`` before its name.
    """
    check_arguments(
        "read_runs",
        RunsTableError,
        columns=(columns, _COLUMNS.or_none),
        where=(where, CONDITIONS.or_none),
        name=(name, NAME.or_none),
        convention=(convention, NAME.or_none),
    )
    if convention is not None:
        read = read_runs(source, columns=columns, where=where, name=name)
        return recount(read, convention)
    if isinstance(source, RunsTable) and not columns:
        runs = source.where(where) if where else source
        return replace(runs, name=name or source.name)
    counted = ""
    if isinstance(source, RunsTable):
        counted = source.convention
        # What was derived is derived again, because `columns` may name other tokens.
        raw = {c: v for c, v in source.data.items() if c not in source.derived}
        default = source.name
    else:
        raw, default = load(source)
    table = name or default
    data, refused = typed(canonical(raw, columns or {}, table))
    mask = matching(where, data, table) if where else np.ones(len(next(iter(data.values()))), bool)
    validate(data, refused, np.flatnonzero(mask), table)
    kept = {c: values[mask] for c, values in data.items()}
    return _with_flops(RunsTable(table, kept, convention=counted))


def _with_flops(runs: RunsTable) -> RunsTable:
    if runs.has(FLOPS) or not (runs.has(N_PARAMS) and runs.has(N_TOKENS)):
        return runs
    return replace(runs, data={**runs.data, FLOPS: runs.compute_6nd}, derived=(FLOPS,))
