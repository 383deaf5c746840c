"""What a check of the linter says, and the cells it looks at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from bayescale.runs.mixed import SEPARATING
from bayescale.runs.table import RunsTable

Level = Literal["PASS", "REVIEW", "FAIL"]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Parameters
    ----------
    check : str
        Name of the check.
    level : {"PASS", "REVIEW", "FAIL"}
        REVIEW: a fit is possible and its reader must know. FAIL: correct the table first.
    message : str
        What was found, with values.
    recommendation : str
        The option or call that answers it; empty for PASS.
    rows : tuple of int
        Rows concerned, counted from 0 in the table; empty when it is the whole table.
    """

    check: str
    level: Level
    message: str
    recommendation: str = ""
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cell:
    """The rows of a table that share a loss surface.

    Parameters
    ----------
    label : str
        ``dataset=c4, loss_kind=val``; empty when the table is one cell.
    rows : ndarray of int
        Their positions in the table.
    """

    label: str
    rows: np.ndarray

    def named(self, text: str) -> str:
        """Return `text` with the cell's label in front of it."""
        return f"{self.label}: {text}" if self.label else text


@dataclass(frozen=True)
class Subject:
    """What the linter looks at.

    Parameters
    ----------
    runs : RunsTable
        The whole table.
    group : tuple of str
        Columns that a fit will group by.
    """

    runs: RunsTable
    group: tuple[str, ...] = ()

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The table cut by the group and by whatever else separates loss surfaces."""
        present = [c for c in SEPARATING if c in self.runs.data and c not in self.group]
        columns = [*self.group, *(c for c in present if np.unique(self.runs.data[c]).size > 1)]
        found = []
        for key, rows in self.runs.group_rows(columns).items():
            label = ", ".join(f"{c}={v or '(empty)'}" for c, v in zip(columns, key, strict=True))
            found.append(Cell(label, rows))
        return tuple(found)

    @cached_property
    def fitted_cells(self) -> tuple[Cell, ...]:
        """The cells with only the rows that a fit uses: finished, and D/N at least 1."""
        keep = ~self.runs.unusable()
        return tuple(Cell(cell.label, cell.rows[keep[cell.rows]]) for cell in self.cells)


@dataclass(frozen=True)
class Check:
    """One check of the linter.

    Parameters
    ----------
    name : str
        As it stands in findings.
    needs : tuple of str
        Columns without which there is nothing to check.
    run : callable
        Takes the subject and returns the finding.
    """

    name: str
    needs: tuple[str, ...]
    run: Callable[[Subject], Finding]


def positions(rows: np.ndarray) -> tuple[int, ...]:
    """Return a mask or an array of positions as a sorted tuple of ints."""
    rows = np.flatnonzero(rows) if rows.dtype == bool else np.sort(rows)
    return tuple(rows.tolist())


def listed(parts: Sequence[str]) -> str:
    """Return at most three parts and how many more there are."""
    more = f"; and {len(parts) - 3} more groups" if len(parts) > 3 else ""
    return "; ".join(parts[:3]) + more
