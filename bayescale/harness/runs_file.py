"""The runs tables of a sweep: rows from the records of its units, written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bayescale.harness import record
from bayescale.harness.config import RunConfig
from bayescale.runs import schema

RUNS, HELD_BACK, TRIALS = "runs.csv", "held_back.csv", "trials.csv"
"""The table, the runs that forecasts are to be tested on, and those that searched for settings."""


def write_table(path: Path, folders: Iterable[Path]) -> Path:
    """Write the rows of finished measurements, sorted by size, seed and tokens.

    Parameters
    ----------
    path : Path
        Target.
    folders : iterable of Path
        Folders of units; those not started have no rows.

    Returns
    -------
    Path
        The target.
    """
    return write_whole(path, csv_text(rows_of(folders)))


def rows_of(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the rows of finished measurements, sorted by size, seed and tokens.

    Parameters
    ----------
    folders : iterable of Path
        Folders of units; those not started have no rows.

    Returns
    -------
    list of dict
        Column name to value.
    """
    return in_order(row for folder in folders for row in unit_rows(folder))


def unit_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of one unit so far.

    Parameters
    ----------
    folder : Path
        Folder of the unit.

    Returns
    -------
    list of dict
        Column name to value.
    """
    return [found.row for found in record.read(folder).values()]


def in_order(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows sorted by size, seed and tokens.

    Parameters
    ----------
    rows : iterable of dict
        Rows of any units.

    Returns
    -------
    list of dict
        The same rows.
    """
    keys = (schema.N_PARAMS, schema.SEED, schema.N_TOKENS, schema.RUN_ID)
    return sorted(rows, key=lambda row: tuple(row[key] for key in keys))


def write_tables(
    out: Path, units: Iterable[tuple[RunConfig, Path]], held_back: frozenset[str]
) -> Path:
    """Write ``runs.csv``, and apart from it the runs that no fit may see.

    Parameters
    ----------
    out : Path
        Folder of the sweep.
    units : iterable of tuple of RunConfig and Path
        Units and their folders.
    held_back : frozenset of str
        Hashes of the units whose rows go into ``held_back.csv``, which is written if there are any.

    Returns
    -------
    Path
        The ``runs.csv``.
    """
    apart: list[Path] = []
    folders: list[Path] = []
    for config, folder in units:
        (apart if config.content_hash in held_back else folders).append(folder)
    if apart:
        write_table(out / HELD_BACK, apart)
    return write_table(out / RUNS, folders)


def csv_text(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV: the columns that all records have, then those that any row has.

    Parameters
    ----------
    rows : list of dict
        Column name to value.

    Returns
    -------
    str
        With a header, one line a row.
    """
    columns = dict.fromkeys((*record.COLUMNS, *(name for row in rows for name in row)))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_whole(path: Path, text: str) -> Path:
    """Write a file under a temporary name and rename it.

    Parameters
    ----------
    path : Path
        Target.
    text : str
        Content.

    Returns
    -------
    Path
        The target.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(text)
    os.replace(partial, path)
    return path
