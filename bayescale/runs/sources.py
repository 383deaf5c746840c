"""What `read_runs` takes, to raw columns and a name."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pandas as pd

from bayescale.errors import RunsTableError, nearest
from bayescale.runs.files import RawColumns, raw_columns, read_file
from bayescale.runs.importers.read import is_api, is_log, read_logs, runs_frame
from bayescale.runs.importers.wandb import as_runs
from bayescale.runs.records import is_records, read_records
from bayescale.runs.records import runs_frame as runs_frame_of_records

Source = str | os.PathLike[str] | pd.DataFrame


def load(source: Source) -> tuple[RawColumns, str]:
    """Return the raw columns of a file, a frame or a shipped table, and its default name.

    Raises
    ------
    RunsTableError
        When it is none of these, or cannot be read.
    """
    if isinstance(source, pd.DataFrame):
        return raw_columns(source, "runs"), "runs"
    if is_api(source):
        return raw_columns(runs_frame(read_logs(source)), "runs"), "runs"
    if not isinstance(source, str | os.PathLike):
        raise RunsTableError(
            f"runs are read from a path, a pandas DataFrame or the name of a shipped table, "
            f"not from {type(source).__name__}.",
            "Pass pandas.DataFrame(your_rows).",
        )
    path = Path(source)
    if is_records(path):
        return raw_columns(runs_frame_of_records(read_records(path)), str(path)), _stem(path)
    if _is_log(path):
        return raw_columns(runs_frame(read_logs(path)), str(path)), _stem(path)
    path = _file(path)
    return as_runs(read_file(path)), _stem(path)


def _file(path: Path) -> Path:
    """Return the path of an existing file, or of a shipped table's data."""
    try:
        shipped = not path.exists() or (path / "card.yaml").is_file()
    except OSError as error:
        raise RunsTableError(
            f"{str(path)[:60]!r} cannot be looked up ({error.strerror}).",
            "Pass the path of a file, not its text.",
        ) from error
    return _shipped(path) if shipped else path


def _shipped(path: Path) -> Path:
    """Return the checked data file of a shipped table."""
    # Imported here, because cards need pydantic and most tables have none.
    from bayescale.runs.catalog import list_runs, runs_file

    known = list_runs()
    if str(path) in known or path.is_dir():
        return runs_file(str(path))
    if (fetched := _public(str(path))) is not None:
        return fetched
    near = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, near, n=1)
    raise RunsTableError(
        f"no file {str(path)!r}, and no shipped table of that name.",
        f"Did you mean the file {close[0]!r}?" if close else nearest(str(path), _names()),
    )


def _is_log(path: Path) -> bool:
    try:
        return path.exists() and not (path / "card.yaml").is_file() and is_log(path)
    except OSError:
        return False


def _names() -> tuple[str, ...]:
    from bayescale.runs.catalog import list_runs
    from bayescale.runs.public.card import list_public

    return (*list_runs(), *list_public())


def _public(name: str) -> Path | None:
    """Return a public table that was fetched before; nothing is fetched here."""
    from bayescale.runs.public.card import list_public

    if name not in list_public():
        return None
    from bayescale.runs.public.get import public_table

    path = public_table(name)
    if not path.is_file():
        raise RunsTableError(
            f"public table {name!r} has not been fetched: nothing is at {path}.",
            f"Run: bayescale data get {name}",
        )
    return path


def _stem(path: Path) -> str:
    """Return the file name without its ending, or the folder of a shipped table."""
    stem = Path(path.name.removesuffix(".gz")).stem
    return path.parent.name if (path.parent / "card.yaml").is_file() else stem or path.name
