"""Metrics as a CSV table with a column of steps, as litgpt's and Lightning's CSV loggers write."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bayescale.errors import RunsTableError
from bayescale.runs.importers.lines import from_rows
from bayescale.runs.importers.metric_names import STEPS, TOKENS
from bayescale.runs.importers.run_log import RunLog
from bayescale.runs.numbers import parse_number


def read(paths: Iterable[Path], name: str) -> RunLog:
    """Return the log of one run from its CSV files, in order; empty cells were not logged.

    Raises
    ------
    RunsTableError
        When a file has no column of steps or tokens.
    """
    return from_rows((row for path in paths for row in _rows(path)), name)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        header = list(reader.fieldnames or ())
        renamed = {column: _known(column) for column in header}
        if not {*renamed.values()} & {*STEPS, *TOKENS}:
            raise RunsTableError(
                f"{path}: no column of steps or tokens among {', '.join(header) or '(none)'}.",
                f"Expected one of {', '.join((*STEPS, *TOKENS))}.",
            )
        for row in reader:
            # A row that is still being written is short: its missing cells are None.
            yield {renamed[c]: _value(cell) for c, cell in row.items() if c and cell}


def _known(column: str) -> str:
    word = column.strip()
    return word.lower() if word.lower() in {*STEPS, *TOKENS} else word


def _value(cell: str) -> float | str:
    try:
        return parse_number(cell, counts=False)
    except ValueError:
        return cell
