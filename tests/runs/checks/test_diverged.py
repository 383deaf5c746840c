"""Runs that diverged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]
LAST_TWO = ["finished"] * 28 + ["diverged"] * 2


def test_they_are_counted_beside_the_rates_that_held(check: Check) -> None:
    rates = [0.01] * 27 + [0.03, 0.05, 0.1]
    finding = check("diverged", status=LAST_TWO, learning_rate=rates)
    assert (finding.level, finding.rows) == ("REVIEW", (28, 29))
    assert "2 of 30 runs diverged (6.7%)" in finding.message
    assert "at learning rates from 0.05, others finished at up to 0.03" in finding.message


def test_without_rates_they_are_only_counted(check: Check) -> None:
    assert "rates" not in check("diverged", status=LAST_TWO).message
    assert check("diverged", status=["finished"] * 30).level == "PASS"
    assert (
        "others"
        not in check("diverged", status=["diverged"] * 30, learning_rate=np.full(30, 0.1)).message
    )
