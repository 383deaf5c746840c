"""Runs with fewer tokens than parameters."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_rows_are_listed(check: Check, frame: pd.DataFrame) -> None:
    tokens = frame["n_tokens"].copy()
    tokens[[0, 9]] = [5e7, 1e8]
    finding = check("tokens_per_parameter", n_tokens=tokens)
    assert (finding.level, finding.rows) == ("FAIL", (0, 9))
    assert "down to 0.5) in 2 rows (0, 9)" in finding.message
    assert "runs.usable()" in finding.recommendation


def test_one_token_per_parameter_is_enough(check: Check, frame: pd.DataFrame) -> None:
    assert check("tokens_per_parameter", n_tokens=frame["n_params"]).level == "PASS"
