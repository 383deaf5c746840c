"""What a fit would refuse."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_it_says_what_a_fit_would_say(check: Check, frame: pd.DataFrame) -> None:
    finding = check("mixed_groups", dataset=["c4"] * 20 + ["pile"] * 10)
    assert finding.level == "FAIL"
    assert "2 values of dataset, c4 (20 rows), pile (10 rows)" in finding.message
    assert "--group dataset" in finding.recommendation
