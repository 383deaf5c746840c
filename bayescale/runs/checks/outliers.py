"""Losses far off a smooth surface."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, positions
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS
from bayescale.runs.wording import LEAVE_OUT, rows_text

NAME = "outliers"
FEWEST = 15
"""Rows below which a surface of six coefficients is not worth fitting."""

LARGEST = 6.0
"""Robust standard deviations beyond which a loss is an outlier."""

FLOOR = 2e-3
"""Smallest standard deviation of log loss, so that noiseless tables raise no alarm."""


def run(subject: Subject) -> Finding:
    """Fit log loss by a robust quadratic in log N and log D in each cell."""
    runs = subject.runs
    z = np.zeros(len(runs))
    for cell in subject.fitted_cells:
        if cell.rows.size >= FEWEST:
            n, d, loss = (np.log(runs.data[c][cell.rows]) for c in (N_PARAMS, N_TOKENS, LOSS))
            z[cell.rows] = _z_scores(n, d, loss)
    far = np.abs(z) > LARGEST
    if not far.any():
        return Finding(NAME, "PASS", f"No loss lies {LARGEST:g} robust sd off a smooth surface.")
    worst = int(np.argmax(np.abs(z)))
    return Finding(
        NAME,
        "REVIEW",
        f"The loss is more than {LARGEST:g} robust sd off a smooth surface in {rows_text(far)}; "
        f"the worst is row {worst} with loss {runs.data[LOSS][worst]:.5g} ({z[worst]:+.1f} sd).",
        "Did these runs diverge, or were they trained by another recipe? Set status to diverged, "
        f"or {LEAVE_OUT}.",
        positions(far),
    )


def _z_scores(n: np.ndarray, d: np.ndarray, loss: np.ndarray) -> np.ndarray:
    n, d = ((x - x.mean()) / (x.std() or 1.0) for x in (n, d))
    design = np.column_stack([np.ones_like(n), n, d, n * n, d * d, n * d])
    weights = np.ones_like(loss)
    # Twenty rounds of reweighting with Huber's weights settle the surface to far below FLOOR.
    for _ in range(20):
        root = np.sqrt(weights)
        coefficients = np.linalg.lstsq(design * root[:, None], loss * root, rcond=None)[0]
        residual = loss - design @ coefficients
        scale = max(1.4826 * float(np.median(np.abs(residual))), FLOOR)
        weights = 1.345 / np.maximum(np.abs(residual) / scale, 1.345)
    return np.asarray(residual / scale)


CHECK = Check(NAME, (N_PARAMS, N_TOKENS, LOSS), run)
