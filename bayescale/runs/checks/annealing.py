"""Checkpoints from the middle of a schedule, which lie above the annealed surface."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, positions
from bayescale.runs.schema import N_TOKENS, RUN_ID, STATUS, STEP, TRUNK
from bayescale.runs.table import RunsTable
from bayescale.runs.wording import LEAVE_OUT, rows_text, where_hint

NAME = "annealing"
FLAGS = {"is_final": 1.0, "finished": 1.0, "diverged": 0.0, "portion_elapsed": 1.0}
"""Number columns that some tables carry, and the value of a finished run."""


def run(subject: Subject) -> Finding:
    """Look for flags, and for several rows of one run with growing tokens."""
    runs = subject.runs
    flags = [f for f in FLAGS if runs.has(f) and runs.data[f].dtype.kind == "f"]
    off = {f: np.abs(runs.data[f] - FLAGS[f]) > 1e-3 for f in flags}
    raised = [f for f in flags if off[f].any()]
    if raised:
        rows = np.logical_or.reduce([off[f] for f in raised])
        wanted = " and ".join(f"{f}={FLAGS[f]:g}" for f in raised)
        said = " or ".join(f"{f} is not {FLAGS[f]:g}" for f in raised)
        return _finding(f"{said} in {rows_text(rows)}", where_hint(wanted), rows)
    if flags:
        return Finding(NAME, "PASS", f"{', '.join(flags)} mark every run as finished.")
    return _by_run(subject)


def _by_run(subject: Subject) -> Finding:
    runs = subject.runs
    column = RUN_ID if runs.has(RUN_ID) else TRUNK
    clock = N_TOKENS if runs.has(N_TOKENS) else STEP
    if not runs.has(column) or not runs.has(clock):
        return Finding(NAME, "PASS", "Not checked: no run_id tells which rows are of one run.")
    middle = np.zeros(len(runs), dtype=bool)
    for cell in subject.cells:
        middle[cell.rows] = _before_last(runs.data[column][cell.rows], runs.data[clock][cell.rows])
    middle &= ~_decayed(runs)
    if not middle.any():
        return Finding(NAME, "PASS", f"One {clock} for each {column}.")
    return _finding(
        f"{rows_text(middle)} are followed by a later row of the same {column}",
        LEAVE_OUT,
        middle,
    )


def _before_last(names: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Return the rows whose run has a row with more tokens."""
    last: dict[str, float] = {}
    pairs = list(zip(names.tolist(), tokens.tolist(), strict=True))
    for name, count in pairs:
        last[name] = max(last.get(name, 0.0), count)
    return np.array([bool(name) and count < last[name] for name, count in pairs])


def _decayed(runs: RunsTable) -> np.ndarray:
    """Return the rows that branched from a trunk and finished a decay of their own."""
    if not (runs.has(TRUNK) and STATUS in runs.data):
        return np.zeros(len(runs), dtype=bool)
    return np.asarray((runs.data[TRUNK] != "") & (runs.data[STATUS] == "finished"))


def _finding(message: str, call: str, rows: np.ndarray) -> Finding:
    return Finding(
        NAME,
        "REVIEW",
        f"{message}: checkpoints before the end of a schedule lie 0.05 to 0.1 nats too high.",
        f"Keep the ends of the runs: {call}; fit the others only if the rate was constant.",
        positions(rows),
    )


CHECK = Check(NAME, (), run)
