"""Checkpoints from the middle of a schedule."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from bayescale.runs.lint import Finding, lint
from bayescale.runs.table import read_runs

Check = Callable[..., Finding]


@pytest.mark.parametrize(
    ("column", "usual", "odd"),
    [("is_final", 1, 0), ("finished", 1, 0), ("diverged", 0, 1), ("portion_elapsed", 1.0, 0.4)],
)
def test_flags(check: Check, frame: pd.DataFrame, column: str, usual: float, odd: float) -> None:
    values = [usual] * len(frame)
    assert check("annealing", **{column: values}).level == "PASS"
    values[5] = odd
    finding = check("annealing", **{column: values})
    assert (finding.level, finding.rows) == ("REVIEW", (5,))
    assert f"where='{column}={usual:g}'" in finding.recommendation


def test_rows_of_one_run_with_growing_tokens(check: Check, frame: pd.DataFrame) -> None:
    finding = check("annealing", run_id=frame["n_params"].astype(str))
    assert finding.level == "REVIEW"
    assert finding.rows == tuple(row for row in range(30) if row % 6 != 5)


def test_decay_branches_of_a_trunk_are_fine(check: Check, frame: pd.DataFrame) -> None:
    trunk = frame["n_params"].astype(str)
    assert check("annealing", trunk=trunk).level == "REVIEW"
    assert check("annealing", trunk=trunk, status="finished").level == "PASS"
    assert check("annealing", run_id=trunk, trunk=trunk, status="finished").level == "PASS"
    own = [f"branch{i}" for i in range(len(frame))]
    assert check("annealing", run_id=own, trunk=trunk).level == "PASS"


def test_without_a_run_id_nothing_is_claimed(check: Check) -> None:
    assert check("annealing").message.startswith("Not checked: no run_id")


def test_steps_serve_where_tokens_are_not_given() -> None:
    runs = read_runs(
        pd.DataFrame({"run_id": ["a", "a", "b"], "step": [1, 2, 2], "loss": [3, 2, 2]})
    )
    finding = next(finding for finding in lint(runs) if finding.check == "annealing")
    assert (finding.level, finding.rows) == ("REVIEW", (0,))
