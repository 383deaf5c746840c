"""Curves and schedules: read, checked, cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.curves import Curve, read_curves
from bayescale.runs.schedule import Schedule, logged
from tests.simulated_curves import PEAK, STEPS, WARMUP, scheduled_frame


def _frame() -> pd.DataFrame:
    rows = {"run": ["b", "a", "a", "b"], "step": [200, 200, 100, 100], "loss": [2.0, 3.0, 4.0, 5.0]}
    return pd.DataFrame({**rows, "size": ["s", "s", "s", "s"]})


def test_points_stand_in_the_order_of_their_steps():
    curves = read_curves(_frame())
    assert [curve.run for curve in curves] == ["b", "a"] or len(curves) == 2
    assert curves["a"].output.tolist() == [4.0, 3.0]
    assert curves["b"].group == ("b",)
    assert "loss along step, 2 runs, 4 points" in repr(curves)


def test_runs_of_a_group_stand_together():
    assert set(read_curves(_frame(), group="size").groups()) == {("s",)}


def test_an_unknown_run_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown run 'c'.*Known: a, b"):
        read_curves(_frame())["c"]


def test_a_run_in_two_groups_is_refused():
    frame = _frame().assign(size=["s", "s", "t", "s"])
    with pytest.raises(RunsTableError, match="run 'a' lies in 2 groups of size"):
        read_curves(frame, group="size")


def test_a_missing_column_is_named():
    with pytest.raises(RunsTableError, match="learning_rate"):
        read_curves(_frame(), rate="learning_rate")


def test_a_rate_may_end_at_zero():
    frame = _frame().assign(learning_rate=[0.0, 0.0, 1e-3, 1e-3])
    assert read_curves(frame, rate="learning_rate")["a"].schedule.rates[-1] == 0.0
    with pytest.raises(RunsTableError, match=r"learning_rate .* not finite and zero or above"):
        read_curves(frame.assign(learning_rate=-1.0), rate="learning_rate")


@pytest.mark.parametrize(
    ("at", "output", "said"),
    [
        ([1.0, 2.0], [1.0, -1.0], "output holds -1 at point 1"),
        ([1.0, 0.0], [1.0, 1.0], "at holds 0 at point 1"),
        ([2.0, 1.0], [1.0, 1.0], "never falling"),
        ([], [], "at holds none"),
    ],
)
def test_a_curve_of_wrong_numbers_is_refused(at: list[float], output: list[float], said: str):
    with pytest.raises(RunsTableError, match=said):
        Curve(run="r", at=np.array(at), output=np.array(output))


def test_a_cut_before_the_first_point_is_refused():
    curve = Curve(run="r", at=np.array([5.0, 6.0]), output=np.ones(2))
    assert len(curve.until(5.5)) == 1
    with pytest.raises(RunsTableError, match="no point up to 4; the first is at 5"):
        curve.until(4.0)


def test_the_area_is_the_sum_of_rates():
    schedule = Schedule(np.array([0.0, 10.0, 30.0]), np.array([1.0, 2.0, 0.5]))
    rate = np.repeat([1.0, 2.0, 0.5], [10, 20, 20])
    at = np.array([0, 5, 10, 25, 40])
    np.testing.assert_allclose(schedule.area(at), np.concatenate([[0], np.cumsum(rate)])[at])
    assert schedule.peaks_at == 10.0


@pytest.mark.parametrize("name", ["cosine", "wsd"])
def test_a_logged_decay_has_the_area_of_the_decay(name: str):
    frame = scheduled_frame((name,))
    read = read_curves(frame, rate="learning_rate", warmup=WARMUP)[name].schedule
    assert read is not None
    whole = {
        "cosine": Schedule.cosine(PEAK, STEPS, final=0.1 * PEAK, warmup=WARMUP),
        "wsd": Schedule.wsd(PEAK, STEPS, decay=4000, final=0.1 * PEAK, warmup=WARMUP),
    }[name]
    at = np.linspace(3000.0, 23000.0, 9)
    np.testing.assert_allclose(read.area(at), whole.area(at), rtol=2e-3)


def test_a_jump_is_where_the_log_shows_it_and_a_glide_half_way_before():
    jump = logged([100.0, 200.0, 300.0], [1.0, 0.5, 0.5])
    glide = logged([100.0, 200.0, 300.0], [1.0, 0.9, 0.9])
    assert jump.steps.tolist() == [0.0, 200.0]
    assert glide.steps.tolist() == [0.0, 150.0]


@pytest.mark.parametrize(
    ("steps", "rates", "said"),
    [
        ([0.0, 0.0], [1.0, 1.0], "step 0 follows 0"),
        ([0.0, 1.0], [1.0, -2.0], "learning rate -2"),
        ([0.0], [0.0], "learning rate 0"),
        ([0.0, 1.0], [1.0], "2 steps beside 1 rates"),
    ],
)
def test_a_schedule_of_wrong_numbers_is_refused(steps: list[float], rates: list[float], said: str):
    with pytest.raises(RunsTableError, match=said):
        Schedule(np.array(steps), np.array(rates))
