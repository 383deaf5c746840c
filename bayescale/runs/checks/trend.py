"""Loss that rises with compute."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, listed, positions
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS
from bayescale.runs.wording import map_hint

NAME = "trend"
FEWEST = 6
"""Rows below which a rank correlation says nothing."""


def run(subject: Subject) -> Finding:
    """Correlate the ranks of loss and 6 N D in each cell."""
    runs = subject.runs
    said, rows = [], []
    for cell in subject.fitted_cells:
        if cell.rows.size < FEWEST:
            continue
        loss = runs.data[LOSS][cell.rows]
        rho = _rank_correlation(runs.compute_6nd[cell.rows], loss)
        if np.ptp(loss) == 0:
            said.append(cell.named(f"all {loss.size} losses are {loss[0]:.4g}"))
            rows.append(cell.rows)
        elif rho > 0:
            said.append(cell.named(f"rank correlation of loss and compute is {rho:+.2f}"))
            rows.append(cell.rows)
    if not said:
        return Finding(NAME, "PASS", "Loss falls with compute in each group.")
    return Finding(
        NAME,
        "FAIL",
        f"{listed(said)}: loss does not fall with compute.",
        f"Is the column an accuracy or a score? Map the loss with {map_hint(LOSS)}, "
        "or keep comparable runs with where=.",
        positions(np.concatenate(rows)),
    )


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the correlation of dense ranks, 0 when one side is constant."""
    first, second = (np.unique(v, return_inverse=True)[1].astype(float) for v in (x, y))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


CHECK = Check(NAME, (N_PARAMS, N_TOKENS, LOSS), run)
