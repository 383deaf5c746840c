"""Too narrow a range of compute."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_a_narrow_table(check: Check, frame: pd.DataFrame) -> None:
    tokens = 1e19 / frame["n_params"] * [1.0 + i / 30 for i in range(30)]
    finding = check("compute_span", n_tokens=tokens)
    assert (finding.level, len(finding.rows)) == ("REVIEW", 30)
    assert finding.message == "0.29 decades of 6 N D, expected at least 0.45."
