"""Too few runs, or all at one N or one D."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_one_size(check: Check) -> None:
    finding = check("enough_runs", n_params=1e8)
    assert (finding.level, finding.message) == ("FAIL", "all 30 runs have n_params 1e+08.")


def test_one_token_count(check: Check) -> None:
    assert "all 30 runs have n_tokens 1e+10" in check("enough_runs", n_tokens=1e10).message


def test_two_sizes(check: Check, frame: pd.DataFrame) -> None:
    finding = check("enough_runs", n_params=[1e8, 2e8] * 15)
    assert finding.level == "REVIEW"
    assert finding.message == "2 distinct n_params and 6 distinct n_tokens."


def test_a_small_group_beside_a_large_one(check: Check, frame: pd.DataFrame) -> None:
    finding = check("enough_runs", ("dataset",), dataset=["a"] * 28 + ["b"] * 2)
    assert (finding.level, finding.rows) == ("REVIEW", (28, 29))
    assert finding.message == "dataset=b: 2 usable runs."


def test_rows_a_fit_leaves_out_do_not_count(check: Check, frame: pd.DataFrame) -> None:
    status = ["finished"] * 4 + ["diverged"] * 26
    finding = check("enough_runs", status=status, n_params=[1e8, 2e8, 4e8, 8e8] + [1e9] * 26)
    assert finding.message == "4 usable runs, fewer than 10."
