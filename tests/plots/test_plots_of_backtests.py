"""Plots of backtests and of intervals: each number drawn is the summary's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bayescale.errors import ForecastError
from bayescale.forecasts.backtest import load_backtest
from bayescale.forecasts.scored import Backtest
from bayescale.plots import plot_coverage, plot_intervals, plot_reliability
from bayescale.registry import shipped

METHODS = ("coupled_gp", "huber_bootstrap")


@pytest.fixture(scope="module")
def backtests() -> list[Backtest]:
    found = [shipped("benchmarks", "results", f"backtest_{name}.csv") for name in METHODS]
    return [load_backtest(path) for path in found]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": ["one", "one", "two"],
            "series": ["a", "b", "a"],
            "median": [0.5, 0.6, 0.7],
            "low": [0.4, 0.5, 0.6],
            "high": [0.6, 0.7, 0.8],
        }
    )


def labels(ax) -> list[str]:
    return ax.get_legend_handles_labels()[1]


def test_reliability_shows_each_coverage_of_each_method(backtests) -> None:
    ax = plot_reliability(backtests)
    ax.figure.canvas.draw()
    assert labels(ax) == list(METHODS)
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    for backtest in backtests:
        means = backtest.summary().set_index("measure")["mean"]
        wanted = means[[f"coverage_{level}" for level in (50, 80, 90, 95)]]
        assert list(drawn[backtest.model]) == pytest.approx(list(wanted))


def test_reliability_stays_near_the_nominal_probability(backtests) -> None:
    x = [
        line.get_xdata() for line in plot_reliability(backtests).lines if len(line.get_xdata()) > 2
    ]
    assert np.abs(np.array(x) - [0.5, 0.8, 0.9, 0.95]).max() < 0.02


@pytest.mark.parametrize(("by", "level"), [("family", 90), ("cell", 50)])
def test_coverage_has_a_row_and_a_mark_for_each_method(backtests, by, level) -> None:
    ax = plot_coverage(backtests, by=by, level=level)
    ax.figure.canvas.draw()
    assert labels(ax) == list(METHODS)
    rows = [text.get_text() for text in ax.get_yticklabels()]
    marks = {c.get_label(): c.get_offsets()[:, 0] for c in ax.collections}
    for backtest in backtests:
        shares = backtest.summary(by).set_index(by)[f"coverage_{level}"]
        assert list(marks[backtest.model]) == pytest.approx(list(shares[rows]))
    assert f"nominal {level} %" in ax.get_xlabel()


def test_families_stand_in_order_of_the_first_method(backtests) -> None:
    ax = plot_coverage(backtests)
    marks = next(c for c in ax.collections if c.get_label() == METHODS[0])
    assert list(marks.get_offsets()[:, 0]) == sorted(marks.get_offsets()[:, 0])


def test_intervals_share_a_row_and_mark_the_reference(frame) -> None:
    ax = plot_intervals(frame, "exponent", pd.Series({"two": 0.65}))
    ax.figure.canvas.draw()
    assert labels(ax) == ["a", "b", "published"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one", "two"]
    points = {c.get_label(): c.get_offsets() for c in ax.collections if len(c.get_offsets()) > 0}
    assert points["a"][:, 0].tolist() == [0.5, 0.7]
    assert points["a"][0, 1] > points["b"][0, 1]
    # A series alone in its row stands in the row's middle.
    assert points["a"][1, 1] == pytest.approx(0.0)
    joined = plot_intervals(pd.concat([frame.iloc[:1], frame.iloc[1:].reset_index(drop=True)]), "")
    again = {c.get_label(): c.get_offsets() for c in joined.collections}
    assert again["a"].tolist() == points["a"].tolist()


def test_intervals_refuse_a_frame_without_a_median(frame) -> None:
    with pytest.raises(ForecastError, match="no column 'median'"):
        plot_intervals(frame.drop(columns="median"), "exponent")


def test_plots_of_backtests_draw_on_the_axes_given(backtests, frame) -> None:
    ax = Figure().subplots()
    assert plot_reliability(backtests, ax=ax) is ax
    assert plot_coverage(backtests, ax=ax) is ax
    assert plot_intervals(frame, "exponent", ax=ax) is ax
