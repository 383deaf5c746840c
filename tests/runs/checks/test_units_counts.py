"""Parameters in millions, tokens in billions."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


@pytest.mark.parametrize(
    ("column", "unit", "message"),
    [
        ("n_params", 1e6, "n_params goes from 100 to 1600, far too few"),
        ("n_params", 1e9, "n_params goes from 0.1 to 1.6, far too few"),
        ("n_tokens", 1e9, "n_tokens goes from 4 to 128, far too few"),
        ("n_tokens", 1e6, "n_tokens goes from 4000 to 1.28e+05: the median D/N is 6e-05"),
        ("n_params", 1e4, "n_params goes from 1e+04 to 1.6e+05: the median D/N is 6e+05"),
    ],
)
def test_a_count_in_another_unit(
    check: Check, frame: pd.DataFrame, column: str, unit: float, message: str
) -> None:
    finding = check("units_counts", **{column: frame[column] / unit})
    assert finding.level == "FAIL"
    assert finding.message.startswith(message)
    assert f"read_runs(frame.assign({column}=1e6 * frame['{column}']))" in finding.recommendation


@pytest.mark.parametrize(
    ("column", "factor", "asked"),
    [
        ("n_tokens", 1e3, "Is n_params in thousands or millions"),
        ("n_params", 1e-3, "Is n_params in thousands or millions"),
        ("n_tokens", 1e-3, "Is n_tokens in thousands or millions"),
        ("n_params", 1e3, "Is n_tokens in thousands or millions"),
    ],
)
def test_a_thousand_times_too_many_tokens_a_parameter_is_for_review(
    check: Check, frame: pd.DataFrame, column: str, factor: float, asked: str
) -> None:
    finding = check("units_counts", **{column: factor * frame[column]})
    assert finding.level == "REVIEW"
    assert asked in finding.message
    assert "1e3 * frame['n_" in finding.recommendation


def test_tiny_networks_are_fine(check: Check, frame: pd.DataFrame) -> None:
    finding = check(
        "units_counts", n_params=frame["n_params"] / 3e3, n_tokens=frame["n_tokens"] / 3e3
    )
    assert finding.level == "PASS"
