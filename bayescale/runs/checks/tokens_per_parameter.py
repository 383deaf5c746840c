"""Runs with fewer tokens than parameters."""

from __future__ import annotations

from bayescale.runs.finding import Check, Finding, Subject, positions
from bayescale.runs.schema import N_PARAMS, N_TOKENS
from bayescale.runs.wording import rows_text

NAME = "tokens_per_parameter"


def run(subject: Subject) -> Finding:
    """List the rows with D/N < 1, which lie off every known loss surface."""
    runs = subject.runs
    ratio = runs.data[N_TOKENS] / runs.data[N_PARAMS]
    short = ratio < 1
    if not short.any():
        return Finding(NAME, "PASS", f"The smallest D/N is {ratio.min():.3g}.")
    return Finding(
        NAME,
        "FAIL",
        f"D/N is below 1 (down to {ratio.min():.3g}) in {rows_text(short)}.",
        "A fit leaves these rows out; runs.usable() returns the others and says so.",
        positions(short),
    )


CHECK = Check(NAME, (N_PARAMS, N_TOKENS), run)
