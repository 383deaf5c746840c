"""Many passes over the same tokens."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_epochs(check: Check, frame: pd.DataFrame) -> None:
    finding = check("repeated_data", epochs=[1.0] * 28 + [5.0, 40.0])
    assert (finding.level, finding.rows) == ("REVIEW", (28, 29))
    assert "up to 40" in finding.message
    assert "where='epochs<=4'" in finding.recommendation


def test_distinct_tokens(check: Check, frame: pd.DataFrame) -> None:
    finding = check("repeated_data", n_tokens_unique=1.6e10)
    assert (finding.level, finding.rows[:2]) == ("REVIEW", (5, 11))
    assert "up to 8)" in finding.message
    assert check("repeated_data", n_tokens_unique=frame["n_tokens"] / 4).level == "PASS"
