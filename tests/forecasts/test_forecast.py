"""The forecast object: contract columns, order of points, distance, save and load."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayescale import forecast
from bayescale.errors import ExtrapolationWarning
from bayescale.forecasts.forecast import quantile_column
from bayescale.forecasts.points import Points

CONTRACT = [
    "loss_mean",
    "loss_sd",
    "loss_q025",
    "loss_q05",
    "loss_q10",
    "loss_q25",
    "loss_q50",
    "loss_q75",
    "loss_q90",
    "loss_q95",
    "loss_q975",
    "extrapolation_factor",
    "khat",
]


@pytest.fixture
def made(posterior, targets):
    return forecast(posterior, targets, warn=False)


def test_table_has_the_contract_columns_and_no_other(made):
    assert list(made.to_frame().columns) == CONTRACT


def test_table_agrees_with_the_methods(made):
    frame = made.to_frame()
    for column, p in [("loss_q025", 0.025), ("loss_q05", 0.05), ("loss_q975", 0.975)]:
        assert np.allclose(frame[column], made.quantile(p), rtol=1e-9)
    assert np.allclose(frame["loss_q50"], made.median, rtol=1e-9)
    assert np.allclose(frame[["loss_q05", "loss_q95"]], made.interval(0.9), rtol=1e-9)
    assert np.allclose(made.prob_below(frame["loss_q25"].to_numpy()), 0.25, atol=1e-6)
    assert (np.diff(frame[CONTRACT[2:11]], axis=1) > 0).all()


def test_mean_and_sd_are_those_of_the_joint_draws(made):
    draws, frame = made.draws(40_000, seed=1), made.to_frame()
    standard_error = frame["loss_sd"] / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - frame["loss_mean"]) < 5 * standard_error).all()
    assert np.allclose(draws.std(axis=0), frame["loss_sd"], rtol=0.04)


def test_points_in_another_order_give_the_rows_in_that_order(posterior, targets):
    order = [3, 0, 4, 2, 1]
    one = forecast(posterior, targets, warn=False).to_frame()
    other = forecast(posterior, targets.iloc[order], warn=False).to_frame()
    # Quantiles stop when every point has converged, so their last digits may differ.
    pd.testing.assert_frame_equal(one.iloc[order].reset_index(drop=True), other, rtol=1e-7)


def test_a_point_alone_is_forecast_as_among_others(posterior, targets, made):
    alone = forecast(posterior, targets.iloc[[3]], warn=False).to_frame()
    together = made.to_frame().iloc[[3]].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together, rtol=1e-7)


def test_scalars_frames_and_spellings_say_the_same(posterior):
    one = forecast(posterior, n_params=7e9, n_tokens=1.4e11, warn=False)
    two = forecast(posterior, pd.DataFrame({"N": ["7B"], "tokens": ["140B"]}), warn=False)
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    three = forecast(posterior, n_params=[7e9, 7e9], n_tokens=1.4e11, warn=False)
    assert three.to_frame().nunique().max() == 1


def test_extrapolation_factor_does_not_overflow(posterior, runs):
    largest = (runs["n_params"] * runs["n_tokens"]).max()
    n_params, n_tokens = 10**12, 10**14
    integers = pd.DataFrame({"n_params": [n_params], "n_tokens": [n_tokens]})
    with np.errstate(over="ignore"):
        assert 6 * integers["n_params"][0] * integers["n_tokens"][0] != 6e26  # the trap is real
    for made in (
        forecast(posterior, integers, warn=False),
        forecast(posterior, n_params=n_params, n_tokens=n_tokens, warn=False),
    ):
        assert made.extrapolation_factor[0] == pytest.approx(1e26 / largest, rel=1e-12)


def test_extrapolation_factor_ignores_another_count_of_flops(runs, targets):
    from bayescale import fit

    counted = runs.assign(flops=123.0)
    posterior = fit(counted, "chinchilla_plain_weak", draws=20)
    made = forecast(posterior, targets.assign(flops=7.0), warn=False)
    largest = (runs["n_params"] * runs["n_tokens"]).max()
    expected = targets["n_params"] * targets["n_tokens"] / largest
    assert np.allclose(made.extrapolation_factor, expected, rtol=1e-12)


def test_extrapolation_factor_is_over_the_runs_of_the_groups_own(grouped, grouped_runs):
    # Pooled groups share the c* of the one that was run farthest.
    problems = [
        replace(each, constants=replace(each.constants, log_compute_max=50.0))
        for each in grouped.problems
    ]
    shared = replace(grouped, problems=tuple(problems))
    made = forecast(shared, n_params=1e10, n_tokens=4e10, dataset="web", warn=False)
    own = grouped_runs[grouped_runs["dataset"] == "web"]
    largest = (own["n_params"] * own["n_tokens"]).max()
    assert made.extrapolation_factor[0] == pytest.approx(4e20 / largest, rel=1e-12)


def test_far_points_are_labelled_and_still_forecast(posterior):
    with pytest.warns(ExtrapolationWarning, match=r"2\.5e\+03 times the compute"):
        made = forecast(posterior, n_params=1e10, n_tokens=1e13)
    assert np.isfinite(made.to_frame()).all(axis=None)


def test_khat_is_the_one_of_the_fit(posterior, made):
    assert (made.khat == posterior.diagnostics.khat[0]).all()


def test_groups_are_forecast_by_their_own_runs(grouped):
    at = pd.DataFrame(
        {"n_params": 1e9, "n_tokens": 2e10, "dataset": ["web", "books", "web", "books"]}
    )
    median = forecast(grouped, at).median
    assert median[0] == median[2]
    assert median[1] == median[3]
    assert median[1] / median[0] == pytest.approx(1.1, rel=0.01)


def test_intervals_widen_with_distance(posterior):
    made = forecast(posterior, n_params=[1e9, 1e10, 1e11], n_tokens=[4e10, 4e11, 4e12], warn=False)
    low, high = np.log(made.interval(0.9)).T
    assert (np.diff(high - low) > 0).all()


def test_draws_depend_on_the_seed_alone(made):
    assert np.array_equal(made.draws(50, seed=4), made.draws(50, seed=4))
    assert not np.array_equal(made.draws(50, seed=4), made.draws(50, seed=5))


def test_representation_is_one_line(made):
    assert "\n" not in repr(made)
    assert "5 point(s)" in repr(made)


def test_a_seed_makes_a_fit_from_runs_repeatable(runs, targets):
    first = forecast(runs, targets, seed=3, warn=False).to_frame()
    assert first.equals(forecast(runs, targets, seed=3, warn=False).to_frame())


@pytest.mark.parametrize(
    ("p", "column"), [(0.025, "loss_q025"), (0.05, "loss_q05"), (0.5, "loss_q50")]
)
def test_quantile_columns_are_named_by_their_percent(p, column):
    assert quantile_column(p) == column


def test_other_sizes_of_a_run_leave_the_draws_of_all_others(made):
    whole = {name: np.asarray(values) for name, values in made.points.inputs.items()}
    scales = np.array([0.5, 1.0, 2.0])
    inputs = {name: values[1] * np.sqrt(scales) for name, values in whole.items()}
    versions = Points(inputs, (made.points.labels[1],) * 3)
    drawn, others = made.draws_with(versions, of=1, n_draws=2000)
    assert np.array_equal(drawn, made.draws(2000))
    # At its own size it is the same run, luck included, but for a jitter of a billionth.
    assert others[:, 1] == pytest.approx(drawn[:, 1], rel=1e-4)
    apart = forecast(made.posterior, versions, warn=False).draws(2000, seed=1)
    for column in (0, 2):
        # Two samples of 2000 of one distribution: five standard errors of each mean.
        mine, theirs = np.log(others[:, column]), np.log(apart[:, column])
        assert abs(mine.mean() - theirs.mean()) < 5 * np.hypot(mine.std(), theirs.std()) / 2000**0.5
        assert mine.std() == pytest.approx(theirs.std(), rel=0.15)
        # Luck in common brings them nearer to each other than two runs are, beyond five errors.
        shared = np.corrcoef(others[:, column], others[:, 1])[0, 1]
        own = np.corrcoef(apart[:, column], apart[:, 1])[0, 1]
        assert shared > own - 5 * (1 - own**2) / 2000**0.5
