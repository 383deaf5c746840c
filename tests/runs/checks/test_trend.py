"""Loss that rises with compute."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_a_score_is_recognised(check: Check, frame: pd.DataFrame) -> None:
    finding = check("trend", loss=5 - frame["loss"])
    assert finding.level == "FAIL"
    assert "rank correlation of loss and compute is +0.9" in finding.message
    assert "columns={'loss': 'your column'}" in finding.recommendation


def test_one_loss_for_all_is_no_loss(check: Check) -> None:
    finding = check("trend", loss=2.5)
    assert finding.level == "FAIL"
    assert "losses are 2.5: loss does not fall with compute" in finding.message


def test_one_point_repeated_has_no_trend(check: Check) -> None:
    assert check("trend", n_params=1e8, n_tokens=1e10).level == "PASS"
