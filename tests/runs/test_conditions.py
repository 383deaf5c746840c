"""Conditions of --where."""

from __future__ import annotations

import pandas as pd
import pytest

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.table import RunsTable, read_runs


@pytest.fixture
def runs() -> RunsTable:
    return read_runs(
        pd.DataFrame(
            {
                "params": ["70M", "160M", "1B", "1.5B"],
                "tokens": [2e9, 4e9, 2e10, 3e10],
                "loss": [3.5, 3.2, 2.8, 2.7],
                "loss_kind": ["c4", "c4", "rock and roll", "a=b"],
                "epochs": [1, 5, None, 1],
            }
        ),
        name="four",
    )


@pytest.mark.parametrize(
    ("expression", "losses"),
    [
        ("loss_kind=c4", [3.5, 3.2]),
        ("loss_kind == 'c4'", [3.5, 3.2]),
        ("loss_kind!=c4", [2.8, 2.7]),
        ("n_params>160M", [2.8, 2.7]),
        ("params >= 1.6e8", [3.2, 2.8, 2.7]),
        ("n_params<=1,000,000,000", [3.5, 3.2, 2.8]),
        ("N<1B and D>2e9", [3.2]),
        ("loss_kind=rock and roll", [2.8]),
        ("loss_kind=rock and roll and loss<3", [2.8]),
        ("loss_kind=a=b", [2.7]),
        (["loss_kind=c4", "loss<3.3"], [3.2]),
        ("epochs<=4", [3.5, 2.7]),
        ("epochs!=5", [3.5, 2.7]),
        ("epochs=1 AND loss>3", [3.5]),
    ],
)
def test_conditions(runs: RunsTable, expression: str, losses: list[float]) -> None:
    assert runs.where(expression).numbers("loss").tolist() == losses


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("loss_kind=c5", "no row has loss_kind = 'c5'.*Known: a=b, c4"),
        ("loss_kind!=c5", "no row has loss_kind = 'c5'"),
        ("loss=3.3", "no row has loss = 3.3.*Values present: 2.7, 2.8, 3.2, 3.5"),
        ("loss!=3.3", "no row has loss = 3.3"),
        ("loss>9", "no row has loss > 9"),
        ("loss<2", "no row has loss < 2"),
        ("loss=low", "loss holds numbers, and 'low' is not one"),
        ("loss_kind<c5", "loss_kind holds text, which '<' does not compare"),
        ("loss_kind", "condition 'loss_kind' is not of the form column=value"),
        ("", "condition '' is not of the form"),
        ("__import__('os').system('x')", 'condition "__import__.* is not of the form'),
        ("loss_kind=c4 and loss<3", "no row of 4 meets 'loss_kind=c4 and loss<3'"),
    ],
)
def test_what_matches_nothing_is_refused(runs: RunsTable, expression: str, message: str) -> None:
    with pytest.raises(RunsTableError, match=message):
        runs.where(expression)


def test_an_unknown_column_names_the_nearest(runs: RunsTable) -> None:
    with pytest.raises(UnknownNameError, match=r'"four": unknown column .los.*Did you mean .loss.'):
        runs.where("los=3")


def test_many_values_are_given_as_a_range() -> None:
    runs = read_runs(pd.DataFrame({"loss": [i / 10 for i in range(20, 40)]}))
    with pytest.raises(RunsTableError, match=r"no row has loss = 9.*20 between 2 and 3.9"):
        runs.where("loss=9")


def test_rows_left_out_may_hold_anything() -> None:
    frame = pd.DataFrame({"n_tokens": ["0", "oops", "2e9"], "loss": [3.0, None, 2.0]})
    assert read_runs(frame, where="n_tokens>0").numbers("loss").tolist() == [2.0]
