"""Files and frames to raw columns: nothing is renamed, padded, truncated or guessed here."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import pandas as pd

from bayescale.errors import RunsTableError
from bayescale.runs.numbers import label

RawColumns = dict[str, np.ndarray]
"""Column name to cells: float64, or objects with ``None`` for a missing cell."""

Lines = list[tuple[int, list[str]]]
"""Line number and cells of each line that is not blank."""

T = TypeVar("T")

CSV_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")

SEPARATORS = ("\t", ";", "|")
"""What may stand between columns in place of commas: whatever the header holds, commas apart."""

GZIP = b"\x1f\x8b"
"""How every gzipped file begins."""

PARQUET_SUFFIXES = (".parquet",)

TABLE_SUFFIXES = (".csv", ".tsv", ".gz", ".parquet")
"""What the names of tables in a folder end in."""


def read_file(path: Path) -> RawColumns:
    """Return the columns of a CSV or TSV file, gzipped or not, or of a Parquet file.

    Raises
    ------
    RunsTableError
        When the file is missing, empty, a directory, of another kind, or damaged.
    """
    _check_path(path)
    name = path.name.lower()
    if name.endswith(PARQUET_SUFFIXES):
        return raw_columns(_decoded(path, pd.read_parquet), str(path))
    if name.endswith(CSV_SUFFIXES):
        return _csv_columns(_decoded(path, _csv_lines), path)
    raise RunsTableError(
        f"{path}: files ending in {path.suffix or 'nothing'!r} are not read.",
        f"Use one of {', '.join(CSV_SUFFIXES + PARQUET_SUFFIXES)}, or pass a pandas DataFrame.",
    )


def raw_columns(frame: pd.DataFrame, name: str) -> RawColumns:
    """Return the columns of a frame, a named index among them; the frame is not changed.

    Raises
    ------
    RunsTableError
        When the frame has no rows, column names on several levels, or one name twice.
    """
    if frame.columns.nlevels > 1:
        raise RunsTableError(
            f'table "{name}": the columns have {frame.columns.nlevels} levels of names.',
            "Flatten them to one text name a column.",
        )
    # An unnamed index is row numbers; a named one, as after a groupby, is data.
    levels = [i for i, level in enumerate(frame.index.names) if level is not None]
    names = _names([*(frame.index.names[i] for i in levels), *frame.columns])
    series = [frame.index.get_level_values(i).to_series() for i in levels]
    series += [frame.iloc[:, i] for i in range(frame.shape[1])]
    _check_names(names, name)
    _check_rows(len(frame) if names else 0, name)
    return {column: _cells(values) for column, values in zip(names, series, strict=True)}


def _cells(series: pd.Series[Any]) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(series.dtype) and series.dtype.kind in "iuf":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    cells = np.empty(len(series), dtype=object)
    cells[:] = series.astype(object).to_list()
    cells[series.isna().to_numpy()] = None
    return cells


def _decoded(path: Path, read: Callable[[Path], T]) -> T:
    """Return what `read` makes of the file, with damage reported as an error of the table."""
    try:
        return read(path)
    except UnicodeDecodeError as error:
        packed = path.read_bytes()[:2] == GZIP
        raise RunsTableError(
            f"{path}: byte 0x{error.object[error.start]:02x} is not UTF-8 text.",
            f"It is gzipped: let its name end in {path.suffix}.gz."
            if packed
            else "Save the table as UTF-8, or read it yourself and pass the DataFrame.",
        ) from error
    # pyarrow reports a damaged Parquet file as a ValueError.
    except (OSError, EOFError, ValueError, zlib.error, csv.Error) as error:
        raise RunsTableError(
            f"{path}: cannot be read ({error}).", "Is the file complete and of the kind it claims?"
        ) from error


def _csv_lines(path: Path) -> Lines:
    """Read with the csv module, because pandas pads short rows and shifts long ones silently."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True, delimiter=_separator(file))
        # Spreadsheets end a table in rows of commas: they hold no measurement.
        return [(reader.line_num, row) for row in reader if any(map(str.strip, row))]


def _separator(file: IO[str]) -> str:
    """Return what separates columns, and leave the file at its beginning."""
    header = next(filter(str.strip, file), "")
    file.seek(0)
    return "," if "," in header else next((mark for mark in SEPARATORS if mark in header), ",")


def _csv_columns(lines: Lines, path: Path) -> RawColumns:
    if not lines or not "".join(lines[0][1]).strip():
        raise RunsTableError(f"{path}: the file is empty.", "Expected a header and rows.")
    header = _names(lines[0][1])
    _check_text(header, path)
    _check_names(header, str(path))
    _check_widths(lines, path)
    _check_rows(len(lines) - 1, str(path))
    cells = np.array([row for _, row in lines[1:]], dtype=object)
    return {column: cells[:, i] for i, column in enumerate(header)}


def _names(cells: Iterable[Any]) -> list[str]:
    """Return column names on one line each, made up where there is none."""
    return [label(cell) or f"column_{i}" for i, cell in enumerate(cells)]


def _check_path(path: Path) -> None:
    if not path.exists():
        raise RunsTableError(f"{path}: no such file.", "Check the path.")
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix in TABLE_SUFFIXES)
        raise RunsTableError(
            f"{path}: is a folder, not a table.",
            f"Name the file in it: {', '.join(inside[:8])}." if inside else "It holds no table.",
        )
    if not path.is_file():
        raise RunsTableError(f"{path}: is a pipe, not a file.", "Save the table to a file first.")
    if path.stat().st_size == 0:
        raise RunsTableError(f"{path}: the file is empty.", "Expected a header and rows.")


def _check_text(header: list[str], path: Path) -> None:
    odd = [name for name in header if not name.isprintable()]
    if odd:
        raise RunsTableError(
            f"{path}: the header holds {odd[0][:20]!r}, which is not text.",
            "Is it a CSV file? A Parquet file must end in .parquet.",
        )


def _check_names(names: list[str], table: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RunsTableError(
            f'table "{table}": {len(twice)} column name(s) occur twice: {", ".join(twice)}.',
            "Rename one of them.",
        )


def _check_widths(lines: Lines, path: Path) -> None:
    width = len(lines[0][1])
    ragged = [(number, len(row)) for number, row in lines[1:] if len(row) != width]
    if ragged:
        number, found = ragged[0]
        raise RunsTableError(
            f"{path}: line {number} has {found} cells, the header has {width}"
            f" ({len(ragged)} such line(s)).",
            "Quote cells that hold a separator, and write one for every missing cell.",
        )


def _check_rows(rows: int, table: str) -> None:
    if rows == 0:
        raise RunsTableError(
            f'table "{table}": has a header and no rows.', "Expected at least one row."
        )
