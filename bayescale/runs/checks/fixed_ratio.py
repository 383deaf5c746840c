"""Runs on one ray, which cannot tell the effect of N from the effect of D."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, listed, positions
from bayescale.runs.schema import N_PARAMS, N_TOKENS

NAME = "fixed_ratio"
SPREAD = 0.1
"""Residual sd of log D around a line in log N below which the runs lie on that line."""


def run(subject: Subject) -> Finding:
    """Regress log D on log N in each cell."""
    runs = subject.runs
    said, rows = [], []
    for cell in subject.fitted_cells:
        n = np.log(runs.data[N_PARAMS][cell.rows])
        d = np.log(runs.data[N_TOKENS][cell.rows])
        found = ray(n, d)
        if found:
            said.append(cell.named(found))
            rows.append(cell.rows)
    if not said:
        return Finding(NAME, "PASS", "N and D vary apart from each other.")
    return Finding(
        NAME,
        "REVIEW",
        f"All runs lie on one line in (log N, log D): {listed(said)}.",
        "Forecast along that ray. Off it, and in an allocation, the split between N and D is the "
        "prior's word: add a few runs at another D/N (bayescale next-run).",
        positions(np.concatenate(rows)),
    )


def ray(n: np.ndarray, d: np.ndarray) -> str:
    """Say on which line runs at log N `n` and log D `d` lie; empty when on none.

    Fewer than three runs, or runs of one N or one D, are on no ray: other checks speak of those.
    """
    if n.size < 3 or np.ptp(n) == 0 or np.ptp(d) == 0:
        return ""
    slope, intercept = np.polyfit(n - n.mean(), d, 1)
    if np.std(d - intercept - slope * (n - n.mean())) >= SPREAD:
        return ""
    if abs(slope) < 0.05:
        return f"D stays near {np.exp(np.median(d)):.3g}"
    return f"D grows as N^{slope:.2f}, D/N near {np.exp(np.median(d - n)):.3g}"


CHECK = Check(NAME, (N_PARAMS, N_TOKENS), run)
