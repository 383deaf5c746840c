"""Runs on one ray."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


@pytest.mark.parametrize(
    ("power", "message"),
    [(1.0, "D grows as N^1.00, D/N near 20"), (0.5, "D grows as N^0.50"), (0.02, "D stays near")],
)
def test_runs_on_a_line(check: Check, frame: pd.DataFrame, power: float, message: str) -> None:
    tokens = 20 * 4e8 * (frame["n_params"] / 4e8) ** power
    finding = check("fixed_ratio", n_tokens=tokens)
    assert (finding.level, len(finding.rows)) == ("REVIEW", 30)
    assert message in finding.message
    assert "prior's word" in finding.recommendation


def test_each_group_is_looked_at(check: Check, frame: pd.DataFrame) -> None:
    first = frame["n_params"] < 5e8
    tokens = frame["n_tokens"].where(~first, 20 * frame["n_params"])
    finding = check("fixed_ratio", n_tokens=tokens, dataset=first.map({True: "a", False: "b"}))
    assert finding.rows == tuple(range(18))
    assert "dataset=a: D grows as N^1.00" in finding.message
