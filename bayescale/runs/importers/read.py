"""Which importer reads what, and the logs as a runs table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from bayescale.errors import NothingLoggedError, RunsTableError
from bayescale.runs.importers import (
    lines,
    litgpt,
    mlflow,
    nanochat,
    table_log,
    tensorboard,
    torchtitan,
    unit,
    wandb,
)
from bayescale.runs.importers.metric_names import STEPS
from bayescale.runs.importers.run_log import RunLog
from bayescale.runs.schema import STATUS

CONSOLES = (nanochat.FORM, torchtitan.FORM, litgpt.FORM)
CONSOLE_SUFFIXES = (".log", ".txt", ".out")
DATABASE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
LINES_SUFFIX = ".jsonl"
LOOKED_AT = 10_000
"""Files of a folder that are looked at to see whether it holds logs."""

METRICS_CSV = "metrics.csv"
"""What Lightning's CSV logger, and litgpt with it, calls its file."""


def read_logs(source: Any) -> list[RunLog]:
    """Return the logs of the runs in a file, a folder, or objects of a tracker's API.

    Parameters
    ----------
    source : path, run of W&B's API, or iterable of such runs
        A folder holds one run for each of its folders with event files, JSONL or CSV files, which
        are pieces of that run; console logs are a run each.

    Returns
    -------
    list of RunLog
        Runs without any metric are left out.

    Raises
    ------
    RunsTableError
        When nothing there is a log that is known, or it is damaged.
    """
    if wandb.is_run(source):
        return [wandb.read_api(source)]
    if not isinstance(source, str | Path):
        if not is_api(source):
            raise RunsTableError(
                f"the log of a job is read from a path or from runs of W&B's API, not from"
                f" {type(source).__name__}."
            )
        return [log for run in source for log in read_logs(run)]
    path = Path(source)
    if not path.exists():
        raise NothingLoggedError(f"no file or folder {str(path)!r}.", "Name the log of a job.")
    if path.is_file() and not path.stat().st_size:
        raise NothingLoggedError(
            f"{path}: the log is empty.", "Wait for its first rows (--follow)."
        )
    logs = _folder(path) if path.is_dir() else _file(path)
    found = [log for log in logs if log.metrics]
    if not found:
        raise NothingLoggedError(
            f"{path}: holds no log of a run.",
            "Known are JSONL and CSV with a step, TensorBoard, MLflow's SQLite file, exports of"
            f" W&B, and consoles of {', '.join(form.program for form in CONSOLES)}.",
        )
    return found


def is_api(source: object) -> bool:
    """Return whether an object is a run, or a list of runs, of W&B's API."""
    if isinstance(source, list | tuple):
        return bool(source) and all(map(wandb.is_run, source))
    return wandb.is_run(source) or wandb.is_runs(source)


def is_log(path: Path) -> bool:
    """Return whether a path that exists holds logs and no table of runs.

    A CSV file is a table, whatever its columns, unless it is a panel that W&B exported; a folder
    with a table in it, such as a sweep's, holds no logs.
    """
    if path.is_dir():
        tables = any(_is_table(file) for file in path.iterdir())
        return not tables and any(_is_part(file) for file in islice(path.rglob("*"), LOOKED_AT))
    return wandb.is_panel(_header(path)) if _kind(path) == "csv" else _is_part(path)


def runs_frame(logs: Iterable[RunLog], metric: str | None = None) -> pd.DataFrame:
    """Return one row a run: the facts of its configuration and its last loss."""
    frame = pd.DataFrame([log.row(metric) for log in logs])
    if STATUS in frame and frame[STATUS].isna().any():
        # A run that does not tell would be taken for one that is not finished.
        frame[STATUS] = frame[STATUS].fillna("finished")
    return frame


def _file(path: Path) -> list[RunLog]:
    kind, name = _kind(path), path.stem
    if kind == "events":
        return [tensorboard.read([path], path.parent.name)]
    if kind == "database":
        return mlflow.read(path)
    if kind == "lines":
        return [lines.read([path], name)]
    if kind == "json":
        return wandb.read_json(path)
    if kind == "csv":
        return (
            wandb.read_panel(path)
            if wandb.is_panel(_header(path))
            else [table_log.read([path], name)]
        )
    return list(_console(path, name)) if kind == "console" else []


def _folder(folder: Path) -> Iterator[RunLog]:
    places = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    for place in places:
        name = place.relative_to(folder).as_posix() if place != folder else folder.name
        if unit.recognises(place):
            yield from unit.read(place)
            continue
        files = sorted(path for path in place.iterdir() if path.is_file())
        kinds = {
            kind: [f for f in files if _kind(f) == kind] for kind in ("events", "lines", "csv")
        }
        if kinds["events"]:
            yield tensorboard.read(kinds["events"], name)
        elif kinds["lines"]:
            yield lines.read(kinds["lines"], name)
        elif curves := [path for path in kinds["csv"] if _is_curve(path)]:
            yield table_log.read(curves, name)
        for file in files:
            if _kind(file) == "console":
                yield from _console(file, file.stem)


def _console(path: Path, name: str) -> Iterator[RunLog]:
    for form in CONSOLES:
        if form.recognises(_text(path)):
            yield form.read(path, name)
            return


def _kind(path: Path) -> str:
    if not path.is_file():
        return ""
    name, suffix = path.name.lower(), path.suffix.lower()
    if tensorboard.MARK in name:
        return "events"
    if suffix in DATABASE_SUFFIXES and mlflow.recognises(path):
        return "database"
    known = {LINES_SUFFIX: "lines", ".json": "json", ".csv": "csv"}
    return known.get(suffix, "console" if suffix in CONSOLE_SUFFIXES else "")


def _is_table(path: Path) -> bool:
    return path.suffix == ".parquet" or (_kind(path) == "csv" and not _is_curve(path))


def _is_part(path: Path) -> bool:
    kind = _kind(path)
    if kind == "console":
        return any(form.recognises(_text(path)) for form in CONSOLES)
    return _is_curve(path) if kind == "csv" else kind != ""


def _is_curve(path: Path) -> bool:
    """Return whether a CSV file is one run's metrics: named as loggers do, or its step first."""
    header = [name.strip().lower() for name in _header(path)]
    if path.name == METRICS_CSV:
        return bool({*header} & {*STEPS})
    return wandb.is_panel(_header(path)) or header[:1] in [[name] for name in STEPS]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file), [])
