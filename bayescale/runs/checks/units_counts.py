"""Parameters in millions, tokens in billions."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject
from bayescale.runs.schema import N_PARAMS, N_TOKENS
from bayescale.runs.table import RunsTable

NAME = "units_counts"
SMALLEST = {N_PARAMS: 1e4, N_TOKENS: 1e5}
"""A table whose largest value stays below this is written in another unit."""

RATIOS = (1e-3, 1e5)
"""Tokens per parameter beyond which no table is right."""

USUAL = (0.1, 1000.0)
"""Median tokens per parameter that need no second look: 31 of 33 tables studied have .29 to 214,
and a factor of a thousand on either count leads out of this range nearly always."""


def run(subject: Subject) -> Finding:
    """Compare the sizes with what a network and a corpus can have, and with each other."""
    runs = subject.runs
    for column, smallest in SMALLEST.items():
        if runs.has(column) and np.nanmax(runs.data[column]) < smallest:
            return _wrong(column, f"{_span(runs, column)}, far too few to be counted one by one")
    if not (runs.has(N_PARAMS) and runs.has(N_TOKENS)):
        return Finding(NAME, "PASS", "The one count present has a plausible size.")
    ratio = float(np.median(runs.data[N_TOKENS] / runs.data[N_PARAMS]))
    if ratio < RATIOS[0]:
        return _wrong(N_TOKENS, f"{_span(runs, N_TOKENS)}: the median D/N is {ratio:.3g}")
    if ratio > RATIOS[1]:
        return _wrong(N_PARAMS, f"{_span(runs, N_PARAMS)}: the median D/N is {ratio:.3g}")
    if not USUAL[0] <= ratio <= USUAL[1]:
        return _unusual(runs, ratio)
    return Finding(
        NAME, "PASS", f"{_span(runs, N_PARAMS)}, {_span(runs, N_TOKENS)}, median D/N {ratio:.3g}."
    )


def _span(runs: RunsTable, column: str) -> str:
    values = runs.data[column]
    return f"{column} goes from {np.nanmin(values):.4g} to {np.nanmax(values):.4g}"


def _unusual(runs: RunsTable, ratio: float) -> Finding:
    small, large = (N_TOKENS, N_PARAMS) if ratio < 1 else (N_PARAMS, N_TOKENS)
    return Finding(
        NAME,
        "REVIEW",
        f"{_span(runs, N_PARAMS)}, {_span(runs, N_TOKENS)}: the median D/N is {ratio:.3g}, and"
        f" most tables have {USUAL[0]:g} to {USUAL[1]:g}. Is {small} in thousands or millions, or"
        f" is {large} too large by as much?",
        f"If so, write '70M' or '1.5B' in the file, or read_runs(frame.assign({small}=1e3 * "
        f"frame['{small}'])) for thousands; if not, go on.",
    )


def _wrong(column: str, message: str) -> Finding:
    return Finding(
        NAME,
        "FAIL",
        f"{message}. Millions or billions?",
        f"Write '70M' or '1.5B' in the file, or --column '{column}=1e6*your column', or"
        f" read_runs(frame.assign({column}=1e6 * frame['{column}'])) for millions, 1e9 for"
        " billions.",
    )


CHECK = Check(NAME, (), run)
