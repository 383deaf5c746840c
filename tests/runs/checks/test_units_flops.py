"""Compute in PF-days, in a prefixed unit, as a rate."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def six(frame: pd.DataFrame) -> pd.Series:
    return 6 * frame["n_params"] * frame["n_tokens"]


@pytest.mark.parametrize(
    ("unit", "name"),
    [(8.64e19, "PF-days"), (1e21, "zettaFLOPs"), (1e18, "exa"), (1e9, "giga")],
)
def test_a_unit_is_recognised(check: Check, frame: pd.DataFrame, unit: float, name: str) -> None:
    finding = check("units_flops", compute=1.2 * six(frame) / unit)
    assert finding.level == "FAIL"
    assert f"it looks like {name}" in finding.message
    assert f"frame.assign(flops={unit:g} * frame['flops'])" in finding.recommendation


def test_a_rate_is_recognised(check: Check, frame: pd.DataFrame) -> None:
    finding = check("units_flops", flops=[3.1e14 + i for i in range(len(frame))])
    assert finding.level == "FAIL"
    assert "a rate (FLOP/s), not a count" in finding.message


def test_an_unexplained_factor_is_for_review(check: Check, frame: pd.DataFrame) -> None:
    finding = check("units_flops", flops=100 * six(frame))
    assert finding.level == "REVIEW"
    assert finding.message.startswith("flops is 100 times 6 N D in the median")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n_tokens": 1e-3}, "1000 times too small"),
        ({"n_params": 1e-3}, "1000 times too small"),
        ({"n_params": 1e-6, "n_tokens": 1e-9}, r"1e\+15 times too small"),
        ({"n_tokens": 1e3}, "1000 times too large"),
    ],
)
def test_counts_that_disagree_with_compute_by_thousands_fail(
    check: Check, frame: pd.DataFrame, columns: dict[str, float], message: str
) -> None:
    wrong = {name: factor * frame[name] for name, factor in columns.items()}
    finding = check("units_flops", flops=1.1 * six(frame), **wrong)
    assert finding.level == "FAIL"
    assert re.search(message, finding.message)
    assert "read_runs(frame.assign(n_tokens=" in finding.recommendation


def test_single_rows_are_listed(check: Check, frame: pd.DataFrame) -> None:
    flops = six(frame)
    flops[[3, 7]] *= 50
    finding = check("units_flops", flops=flops)
    assert (finding.level, finding.rows) == ("REVIEW", (3, 7))


def test_other_conventions_pass(check: Check, frame: pd.DataFrame) -> None:
    assert check("units_flops", flops=1.4 * six(frame)).level == "PASS"
    routed = check("units_flops", n_params_active=frame["n_params"] / 64, flops=six(frame) / 64)
    assert routed.message == "flops is 1 times 6 N D in the median."
