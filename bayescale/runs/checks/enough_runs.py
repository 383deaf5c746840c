"""Too few runs, or all at one N or one D."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Level, Subject, listed, positions
from bayescale.runs.schema import N_PARAMS, N_TOKENS
from bayescale.runs.table import RunsTable

NAME = "enough_runs"
RUNS = 10
"""Runs below which an interval rests on the prior; the backtests ask for as many."""

SIZES = 3
"""Distinct N and D that a joint law needs to see its curvature."""


def run(subject: Subject) -> Finding:
    """Count runs, distinct N and distinct D in each cell; FAIL when no cell can be fitted."""
    runs = subject.runs
    found = subject.fitted_cells
    faults = {cell.label: _fault(runs, cell.rows) for cell in found}
    poor = [cell for cell in found if faults[cell.label][1]]
    if not poor:
        fewest = min(cell.rows.size for cell in found)
        return Finding(NAME, "PASS", f"At least {fewest} usable runs in each group.")
    hopeless = all(level == "FAIL" for level, _ in faults.values())
    return Finding(
        NAME,
        "FAIL" if hopeless else "REVIEW",
        f"{listed([cell.named(faults[cell.label][1]) for cell in poor])}.",
        "Train more runs (bayescale next-run), drop the group with where=, or pool it with its "
        "siblings with group=(...). All at one N or D: use a law of the other input alone.",
        positions(np.concatenate([cell.rows for cell in poor])),
    )


def _fault(runs: RunsTable, rows: np.ndarray) -> tuple[Level, str]:
    sizes = np.unique(runs.data[N_PARAMS][rows])
    tokens = np.unique(runs.data[N_TOKENS][rows])
    if rows.size < 3:
        return "FAIL", f"{rows.size} usable runs"
    if sizes.size == 1:
        return "FAIL", f"all {rows.size} runs have n_params {sizes[0]:.6g}"
    if tokens.size == 1:
        return "FAIL", f"all {rows.size} runs have n_tokens {tokens[0]:.6g}"
    if rows.size < RUNS:
        return "REVIEW", f"{rows.size} usable runs, fewer than {RUNS}"
    if min(sizes.size, tokens.size) < SIZES:
        return "REVIEW", f"{sizes.size} distinct n_params and {tokens.size} distinct n_tokens"
    return "PASS", ""


CHECK = Check(NAME, (N_PARAMS, N_TOKENS), run)
