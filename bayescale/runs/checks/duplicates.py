"""The same measurement twice."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, positions
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS
from bayescale.runs.wording import LEAVE_OUT, rows_text, where_hint

NAME = "duplicates"


def run(subject: Subject) -> Finding:
    """Look for equal N, D and loss in one cell; a repeat with another seed has another loss."""
    runs = subject.runs
    repeated = np.zeros(len(runs), dtype=bool)
    for cell in subject.cells:
        seen: set[tuple[float, float, float]] = set()
        columns = (runs.data[c][cell.rows].tolist() for c in (N_PARAMS, N_TOKENS, LOSS))
        for row, key in zip(cell.rows.tolist(), zip(*columns, strict=True), strict=True):
            repeated[row] = key in seen
            seen.add(key)
    if not repeated.any():
        return Finding(NAME, "PASS", "No two rows of a group share N, D and loss.")
    tasks = runs.data.get("downstream_task")
    keep = f"{where_hint(f'downstream_task={tasks[0]}')}, or " if tasks is not None else ""
    return Finding(
        NAME,
        "REVIEW",
        f"n_params, n_tokens and loss repeat an earlier row in {rows_text(repeated)}.",
        f"Runs counted twice make intervals too narrow: {keep}"
        f"{LEAVE_OUT}, unless they are separate runs whose losses were rounded.",
        positions(repeated),
    )


CHECK = Check(NAME, (N_PARAMS, N_TOKENS, LOSS), run)
