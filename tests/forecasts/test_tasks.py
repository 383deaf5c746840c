"""The protocol: what is fitted, what is predicted, and into which bin it falls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescale import read_runs
from bayescale.errors import ForecastError, RunsTableError
from bayescale.forecasts.tasks import BINS, FACTORS, Rules, make_tasks


def table(n_params, n_tokens, **columns):
    frame = pd.DataFrame({"n_params": n_params, "n_tokens": n_tokens, **columns})
    return read_runs(frame.assign(loss=3.0), name="made")


@pytest.fixture
def ladder():
    """Forty runs over five decades of compute, D/N between 10 and 40."""
    n_params = np.geomspace(1e7, 4e9, 40)
    return table(n_params, n_params * np.tile([10.0, 20.0, 40.0, 15.0], 10))


def test_factors_and_bins_are_the_protocol():
    assert FACTORS == (3, 10, 30, 100, 300, 1000, 3000)
    edges = [edge for low_high in BINS.values() for edge in low_high]
    assert edges == [1.5, 5.5, 5.5, 17, 17, 55, 55, 170, 170, 550]
    assert list(BINS) == ["3x", "10x", "30x", "100x", "300x"]


@pytest.mark.parametrize("factor", FACTORS)
def test_runs_are_split_by_compute_alone(ladder, factor):
    tasks = {task.factor: task for task in make_tasks(ladder)}
    if factor not in tasks:
        pytest.skip("this table has no such task")
    task, compute = tasks[factor], ladder.compute_6nd
    edge = compute.max() / factor
    assert np.array_equal(np.sort(task.train.compute_6nd), np.sort(compute[compute <= edge]))
    top = task.train.compute_6nd.max()
    ratio = compute / top
    expected = np.sort(ratio[(ratio > 1.5) & (ratio < 550)])
    assert np.allclose(np.sort(task.test.compute_6nd / top), expected)
    for value, cell in zip(task.test.compute_6nd / top, task.cells, strict=True):
        low, high = BINS[cell]
        assert low <= value < high


def test_the_split_does_not_depend_on_the_loss(ladder):
    other = read_runs(ladder.frame.assign(loss=np.linspace(9.0, 1.0, 40)), name="made")
    for one, two in zip(make_tasks(ladder), make_tasks(other), strict=True):
        assert np.array_equal(one.train.numbers("n_params"), two.train.numbers("n_params"))
        assert np.array_equal(one.cells, two.cells)


def test_compute_is_6nd_whatever_the_flops_column_says(ladder):
    counted = read_runs(ladder.frame.assign(flops=np.linspace(9e20, 1e20, 40)), name="made")
    assert [len(t.train) for t in make_tasks(counted)] == [len(t.train) for t in make_tasks(ladder)]


def test_bins_hold_their_lower_edge_and_not_their_upper_one():
    n_params = [1e8] * 12 + [1e8, 1e8, 2e8, 4e8]
    n_tokens = [*np.geomspace(1e9, 1e10, 12), 1.5e10, 5.5e10, 1.7e11, 5.5e11 / 4]
    sizes = Rules(min_sizes=1)
    (task,) = make_tasks(table(n_params, n_tokens), factors=[40], rules=sizes)
    ratios = task.test.compute_6nd / task.train.compute_6nd.max()
    assert np.allclose(sorted(ratios), [5.5, 34, 55])  # 1.5 itself is not predicted
    assert sorted(task.cells) == ["100x", "10x", "30x"]


def test_too_short_runs_are_neither_fitted_nor_predicted(ladder):
    frame = ladder.frame
    short = frame.assign(n_tokens=0.5 * frame["n_params"])
    both = read_runs(pd.concat([frame, short], ignore_index=True), name="made")
    for one, two in zip(make_tasks(ladder), make_tasks(both), strict=True):
        assert len(one.train) == len(two.train)
        assert len(one.test) == len(two.test)


def test_unfinished_runs_are_left_out(ladder):
    frame = ladder.frame.assign(status="finished")
    frame.loc[ladder.compute_6nd.argmax(), "status"] = "diverged"
    runs = read_runs(frame, name="made")
    assert make_tasks(runs)[0].test.compute_6nd.max() < ladder.compute_6nd.max()


def test_equal_splits_count_once():
    n_params = np.concatenate([np.geomspace(1e7, 1e8, 12), [3e9]])
    tasks = make_tasks(table(n_params, 20 * n_params * np.tile([1, 2, 3], 5)[:13]))
    sizes = [len(task.train) for task in tasks]
    assert len(set(sizes)) == len(sizes)
    assert tasks[0].factor == 3


LACKS = {
    "too few runs": (np.geomspace(1e7, 1e9, 9), 20.0, "6 runs, fewer than 10"),
    "one size": (np.full(20, 1e8), np.geomspace(1, 300, 20), "1 distinct n_params, fewer than 3"),
    "two lengths": (np.geomspace(1e7, 1e9, 30), None, "2 distinct n_tokens, fewer than 3"),
}


@pytest.mark.parametrize("case", LACKS)
def test_a_table_without_a_task_says_what_it_lacks(case):
    n_params, ratio, message = LACKS[case]
    n_tokens = np.tile([2e10, 4e10], 15) if ratio is None else n_params * ratio
    with pytest.raises(ForecastError, match=message):
        make_tasks(table(n_params, n_tokens), factors=[10])


def test_too_narrow_a_span_is_no_task():
    n_params = np.concatenate([np.geomspace(1e8, 1.2e8, 20), [1e9]])
    with pytest.raises(ForecastError, match=r"0\.\d\d decades of compute, fewer than 0\.45"):
        make_tasks(table(n_params, 20 * n_params * np.tile([1.0, 1.1, 1.2], 7)))


def test_rules_may_be_loosened():
    n_params = np.geomspace(1e8, 1e11, 8)
    tasks = make_tasks(table(n_params, 3e11 + n_params * 1e-6), rules=Rules(min_runs=4))
    assert min(len(task.train) for task in tasks) == 4


def test_a_factor_must_be_above_one(ladder):
    with pytest.raises(RunsTableError, match=r"factor is 0\.5"):
        make_tasks(ladder, factors=[0.5])
