"""Runs that diverged: what they say is about their settings."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, positions
from bayescale.runs.schema import LEARNING_RATE, STATUS
from bayescale.runs.wording import rows_text

NAME = "diverged"


def run(subject: Subject) -> Finding:
    """Count runs whose status is diverged, and compare their learning rates with the others'."""
    runs = subject.runs
    out = runs.data[STATUS] == "diverged"
    if not out.any():
        return Finding(NAME, "PASS", "No run diverged.")
    share = f"{out.sum()} of {len(runs)} runs diverged ({out.mean():.1%})"
    return Finding(
        NAME,
        "REVIEW",
        f"{share}: {rows_text(out)}{_rates(subject, out)}. Fits leave them out: that a run "
        "diverged depends on its settings and tells nothing of the loss of one that does not.",
        "If they are the only runs of their size, train it again at a lower rate; allow for them "
        "in failure_allowance of a plan.",
        positions(out),
    )


def _rates(subject: Subject, out: np.ndarray) -> str:
    if not subject.runs.has(LEARNING_RATE):
        return ""
    rate = subject.runs.numbers(LEARNING_RATE)
    finished = rate[subject.runs.data[STATUS] == "finished"]
    highest = f", others finished at up to {finished.max():.3g}" if finished.size else ""
    return f", at learning rates from {rate[out].min():.3g}{highest}"


CHECK = Check(NAME, (STATUS,), run)
