"""Several datasets, architectures or kinds of loss in one group."""

from __future__ import annotations

from bayescale.errors import RunsTableError
from bayescale.runs.finding import Check, Finding, Subject

NAME = "mixed_groups"


def run(subject: Subject) -> Finding:
    """Say beforehand what a fit would refuse."""
    runs = subject.runs
    try:
        runs.check_groups(subject.group)
    except RunsTableError as error:
        return Finding(NAME, "FAIL", error.message, error.hint)
    return Finding(NAME, "PASS", "No group mixes what has a loss surface of its own.")


CHECK = Check(NAME, (), run)
