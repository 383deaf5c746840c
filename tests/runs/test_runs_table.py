"""The table itself: immutable, cut, grouped."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.table import RunsTable, read_runs


def table(**columns: object) -> RunsTable:
    return read_runs(pd.DataFrame(columns), name="small")


def ladder() -> RunsTable:
    """Return runs of 6 N D = 6e18, 6e19, 6e20, 6e21."""
    return table(N=[1e8, 1e9, 1e10, 1e10], D=[1e10, 1e10, 1e10, 1e11], loss=[4.0, 3.0, 2.5, 2.0])


def test_one_line(runs: RunsTable) -> None:
    assert repr(runs) == 'RunsTable("clean": 30 rows, 6ND 2.4e+18 to 1.23e+21 FLOPs)'
    two = table(N=[1.0, 2.0], D=[3.0, 4.0], dataset=["a", "b"])
    assert repr(two) == 'RunsTable("small": 2 rows, 6ND 18 to 48 FLOPs, 2 values of dataset)'
    assert repr(table(loss=[1.0])) == 'RunsTable("small": 1 rows)'


def test_arrays_are_read_only_and_frames_are_copies(runs: RunsTable) -> None:
    with pytest.raises(ValueError, match="read-only"):
        runs.numbers("loss")[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        runs.labels("dataset")[0] = "x"
    frame = runs.frame
    frame["loss"] = 0.0
    assert runs.numbers("loss").min() > 1


def test_it_travels_between_processes(runs: RunsTable) -> None:
    assert pickle.loads(pickle.dumps(runs)).fingerprint == runs.fingerprint


def test_numbers_and_labels(runs: RunsTable) -> None:
    assert runs.numbers("n_params").dtype == np.float64
    assert runs.labels("n_params")[0] == "100000000"
    with pytest.raises(RunsTableError, match="column dataset holds text such as 'c4'"):
        runs.numbers("dataset")
    with pytest.raises(RunsTableError, match=r"no column los.*Did you mean 'loss'"):
        runs.labels("los")


def test_require(runs: RunsTable) -> None:
    runs.require("n_params", "loss")
    with pytest.raises(RunsTableError, match=r"no column n_token\..*'n_tokens'.*columns=\{'n_tok"):
        runs.require("loss", "n_token")
    with pytest.raises(RunsTableError, match="column loss has no value in 2 rows"):
        table(loss=[None, None]).require("loss")
    with pytest.raises(RunsTableError, match="column loss has no value in 0 rows"):
        runs.select(np.zeros(30, dtype=bool)).require("loss")


def test_6nd_does_not_overflow() -> None:
    big = table(N=np.array([2**40], dtype=np.int64), D=np.array([2**60], dtype=np.int64))
    assert big.compute_6nd.tolist() == [6.0 * 2.0**100]


def test_6nd_needs_both(runs: RunsTable) -> None:
    with pytest.raises(RunsTableError, match="no column n_tokens"):
        _ = table(N=[1.0], loss=[2.0]).compute_6nd


@pytest.mark.parametrize("mask", [[True], [1, 0, 1, 0], np.ones((4, 1), dtype=bool)])
def test_a_mask_is_one_boolean_a_row(mask: object) -> None:
    with pytest.raises(RunsTableError, match="expected one boolean for each of 4 rows"):
        ladder().select(mask)  # type: ignore[arg-type]


def test_groups_are_sorted_and_keyed_by_text() -> None:
    runs = table(loss=[1.0, 2.0, 3.0], dataset=["b", "a", "b"], context_length=[8192, 2048, 8192])
    groups = runs.groups(["dataset", "context_length"])
    assert list(groups) == [("a", "2048"), ("b", "8192")]
    assert groups["b", "8192"].numbers("loss").tolist() == [1.0, 3.0]
    assert list(runs.groups([])) == [()]
    assert list(runs.groups(["corpus"])) == [("a",), ("b",)]
    with pytest.raises(UnknownNameError, match=r"column 'data_set'.*Did you mean 'dataset'"):
        runs.groups(["data_set"])


def test_split_by_compute() -> None:
    small, large = ladder().split_by_compute(6e19)
    assert (len(small), len(large)) == (2, 2)
    assert small.compute_6nd.max() == 6e19


def test_hide_largest() -> None:
    fitted, hidden = ladder().hide_largest(10)
    assert fitted.compute_6nd.tolist() == [6e18, 6e19, 6e20]
    assert hidden.compute_6nd.tolist() == [6e21]
    near = table(N=[1e9] * 4, D=[1e10, 1.4e10, 1.6e10, 2e10], loss=[4.0, 3.0, 2.0, 1.0])
    fitted, hidden = near.hide_largest(2)
    assert fitted.numbers("loss").tolist() == [4.0]
    assert hidden.numbers("loss").tolist() == [2.0, 1.0]


def test_hiding_too_much_leaves_nothing_on_either_side() -> None:
    fitted, hidden = ladder().hide_largest(1e9)
    assert (len(fitted), len(hidden)) == (0, 0)
    assert [len(part) for part in fitted.hide_largest(3)] == [0, 0]


@pytest.mark.parametrize("factor", [1, 0.5, -3, float("nan")])
def test_a_factor_is_above_one(factor: float) -> None:
    with pytest.raises(RunsTableError, match=f"factor is {factor}, expected a number above 1"):
        ladder().hide_largest(factor)


def test_usable_says_what_it_leaves_out() -> None:
    runs = table(
        N=[1e9, 1e9, 1e9, 1e9],
        D=[2e10, 5e8, 2e10, 1e8],
        loss=[3.0, 5.0, 9.0, 9.5],
        status=["finished", "Finished", "diverged", "diverged"],
    )
    kept, said = runs.usable()
    assert kept.numbers("loss").tolist() == [3.0]
    assert said == (
        "small: left out 2 rows (2, 3), because status is diverged.",
        "small: left out 1 row (1), because D/N < 1.",
    )
    assert kept.usable()[1] == ()


def test_mixed_groups_are_refused_with_both_ways_out() -> None:
    runs = table(loss=[1.0, 2.0, 3.0], dataset=["c4", "c4", "pile"], arch=["tnl", "llama", "tnl"])
    with pytest.raises(RunsTableError, match="2 values of dataset") as caught:
        runs.check_groups([])
    message = str(caught.value)
    assert "one group would hold 2 values of dataset, c4 (2 rows), pile (1 rows)" in message
    assert "2 values of architecture, tnl (2 rows), llama (1 rows)" in message
    assert "--group dataset,architecture (group=('dataset', 'architecture'))" in message
    assert "where='dataset=c4 and architecture=tnl'" in message
    with pytest.raises(RunsTableError, match="the group dataset=c4 would hold 2 values of arch"):
        runs.check_groups(["dataset"])
    runs.check_groups(["dataset", "architecture"])
    runs.where("dataset=pile").check_groups([])


@pytest.mark.parametrize("column", ["dataset", "architecture", "loss_kind", "tokenizer"])
def test_each_separating_column_counts(column: str) -> None:
    runs = read_runs(pd.DataFrame({"loss": [1.0, 2.0], column: ["one", "two"]}))
    with pytest.raises(RunsTableError, match=f"2 values of {column}, one .1 rows., two"):
        runs.check_groups([])


def test_the_fingerprint_is_of_the_content() -> None:
    base = table(loss=[1.0, 2.0], dataset=["a", "b"])
    same = read_runs(pd.DataFrame({"dataset": ["a", "b"], "loss": [1.0, 2.0]}), name="other")
    assert base.fingerprint == same.fingerprint
    others = [
        table(loss=[2.0, 1.0], dataset=["b", "a"]),
        table(loss=[1.0, 2.0], dataset=["a", "c"]),
        table(loss=[1.0, 2.0], dataset=["ab", ""]),
        table(loss=[1.0, 2.0], tokenizer=["a", "b"]),
        table(loss=[1.0, np.nextafter(2.0, 3.0)], dataset=["a", "b"]),
    ]
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 6
    assert len(base.fingerprint) == 64


def test_the_way_out_of_labels_that_do_not_separate_works() -> None:
    frame = pd.DataFrame(
        {
            "n_params": [1e8, 2e8],
            "n_tokens": [2e9, 4e9],
            "loss": [3.0, 2.9],
            "architecture": ["d=512", "d=576"],
        }
    )
    with pytest.raises(RunsTableError, match=r"columns=\{'label': 'architecture'\}"):
        read_runs(frame).check_groups(())
    renamed = read_runs(frame, columns={"label": "architecture"})
    renamed.check_groups(())
    assert renamed.labels("label").tolist() == ["d=512", "d=576"]
