"""MLflow's SQLite store, read without MLflow and without writing to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bayescale.errors import RunsTableError
from bayescale.runs.importers.run_log import RunLog, collect, status_of

MAGIC = b"SQLite format 3\x00"


def recognises(path: Path) -> bool:
    """Return whether a file is an SQLite database."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read(path: Path) -> list[RunLog]:
    """Return the logs of all runs that were not deleted.

    Raises
    ------
    RunsTableError
        When the database is not a store of MLflow's.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as store:
            return list(_runs(store))
    except sqlite3.Error as error:
        raise RunsTableError(
            f"{path}: is no store of MLflow's, or cannot be read ({error}).",
            "Name the file behind sqlite:/// in the tracking address.",
        ) from error


def _runs(store: sqlite3.Connection) -> Iterator[RunLog]:
    runs = store.execute(
        "select run_uuid, name, status from runs"
        " where lifecycle_stage = 'active' order by start_time, run_uuid"
    ).fetchall()
    for identifier, name, status in runs:
        logged = store.execute(
            "select key, step, case when is_nan then null else value end from metrics"
            " where run_uuid = ? order by timestamp, step",
            (identifier,),
        )
        facts = dict(
            store.execute("select key, value from params where run_uuid = ?", (identifier,))
        )
        yield RunLog(name or identifier, collect(logged), facts, status_of(status))
