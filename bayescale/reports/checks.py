"""The check that only hidden runs allow, in the words of the others."""

from __future__ import annotations

from bayescale.forecasts.held_out import HeldOut
from bayescale.runs.finding import Finding

LOW_COVERAGE = 0.75
"""Share of hidden runs inside 90 % below which the interval failed its own test."""


def held_out_coverage(hidden: HeldOut) -> Finding:
    """Say whether the intervals held the runs that were hidden from the fit."""
    inside = int(hidden.inside(0.9).sum())
    message = f"{inside} of {len(hidden)} hidden runs lie inside their 90 % interval."
    if hidden.coverage(0.9) >= LOW_COVERAGE:
        return Finding("held-out runs", "PASS", message)
    return Finding(
        "held-out runs",
        "REVIEW",
        message,
        "Find out why before relying on the interval: see the hidden runs and the residuals.",
    )
