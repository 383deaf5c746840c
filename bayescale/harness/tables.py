"""The tables of a running sweep, kept up to date at a small share of its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bayescale.harness.job import Job
from bayescale.harness.runs_file import HELD_BACK, RUNS, csv_text, in_order, unit_rows, write_whole

PAUSE = 20.0
"""Time between two updates, over the time that one takes."""

Rows = list[dict[str, Any]]
OnRows = Callable[[Rows], bool | None]
"""Takes all rows so far; True means that they are enough."""


class Tables:
    """Rows of the units of a ladder, written and told as they arrive.

    Parameters
    ----------
    out : Path
        Folder of the sweep.
    jobs : list of Job
        Units of the ladder.
    held_back : frozenset of str
        Hashes of the units whose rows no fit may see.
    on_rows : callable, optional
        Told the rows that fits may see.
    """

    def __init__(
        self, out: Path, jobs: list[Job], held_back: frozenset[str], on_rows: OnRows | None
    ) -> None:
        self.out, self.on_rows = out, on_rows
        self.shown = [j.folder for j in jobs if j.config.content_hash not in held_back]
        self.apart = [j.folder for j in jobs if j.config.content_hash in held_back]
        self._done: dict[Path, Rows] = {}
        self._told, self._next = -1, 0.0

    def finished(self, job: Job) -> bool:
        """Take a finished unit; return whether the rows so far are enough."""
        # A finished unit is read once, so that many units cost no more than their rows.
        self._done[job.folder] = unit_rows(job.folder)
        return time.monotonic() >= self._next and self.update()

    def update(self) -> bool:
        """Write the tables and tell rows that are new; return whether they are enough."""
        start, enough = time.monotonic(), False
        rows = self._rows(self.shown)
        write_whole(self.out / RUNS, csv_text(rows))
        if self.apart:
            write_whole(self.out / HELD_BACK, csv_text(self._rows(self.apart)))
        if self.on_rows is not None and len(rows) != self._told:
            enough = bool(self.on_rows(rows))
        self._told = len(rows)
        now = time.monotonic()
        self._next = now + PAUSE * (now - start)
        return enough

    def _rows(self, folders: list[Path]) -> Rows:
        found = (self._done.get(folder) or unit_rows(folder) for folder in folders)
        return in_order(row for rows in found for row in rows)
