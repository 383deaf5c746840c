"""Records of a sweep as one table: from its JSONL files, or from the Parquet file made of them.

A record is a row of the runs table and where it came from. The Parquet file carries the version of
its columns; what a later version added is empty when an older file is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bayescale.errors import RunsTableError
from bayescale.runs.save import write_atomically
from bayescale.runs.schema import N_PARAMS, N_TOKENS, RUN_ID, SEED

FILE_NAME, UNITS_FILE, PARQUET = "records.jsonl", "units.json", "records.parquet"
PLACES = (FILE_NAME, f"*/{FILE_NAME}", f"units/*/{FILE_NAME}")
"""Where records lie in the folder of a unit, of units and of a sweep."""

VERSION, VERSION_KEY = 1, b"bayescale.records.version"
ROW, DETAILS, UNIT, STAGE = "row", "details", "config_hash", "stage"
ORIGIN = (UNIT, "tokens_sha256", "torch_version", "hardware", "cpu_seconds", STAGE, DETAILS)
"""Columns beside those of the runs table, with what is measured at length as JSON."""
FITTED = ("sweep", None)
"""Stages whose rows a runs table has: not trials of learning rates, nor runs held back."""


def is_records(path: Path) -> bool:
    """Return whether a path holds records: a sweep's folder, a JSONL file or a Parquet file.

    Parameters
    ----------
    path : Path
        Anything, also a path at which there is nothing.
    """
    if os.path.isdir(path):
        return bool(_files(path))
    name = path.name.lower()
    if not os.path.isfile(path) or not name.endswith((".jsonl", ".parquet")):
        return False
    return _is_compacted(path) if name.endswith(".parquet") else _begins_with_record(path)


def read_records(path: str | Path) -> pa.Table:
    """Read all records of a sweep.

    Parameters
    ----------
    path : str or Path
        Folder of a sweep or of units, a JSONL file of records, or what `compact` wrote.

    Returns
    -------
    pyarrow.Table
        One row a measurement, sorted by parameters, seed and tokens: the columns of the runs table,
        then `ORIGIN`. A measurement that was repeated after a kill counts once, and a line torn
        by a kill is none.

    Raises
    ------
    RunsTableError
        When nothing there is a record, or it was written by a later version.
    """
    path = Path(path)
    if path.is_file() and path.suffix.lower() == ".parquet":
        return _checked(pq.read_table(path), path)
    files = _files(path) if path.is_dir() else [path]
    stages = _stages(path)
    parts = [part for file in files if (part := _part(file, stages)) is not None]
    if not parts:
        raise RunsTableError(
            f"{path}: holds no records.", f"Give a sweep's folder, or a file like {FILE_NAME}."
        )
    whole = pa.concat_tables(parts, promote_options="permissive")
    names = [name for name in whole.column_names if name not in ORIGIN]
    return _sorted(_with_origin(whole).select([*names, *ORIGIN]))


def runs_frame(records: pa.Table) -> pd.DataFrame:
    """Return what records say as a runs table: without origin, trials and runs held back.

    Parameters
    ----------
    records : pyarrow.Table
        What `read_records` returned.

    Returns
    -------
    DataFrame
        The columns of the table that the sweep itself writes.
    """
    stages = records.column(STAGE).to_pylist()
    fitted = records.filter(pa.array([stage in FITTED for stage in stages]))
    return fitted.drop_columns(list(ORIGIN)).to_pandas()


def compact(path: str | Path, out: str | Path | None = None) -> Path:
    """Write all records of a sweep to one Parquet file, whole or not at all.

    Parameters
    ----------
    path : str or Path
        As for `read_records`.
    out : str or Path, optional
        Target; ``records.parquet`` in the folder by default.

    Returns
    -------
    Path
        The target.
    """
    path = Path(path)
    records = read_records(path)
    target = Path(out) if out is not None else (path if path.is_dir() else path.parent) / PARQUET
    marked = records.replace_schema_metadata({VERSION_KEY: str(VERSION).encode()})
    return write_atomically(target, lambda part: pq.write_table(marked, part, compression="zstd"))


def query(path: str | Path, sql: str) -> pd.DataFrame:
    """Ask DuckDB about the records of a sweep.

    Parameters
    ----------
    path : str or Path
        As for `read_records`.
    sql : str
        A query of the table ``records``; it can reach no file and no network.

    Returns
    -------
    DataFrame
        The answer.

    Raises
    ------
    RunsTableError
        When DuckDB is not installed, or refuses the query.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise RunsTableError(
            "records query: the package 'duckdb' is not installed.", "Install bayescale[harness]."
        ) from error
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        connection.register("records", read_records(path))
        try:
            return connection.execute(sql).df()
        except duckdb.Error as error:
            raise RunsTableError(
                f"query {sql[:80]!r}: {str(error).splitlines()[0]}", "The table is called records."
            ) from error


def _files(folder: Path) -> list[Path]:
    return sorted({file for place in PLACES for file in folder.glob(place)})


def _stages(folder: Path) -> dict[str, str]:
    """Return what each unit of a sweep is for; empty where nothing says so."""
    path = folder / UNITS_FILE
    if not path.is_file():
        return {}
    found = json.loads(path.read_text())
    return {unit: stage for stage, units in found.items() for unit in units}


def _part(file: Path, stages: dict[str, str]) -> pa.Table | None:
    """Return the records of one file; None when it has none yet."""
    records = {record[ROW][RUN_ID]: record for record in _lines(file)}
    if not records:
        return None
    rows = [_flat(record, stages) for record in records.values()]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _flat(record: dict[str, Any], stages: dict[str, str]) -> dict[str, Any]:
    details = record.get(DETAILS) or None
    stage = stages.get(record[UNIT], "other") if stages else None
    return {
        **record[ROW],
        **{name: record.get(name) for name in ORIGIN},
        STAGE: stage,
        DETAILS: details and json.dumps(details),
    }


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue  # torn by a kill
            if not _is_record(record):
                raise RunsTableError(
                    f"{file}: line {number} is no record; it begins {line[:40]!r}.",
                    f"A record has at least {ROW} with a {RUN_ID}, and {UNIT}.",
                )
            yield record


def _is_record(found: object) -> bool:
    return (
        isinstance(found, dict)
        and UNIT in found
        and isinstance(found.get(ROW), dict)
        and RUN_ID in found[ROW]
    )


def _begins_with_record(file: Path) -> bool:
    try:
        return next(_lines(file), None) is not None
    except (RunsTableError, UnicodeDecodeError):
        return False


def _is_compacted(file: Path) -> bool:
    try:
        return VERSION_KEY in (pq.read_schema(file).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return False


def _checked(table: pa.Table, path: Path) -> pa.Table:
    """Return a compacted table with all columns of this version."""
    version = int((table.schema.metadata or {}).get(VERSION_KEY, 0))
    if not 1 <= version <= VERSION:
        raise RunsTableError(
            f"{path}: its records are of version {version}, expected 1 to {VERSION}.",
            "Read it with the version of bayescale that wrote it, or compact the sweep again.",
        )
    return _with_origin(table)


def _with_origin(table: pa.Table) -> pa.Table:
    for name in ORIGIN:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), pa.string()))
    return table


def _sorted(table: pa.Table) -> pa.Table:
    keys: Iterable[str] = (N_PARAMS, SEED, N_TOKENS, RUN_ID)
    return table.sort_by([(name, "ascending") for name in keys if name in table.column_names])
