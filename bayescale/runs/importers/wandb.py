"""Weights & Biases: runs of its API, exported histories, panels and tables of runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.errors import RunsTableError
from bayescale.runs.files import RawColumns
from bayescale.runs.importers.flat import flat
from bayescale.runs.importers.lines import from_rows
from bayescale.runs.importers.run_log import RunLog, status_of
from bayescale.runs.schema import RUN_ID, STATUS, STEP

PANEL_STEP = "Step"
SEPARATOR = " - "
RANGES = ("__MIN", "__MAX")
INTERNAL = "_"
"""Names that begin so are W&B's own: ``_runtime``, ``_timestamp``."""


def is_run(source: object) -> bool:
    """Return whether an object is a run of W&B's API, which is never imported here."""
    return all(hasattr(source, name) for name in ("scan_history", "config", "state", "name"))


def is_runs(source: object) -> bool:
    """Return whether an object is what ``wandb.Api().runs(...)`` returns: it iterates over runs."""
    return type(source).__module__.startswith("wandb.") and hasattr(source, "__iter__")


def read_api(run: Any) -> RunLog:
    """Return the log of a run of the API (``wandb.Api().run(...)``): its whole history.

    Parameters
    ----------
    run : wandb.apis.public.Run
        Asks W&B's server when its history is read; nothing else here does.
    """
    log = from_rows((_own(row) for row in run.scan_history()), str(run.name))
    return RunLog(log.name, log.metrics, flat(_own(run.config)), status_of(run.state))


def read_json(path: Path) -> list[RunLog]:
    """Return the logs of an export: a list of history rows, or of runs with name and history.

    Raises
    ------
    RunsTableError
        When the file is neither.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunsTableError(f"{path}: is no JSON ({error}).") from None
    entries = content if isinstance(content, list) else [content]
    if not entries or not all(isinstance(entry, Mapping) for entry in entries):
        raise RunsTableError(
            f"{path}: holds no list of objects.", "Expected rows of run.history(), or runs."
        )
    if all("history" in entry for entry in entries):
        return [_exported(entry, path.stem) for entry in entries]
    return [from_rows(map(_own, entries), path.stem)]


def is_panel(header: Iterable[str]) -> bool:
    """Return whether a CSV header is that of an exported panel: a step, then a column a run."""
    names = list(header)
    return names[:1] == [PANEL_STEP] and any(SEPARATOR in name for name in names)


def read_panel(path: Path) -> list[RunLog]:
    """Return the log of each run of an exported panel; its columns are called RUN - METRIC."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    runs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        for run, metric, cell in _cells(row):
            runs.setdefault(run, []).append({STEP: float(row[PANEL_STEP]), metric: float(cell)})
    return [from_rows(found, run) for run, found in runs.items()]


def as_runs(raw: RawColumns) -> RawColumns:
    """Return an exported table of runs with its name and state in the schema's words.

    A table without W&B's columns ``Name`` and ``State`` is returned as it is.
    """
    if not {"Name", "State"} <= set(raw):
        return raw
    state = np.array([status_of(cell) or str(cell) for cell in raw["State"]], dtype=object)
    renamed = {RUN_ID: raw["Name"], STATUS: state}
    return renamed | {name: v for name, v in raw.items() if name not in {"Name", "State", *renamed}}


def _exported(entry: Mapping[str, Any], default: str) -> RunLog:
    name = str(entry.get("name") or entry.get("id") or default)
    log = from_rows(map(_own, entry["history"]), name)
    facts = flat(_own(entry.get("config") or {}))
    return RunLog(name, log.metrics, facts, status_of(entry.get("state")))


def _own(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without W&B's own entries, but for the step."""
    return {k: v for k, v in row.items() if k == "_step" or not k.startswith(INTERNAL)}


def _cells(row: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for column, cell in row.items():
        run, separator, metric = column.rpartition(SEPARATOR)
        if separator and cell and not metric.endswith(RANGES) and not metric.startswith(INTERNAL):
            yield run, metric, cell
