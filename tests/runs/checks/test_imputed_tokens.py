"""Tokens computed from compute."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_tokens_from_budgets(check: Check, frame: pd.DataFrame) -> None:
    n = frame["n_params"] * 1.0371 + [13.0 * i for i in range(len(frame))]
    flops = pd.Series([3e18, 1e19, 3e19, 1e20, 3e20, 1e21] * 5)
    finding = check("imputed_tokens", n_params=n, n_tokens=(flops / 6 / n).round(), flops=flops)
    assert finding.level == "REVIEW"
    assert "flops takes 6 distinct values" in finding.message
    assert "columns={'n_tokens': 'your column'}" in finding.recommendation


def test_compute_from_counted_tokens(check: Check, frame: pd.DataFrame) -> None:
    flops = 6 * frame["n_params"] * frame["n_tokens"]
    assert check("imputed_tokens", flops=flops).message == "6 N D equals flops in 100% of the rows."


def test_tokens_planned_as_a_multiple_of_n(check: Check, frame: pd.DataFrame) -> None:
    n = frame["n_params"] + 7
    assert check("imputed_tokens", n_params=n, n_tokens=20 * n, flops=120 * n * n).level == "PASS"


def test_compute_counted_apart(check: Check, frame: pd.DataFrame) -> None:
    flops = 6.3 * frame["n_params"] * frame["n_tokens"]
    assert check("imputed_tokens", n_tokens=frame["n_tokens"] + 1, flops=flops).level == "PASS"
