"""Columns that no law finds, so that the other checks looked at nothing."""

from __future__ import annotations

from bayescale.runs.finding import Check, Finding, Subject
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS
from bayescale.runs.suggest import suggestion
from bayescale.runs.wording import map_hint

NAME = "columns"
READ = (N_PARAMS, N_TOKENS, LOSS)
"""What the recommended model reads."""


def run(subject: Subject) -> Finding:
    """Say which of the columns of the recommended model the table lacks."""
    runs = subject.runs
    missing = [column for column in READ if not runs.has(column)]
    if not missing:
        return Finding(NAME, "PASS", f"{', '.join(READ)} are there.")
    others = [column for column in runs.columns if column not in READ]
    hints = [map_hint(c, suggestion(c, others) or "your column") for c in missing]
    return Finding(
        NAME,
        "FAIL" if len(missing) == len(READ) else "REVIEW",
        f"No column was read as {', '.join(missing)}; the table has {', '.join(runs.columns)}.",
        f"Name them: {', '.join(hints)}. Without them other laws may serve: bayescale laws --for.",
    )


CHECK = Check(NAME, (), run)
