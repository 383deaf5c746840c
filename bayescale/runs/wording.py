"""Rows and values as they stand in messages."""

from __future__ import annotations

import numpy as np

SHOWN = 8
"""Rows or values listed before ``and ... more``."""


LEAVE_OUT = "leave these rows out (in Python read_runs(runs.frame.drop(index=list(finding.rows))))"
"""What can be done about rows that a check found."""


def rows_text(rows: np.ndarray) -> str:
    """Return ``3 rows (1, 4, 9)`` for a boolean mask or for positions."""
    positions = np.flatnonzero(rows) if rows.dtype == bool else rows
    shown = ", ".join(str(row) for row in positions[:SHOWN].tolist())
    more = f" and {positions.size - SHOWN} more" if positions.size > SHOWN else ""
    return f"{positions.size} {'row' if positions.size == 1 else 'rows'} ({shown}{more})"


def counts_text(values: np.ndarray) -> str:
    """Return ``c4 (12 rows), pile (3 rows)``, the most frequent first, long names cut."""
    names, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shown = ", ".join(f"{short(names[i])} ({counts[i]} rows)" for i in order[:4])
    return shown + (f" and {names.size - 4} more" if names.size > 4 else "")


def short(name: str) -> str:
    """Return a label cut to 40 characters, or ``(empty)``."""
    return f"{name[:37]}..." if len(name) > 40 else name or "(empty)"


def map_hint(ours: str, theirs: str = "your column") -> str:
    """Return how to read the column `theirs` as `ours`, in Python and on the command line."""
    return f"columns={{{ours!r}: {theirs!r}}} (--column '{ours}={theirs}')"


def where_hint(condition: str) -> str:
    """Return how to keep the rows that meet a condition, in Python and on the command line."""
    return f"where='{condition}' (--where '{condition}')"
