"""Fits of curves: known coefficients come back, whatever is thinned, and files keep everything."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescale.errors import ConvergenceWarning, InferenceError, LawError, RunsTableError
from bayescale.forecasts.curve_forecast import forecast_curve
from bayescale.inference.curve_posterior import CurvePosterior, load_curve_posterior
from bayescale.inference.curves import fit_curves
from bayescale.runs.curves import Curve, Curves, read_curves
from tests.simulated_curves import (
    MULTI_POWER,
    WARMUP,
    drifting_curve,
    scheduled_frame,
)


@pytest.fixture(scope="module")
def scheduled() -> Curves:
    return read_curves(scheduled_frame(), rate="learning_rate", warmup=WARMUP, group="family")


@pytest.fixture(scope="module")
def posterior(scheduled: Curves) -> CurvePosterior:
    return fit_curves(scheduled)


def _alone(*curves: Curve) -> Curves:
    return Curves("simulated", "step", "loss", curves, ("run_id",))


def test_a_schedule_calls_for_the_multi_power_law(posterior: CurvePosterior):
    assert posterior.laws == ("multi_power",)
    assert "2 runs of 'runs' in 1 group(s)" in repr(posterior)


def test_the_coefficients_that_made_the_curves_lie_inside(posterior: CurvePosterior):
    (fit,) = posterior.of_group()
    true = fit.problem.law.from_textbook(MULTI_POWER, fit.problem.constants.reference)
    for symbol in ("loss_ref", "E_share", "alpha", "anneal"):
        low, high = np.quantile(fit.coefficients()[symbol], [0.005, 0.995])
        assert low < true[symbol] < high


def test_a_summary_holds_sampled_and_textbook_coefficients():
    first, _ = drifting_curve("learning_curve_m3", 1)
    table = fit_curves(_alone(first), "learning_curve_m3").summary()
    assert {"loss_ref", "saturation", "c", "sigma", "tau"} <= set(table["coefficient"])


def test_a_saved_posterior_forecasts_alike(posterior: CurvePosterior, tmp_path):
    again = load_curve_posterior(posterior.save(tmp_path / "curves.nc"))
    assert repr(again) == repr(posterior)
    at = np.array([1e4, 3e4])
    first, second = (forecast_curve(p, at, run="cosine").median for p in (posterior, again))
    np.testing.assert_array_equal(first, second)


def test_a_frame_is_read_as_it_stands():
    seen, _ = drifting_curve("learning_curve_m3", 0)
    frame = pd.DataFrame({"run_id": "a", "step": seen.at, "loss": seen.output})
    one, other = fit_curves(frame), fit_curves(read_curves(frame))
    pd.testing.assert_frame_equal(one.summary(), other.summary())


def test_a_file_that_is_no_posterior_is_refused(tmp_path):
    (tmp_path / "curves.nc").write_bytes(b"no such file")
    with pytest.raises(InferenceError, match=r"curve posterior file .* is corrupt"):
        load_curve_posterior(tmp_path / "curves.nc")


def test_a_file_of_the_sum_without_a_warmup_is_refused(
    posterior: CurvePosterior, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bayescale.inference.curve_posterior.FORMAT", 1)
    path = posterior.save(tmp_path / "old.nc")
    with pytest.raises(InferenceError, match="format 1, whose multi_power law"):
        load_curve_posterior(path)


def test_a_whole_curve_says_what_its_means_say():
    rng = np.random.default_rng(0)
    at = np.arange(100.0, 40100.0, 100.0)
    loss = (2.0 + 30.0 * at**-0.5) * np.exp(3e-3 * rng.standard_normal(len(at)))
    curves = _alone(Curve(run="r", at=at, output=loss, group=("r",)))
    forecasts = [
        forecast_curve(fit_curves(curves, "learning_curve_m3", points=n), 8e4, smooth=True)
        for n in (60, len(at))
    ]
    thinned, whole = forecasts
    width = np.diff(whole.interval(0.9))[0, 0]
    assert abs(thinned.median - whole.median)[0] < 0.15 * width
    assert np.diff(thinned.interval(0.9))[0, 0] == pytest.approx(width, rel=0.25)


def test_priors_need_a_single_law(scheduled: Curves):
    first, _ = drifting_curve("learning_curve_m3", 1)
    with pytest.raises(InferenceError, match="priors on c were given for 2 laws"):
        fit_curves(_alone(first), priors={"c": {}})


def test_laws_of_a_loss_and_of_a_share_are_not_pooled():
    first, _ = drifting_curve("learning_curve_m3", 1)
    with pytest.raises(InferenceError, match="different outputs"):
        fit_curves(_alone(first), ["learning_curve_m3", "error_of_loss"])


def test_three_points_are_no_curve():
    short = Curve(run="r", at=np.array([1.0, 2.0, 2.0, 3.0]), output=np.ones(4))
    with pytest.raises(RunsTableError, match="curve 'r': 3 distinct values of step"):
        fit_curves(_alone(short))


def test_a_law_of_schedules_is_refused_where_a_run_has_none():
    first, _ = drifting_curve("learning_curve_m3", 1)
    with pytest.raises(LawError, match="but the run has none"):
        fit_curves(_alone(first), "multi_power")


def test_too_many_siblings_are_refused():
    at = np.array([1.0, 2.0, 3.0, 4.0])
    many = [Curve(run=f"r{k}", at=at, output=np.ones(4), group=("g",)) for k in range(376)]
    with pytest.raises(InferenceError, match=r"376 runs that share coefficients wholly; .* 375"):
        fit_curves(_alone(*many), pooling="complete")
    with pytest.raises(InferenceError, match=r"21 runs that share coefficients in part; .* 20"):
        fit_curves(_alone(*many[:21]))


def test_weights_that_miss_their_gates_are_reported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bayescale.inference.curve_draws.fails", lambda weighted: True)
    monkeypatch.setattr("bayescale.inference.curve_draws.reads_schedule", lambda law: True)
    first, _ = drifting_curve("learning_curve_m3", 1)
    with pytest.warns(ConvergenceWarning, match=r"miss khat 0\.7, .* \(khat 0\."):
        fit_curves(_alone(first), "learning_curve_m3")
