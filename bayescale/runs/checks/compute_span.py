"""Too narrow a range of compute to extrapolate from."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, listed, positions
from bayescale.runs.schema import N_PARAMS, N_TOKENS

NAME = "compute_span"
DECADES = 0.45
"""Below this the backtests leave a table out: a slope cannot be told from noise."""


def run(subject: Subject) -> Finding:
    """Measure the decades of 6 N D in each cell."""
    runs = subject.runs
    found = [cell for cell in subject.fitted_cells if cell.rows.size]
    spans = [float(np.ptp(np.log10(runs.compute_6nd[cell.rows]))) for cell in found]
    narrow = [(cell, span) for cell, span in zip(found, spans, strict=True) if span < DECADES]
    if not narrow:
        shortest = f"{min(spans):.2f} decades of 6 N D or more" if spans else "No usable run"
        return Finding(NAME, "PASS", f"{shortest} in each group.")
    return Finding(
        NAME,
        "REVIEW",
        f"{listed([c.named(f'{span:.2f} decades of 6 N D') for c, span in narrow])}, "
        f"expected at least {DECADES}.",
        "Add smaller runs: they are cheap and widen the lever (bayescale next-run).",
        positions(np.concatenate([cell.rows for cell, _ in narrow])),
    )


CHECK = Check(NAME, (N_PARAMS, N_TOKENS), run)
