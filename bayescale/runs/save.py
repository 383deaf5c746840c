"""Write a table, or any file, whole or not at all."""

from __future__ import annotations

import csv
import gzip
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from bayescale.errors import RunsTableError

TABLE_ENDINGS = (".csv", ".csv.gz", ".parquet")
"""Endings of the tables that are written."""

PAGE_ENDINGS, MARKDOWN_ENDINGS = (".html", ".htm"), (".md", ".markdown")
"""Endings of reports: with any other a table or a posterior would be written over."""


def check_target(path: Path) -> None:
    """Raise where no file can be written: what is asked before anything slow starts.

    Raises
    ------
    OSError
        When `path` is a folder, or lies in what is none or may not be written to.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder, expected the name of a file to write.")
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise NotADirectoryError(f"{path}: {above} is a file, so nothing can be written in it.")
    if not os.access(above, os.W_OK):
        raise PermissionError(f"{path}: {above} may not be written to.")


def save_table(data: Mapping[str, np.ndarray], path: Path) -> Path:
    """Write columns as CSV, gzipped CSV or Parquet, chosen by the ending of `path`.

    Raises
    ------
    RunsTableError
        When the ending is none of these.
    """
    name = path.name.lower()
    if name.endswith(".parquet"):
        return write_atomically(
            path, lambda part: pd.DataFrame(dict(data)).to_parquet(part, index=False)
        )
    if name.endswith((".csv", ".csv.gz")):
        return write_atomically(path, lambda part: _write_csv(data, part, name.endswith(".gz")))
    raise RunsTableError(
        f"{path}: a runs table cannot be saved under this name.",
        f"Use a name ending in {', '.join(TABLE_ENDINGS)}.",
    )


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then rename it.

    A process killed at any moment leaves the old file or the new one, never a part of it.

    Parameters
    ----------
    path : Path
        Where the file ends up; its folder is made if need be.
    write : callable
        Takes the temporary path and writes the whole content.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    OSError
        When it cannot be written; see `check_target`.
    """
    check_target(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _write_csv(data: Mapping[str, np.ndarray], path: Path, packed: bool) -> None:
    opener = gzip.open if packed else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(data)
        writer.writerows(zip(*(map(_cell, v.tolist()) for v in data.values()), strict=True))


def _cell(value: float | str) -> str:
    """Return the shortest text that reads back as the same value."""
    if isinstance(value, str):
        return value
    if np.isnan(value):
        return ""
    # Above 1e15 an integer would show digits that the float does not have.
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
