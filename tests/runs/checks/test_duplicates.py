"""The same measurement twice."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_a_repeated_row_is_listed(check: Check, frame: pd.DataFrame) -> None:
    changed = frame.copy()
    changed.loc[[4, 9], ["n_params", "n_tokens", "loss"]] = frame.loc[
        2, ["n_params", "n_tokens", "loss"]
    ].to_list()
    finding = check("duplicates", **changed)
    assert (finding.level, finding.rows) == ("REVIEW", (4, 9))


def test_a_repeat_with_another_loss_is_a_repeat(check: Check, frame: pd.DataFrame) -> None:
    assert check("duplicates", n_tokens=1e10, n_params=1e8).level == "PASS"


def test_other_groups_do_not_count(check: Check, frame: pd.DataFrame) -> None:
    same = {"n_params": 1e8, "n_tokens": 1e10, "loss": 3.0}
    finding = check("duplicates", **same, dataset=[f"corpus{i}" for i in range(len(frame))])
    assert finding.level == "PASS"


def test_several_tasks_per_run_are_named(check: Check, frame: pd.DataFrame) -> None:
    tasks = ["arc", "piqa"] * (len(frame) // 2)
    finding = check("duplicates", n_params=1e8, n_tokens=1e10, loss=3.0, downstream_task=tasks)
    assert "where='downstream_task=arc'" in finding.recommendation
