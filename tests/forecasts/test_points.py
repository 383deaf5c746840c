"""Forecast points that cannot be used: each message names what was found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescale import forecast
from bayescale.errors import BayescaleError, ExtrapolationWarning, ForecastError, RunsTableError
from bayescale.forecasts.points import points_from_frame, read_points

BY_NAME = {
    "no point": ({}, "either a table of points or inputs by name"),
    "misspelled": ({"n_param": 1e9, "n_tokens": 1e10}, "got n_param, n_tokens, but law"),
    "one too few": ({"n_params": 1e9}, "got n_params, but law 'chinchilla' reads n_params, n_tok"),
    "one too many": ({"n_params": 1e9, "n_tokens": 1e9, "seed_": 1}, "got n_params, n_tokens, se"),
    "negative": ({"n_params": [1e9, -5e8], "n_tokens": 1e10}, r"n_params is -5e\+08 in row 1"),
    "zero": ({"n_params": 0, "n_tokens": 1e10}, "n_params is 0 in row 0"),
    "missing": ({"n_params": np.nan, "n_tokens": 1e10}, "n_params is nan in row 0"),
    "infinite": ({"n_params": 1e9, "n_tokens": np.inf}, "n_tokens is inf in row 0"),
    "huge": (
        {"n_params": [1e9, 1e300], "n_tokens": 1e10},
        r"n_params is 1e\+300 in row 1 .*1e\+24",
    ),
    "a truth value": ({"n_params": True, "n_tokens": 1e10}, "n_params is True, but must be"),
    "text": ({"n_params": "large", "n_tokens": 1e10}, "n_params is 'large'"),
    "empty": ({"n_params": [], "n_tokens": []}, r"n_params has shape \(0,\)"),
    "a matrix": ({"n_params": np.ones((2, 2)), "n_tokens": 1e9}, r"n_params has shape \(2, 2\)"),
    "unlike": ({"n_params": [1e9] * 2, "n_tokens": [1e10] * 3}, "got 2 n_params, 3 n_tokens"),
}


@pytest.mark.parametrize("case", BY_NAME)
def test_inputs_by_name_are_checked(posterior, case):
    inputs, message = BY_NAME[case]
    with pytest.raises(ForecastError, match=message):
        forecast(posterior, **inputs)


def test_counts_may_be_written_as_people_write_them(posterior):
    written = forecast(posterior, n_params="7B", n_tokens=["140B", "1.4e11"])
    np.testing.assert_array_equal(written.points.inputs["n_params"], [7e9, 7e9])
    np.testing.assert_array_equal(written.points.inputs["n_tokens"], [1.4e11, 1.4e11])


def test_a_point_in_another_unit_is_warned_of(posterior):
    with pytest.warns(ExtrapolationWarning, match="has n_params 7, and the smallest .*unit"):
        forecast(posterior, n_params=7, n_tokens=1.4e11)


def test_a_table_and_inputs_by_name_exclude_each_other(posterior, targets):
    with pytest.raises(ForecastError, match="not both"):
        forecast(posterior, targets, n_params=1e9, n_tokens=1e10)


FRAMES = {
    "missing column": ({"n_params": [1e9]}, "no column n_tokens"),
    "text": ({"n_params": ["big"], "n_tokens": [1e10]}, r"row 0: 'big'"),
    "negative": ({"n_params": [1e9, -2.0], "n_tokens": [1e10, 1e10]}, r"row 1: -2"),
    "no row": ({"n_params": [], "n_tokens": []}, "no rows"),
    "a gap": ({"n_params": [1e9, np.nan], "n_tokens": [1e10, 1e10]}, r"row 1: nan"),
}


@pytest.mark.parametrize("case", FRAMES)
def test_frames_are_checked(posterior, case):
    columns, message = FRAMES[case]
    with pytest.raises(RunsTableError, match=message):
        forecast(posterior, pd.DataFrame(columns))


@pytest.mark.parametrize("at", ["points.csv", {"n_params": [1e9], "n_tokens": [1e10]}, 7e9])
def test_what_is_no_frame_is_refused_by_its_type(posterior, at):
    with pytest.raises(ForecastError, match=f"found {type(at).__name__}, expected a DataFrame"):
        forecast(posterior, at)


def test_the_frame_is_not_changed(posterior, targets):
    before = targets.copy()
    points_from_frame(targets, posterior)
    pd.testing.assert_frame_equal(targets, before)


def test_other_columns_may_hold_anything(posterior, targets):
    odd = targets.assign(loss=-1.0, status="unheard of", note=None)
    assert len(points_from_frame(odd, posterior)) == len(targets)


def test_a_file_comes_back_as_it_is(posterior, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("id,N,D\nx,1.5B,2e10\ny,7B,140B\n", encoding="utf-8")
    frame, points = read_points(path, posterior)
    assert list(frame.columns) == ["id", "N", "D"]
    assert frame["N"].tolist() == ["1.5B", "7B"]
    assert points.inputs["n_params"].tolist() == [1.5e9, 7e9]


def test_groups_must_be_named_one_a_point(grouped):
    with pytest.raises(ForecastError, match="2 groups, but none was named"):
        forecast(grouped, n_params=1e9, n_tokens=1e10)
    with pytest.raises(ForecastError, match=r"1 group\(s\) were named for 2 point\(s\)"):
        forecast(grouped, n_params=[1e9, 2e9], n_tokens=1e10, labels=[("web",)])
    with pytest.raises(BayescaleError, match="no column dataset"):
        forecast(grouped, pd.DataFrame({"n_params": [1e9], "n_tokens": [1e10]}))


def test_groups_may_be_named_by_their_column(grouped):
    named = forecast(grouped, n_params=[1e9, 2e9], n_tokens=1e10, dataset="web")
    listed = forecast(grouped, n_params=[1e9, 2e9], n_tokens=1e10, labels=[("web",)] * 2)
    assert named.points.labels == (("web",), ("web",))
    np.testing.assert_array_equal(named.interval(0.9), listed.interval(0.9))
    both = forecast(grouped, n_params=1e9, n_tokens=1e10, dataset=["web", "books"])
    assert both.points.labels == (("web",), ("books",))
    with pytest.raises(ForecastError, match="got 2 n_params, 2 n_tokens, 3 dataset"):
        forecast(grouped, n_params=[1e9, 2e9], n_tokens=[1e10, 1e10], dataset=["web"] * 3)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, [0.5, 1.2], np.nan])
def test_probabilities_outside_zero_to_one_are_refused(posterior, p):
    with pytest.raises(ForecastError, match=r"p is .* expected between 0 and 1"):
        forecast(posterior, n_params=1e9, n_tokens=1e10).quantile(p)


@pytest.mark.parametrize("ci_prob", [0.0, 1.0, 90.0])
def test_interval_probability_is_checked(posterior, ci_prob):
    with pytest.raises(ForecastError, match=f"ci_prob is {ci_prob}"):
        forecast(posterior, n_params=1e9, n_tokens=1e10).interval(ci_prob)


@pytest.mark.parametrize("loss", [0.0, -2.0, np.nan, np.inf])
def test_a_target_must_be_a_positive_loss(posterior, loss):
    with pytest.raises(ForecastError, match=f"loss is {loss}"):
        forecast(posterior, n_params=1e9, n_tokens=1e10).prob_below(loss)
