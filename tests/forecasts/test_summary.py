"""Averages: points, evaluations, cells, families, and intervals from resampling families."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescale.errors import ForecastError
from bayescale.forecasts.scored import COLUMNS
from bayescale.forecasts.scores import MEASURES
from bayescale.forecasts.summary import family_scores, overall, relative, worst_coverage


def rows(*given: tuple) -> pd.DataFrame:
    """Return a frame of (family, table, evaluation, factor, cell, score) rows."""
    key = ("family", "table", "evaluation", "factor", "cell", "score")
    frame = pd.DataFrame(given, columns=key)
    for measure in MEASURES:
        frame[measure] = frame["score"]
    rest = {"model": "m", "group": "", "n_points": 30, "n_train": 20, "khat": 0.1}
    return frame.assign(**rest, ess=500.0, cpu_seconds=0.01)[list(COLUMNS)]


FRAME = rows(
    # Family a: two evaluations of table t count as one group beside table u.
    ("a", "t", "e1", 3.0, "3x", 1.0),
    ("a", "t", "e2", 3.0, "3x", 3.0),
    ("a", "u", "", 3.0, "3x", 6.0),
    ("a", "u", "", 10.0, "10x", 8.0),
    # Family b: one bin, two factors.
    ("b", "v", "", 3.0, "3x", 1.0),
    ("b", "v", "", 10.0, "3x", 2.0),
)


def test_evaluations_then_cells_then_bins_then_families():
    bins = family_scores(FRAME, by_cell=True).set_index(["family", "cell"])["crps"]
    assert bins["a", "3x"] == pytest.approx((2.0 + 6.0) / 2)
    assert bins["a", "10x"] == 8.0
    assert bins["b", "3x"] == 1.5
    families = family_scores(FRAME).set_index("family")["crps"]
    assert families["a"] == pytest.approx((4.0 + 8.0) / 2)
    mean = overall(FRAME).set_index("measure")["mean"]
    assert mean["crps"] == pytest.approx((6.0 + 1.5) / 2)
    assert list(mean.index) == list(MEASURES)


def test_the_interval_is_that_of_resampled_families():
    scores = np.random.default_rng(0).gamma(3.0, size=13)
    frame = rows(*[(f"f{k}", "t", "", 3.0, "3x", score) for k, score in enumerate(scores)])
    found = overall(frame).set_index("measure").loc["crps"]
    picks = np.random.default_rng(9).choice(scores, (20_000, 13)).mean(axis=1)
    assert found["low"] == pytest.approx(np.quantile(picks, 0.05), rel=0.02)
    assert found["high"] == pytest.approx(np.quantile(picks, 0.95), rel=0.02)


def test_one_family_has_no_interval():
    found = overall(FRAME[FRAME["family"] == "b"])
    assert found[["low", "high"]].isna().all(axis=None)


def test_a_method_is_compared_on_the_tasks_both_did():
    half = FRAME.assign(crps=FRAME["crps"] / 2)
    found = relative(half, FRAME)
    for name in ("ratio", "ratio_low", "ratio_high", "geometric", "geometric_high"):
        assert found[name] == pytest.approx(0.5)
    assert (found["better"], found["families"]) == (2, 2)
    only_b = relative(half[half["family"] == "b"], FRAME)
    assert only_b["families"] == 1
    with pytest.raises(ForecastError, match="no task in common"):
        relative(half[half["family"] == "b"], FRAME[FRAME["family"] == "a"])


def test_geometric_mean_weighs_families_alike():
    better = FRAME.assign(crps=np.where(FRAME["family"] == "a", 0.25, 1.0) * FRAME["crps"])
    found = relative(better, FRAME)
    assert found["geometric"] == pytest.approx(0.5)
    assert found["ratio"] == pytest.approx((1.5 + 1.5) / (6.0 + 1.5))
    assert found["better"] == 1


def test_the_worst_family_pools_the_small_ones():
    scores = {"a": 0.9, "b": 0.8, "c": 0.1, "d": 0.9}
    frame = rows(*[(name, "t", "", 3.0, "3x", score) for name, score in scores.items()])
    frame.loc[frame["family"].isin(["c", "d"]), "n_points"] = 10
    assert worst_coverage(frame) == ("small families", pytest.approx(0.5))
    assert worst_coverage(frame, min_points=5) == ("c", pytest.approx(0.1))
