"""Losses far off a smooth surface."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_one_bad_loss_is_found_on_a_curved_surface(check: Check, frame: pd.DataFrame) -> None:
    loss = frame["loss"].copy()
    loss[17] *= 1.05
    finding = check("outliers", loss=loss)
    assert (finding.level, finding.rows) == ("REVIEW", (17,))
    assert f"the worst is row 17 with loss {loss[17]:.5g} (+" in finding.message


def test_several_bad_losses_do_not_hide_each_other(check: Check, frame: pd.DataFrame) -> None:
    loss = frame["loss"].copy()
    loss[[3, 14, 22]] *= [1.3, 0.8, 1.2]
    assert check("outliers", loss=loss).rows == (3, 14, 22)


def test_noise_raises_no_alarm(check: Check, frame: pd.DataFrame) -> None:
    alarms = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, 0.02, len(frame))
        alarms += check("outliers", loss=frame["loss"] * np.exp(noise)).level != "PASS"
    assert alarms <= 1


def test_few_runs_are_left_alone(check: Check, frame: pd.DataFrame) -> None:
    status = ["finished"] * 14 + ["killed"] * 16
    assert check("outliers", loss=[3.0] * 13 + [9.0] * 17, status=status).level == "PASS"
