"""Metrics as one JSON object a line: JSONL, and what many programs write beside their console."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bayescale.errors import RunsTableError
from bayescale.runs.importers.flat import flat
from bayescale.runs.importers.metric_names import STEPS, TOKENS
from bayescale.runs.importers.run_log import RunLog, collect


def read(paths: Iterable[Path], name: str) -> RunLog:
    """Return the log of one run from its JSONL files, in order.

    A last line torn by a writer that is still at work is left for the next reading.

    Raises
    ------
    RunsTableError
        When a whole line is no JSON object.
    """
    return from_rows((row for path in paths for row in read_rows(path)), name)


def from_rows(rows: Iterable[Mapping[str, Any]], name: str, status: str = "") -> RunLog:
    """Return the log of one run from its logged rows; words of a row are facts.

    Parameters
    ----------
    rows : iterable of mapping
        Names of metrics to values, a step among them, or the tokens seen in its place.
    name, status : str
        Of the run.
    """
    points: list[tuple[str, float, Any]] = []
    facts: dict[str, Any] = {}
    for number, row in enumerate(map(flat, rows)):
        at = next((row[key] for key in (*STEPS, *TOKENS) if _is_number(row.get(key))), number)
        points += ((key, float(at), value) for key, value in row.items() if key not in STEPS)
        facts |= {key: value for key, value in row.items() if isinstance(value, str)}
    return RunLog(name, collect(points), facts, status)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file, a torn last line left out."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines) and not text.endswith("\n"):
                return
            raise RunsTableError(
                f"{path}: line {number} is no JSON ({error.msg}); it begins {line[:40]!r}.",
                'Expected one object a line, such as {"step": 100, "loss": 3.2}.',
            ) from None
        if not isinstance(row, dict):
            raise RunsTableError(f"{path}: line {number} holds {line[:40]!r}, expected an object.")
        yield row


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
