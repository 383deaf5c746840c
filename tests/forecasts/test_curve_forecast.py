"""Forecasts of curves against the normal distribution written out in full."""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.errors import ForecastError, UnknownNameError
from bayescale.forecasts.curve_conditional import Conditional, stretch_of
from bayescale.forecasts.curve_forecast import few_points, forecast_curve
from bayescale.forecasts.curve_predict import predict_curve
from bayescale.inference.curve_posterior import CurvePosterior
from bayescale.inference.curves import fit_curves
from bayescale.models.density import Density
from bayescale.runs.curves import Curve, Curves
from tests.simulated_curves import SCHEDULES, drifting_curve, fitted_to_two, scheduled_curves


@pytest.fixture(scope="module")
def curves() -> Curves:
    return scheduled_curves()


@pytest.fixture(scope="module")
def posterior(curves: Curves) -> CurvePosterior:
    return fitted_to_two(curves)


def _dense(posterior: CurvePosterior, at: np.ndarray, observed: Curve, draw: int):
    """Return mean and variance of a new run for one draw, from one joint covariance."""
    (fit,) = posterior.of_group()
    problem, density = fit.problem, Density(fit.problem)
    x = fit.x[[draw]]
    sigma, tau = np.exp(x[0, density.n_law :])
    steps = np.concatenate([observed.at, at])
    new = problem.places_of(steps, observed.run, observed.schedule)
    n, m = len(problem), len(observed.at)
    both = type(new)(
        np.concatenate([problem.places.x, new.x]),
        np.concatenate([problem.places.run, new.run]),
        np.concatenate([problem.places.family, new.family]),
        np.concatenate([problem.places.fallen, new.fallen]),
    )
    joint = tau**2 * problem.covariance(both, both)
    noise = (sigma**2 + problem.spec.noise.floor**2) / np.concatenate([problem.weights, np.ones(m)])
    y = np.concatenate([problem.log_loss, np.log(observed.output)])
    noise *= problem.noise_scale(y)
    seen = slice(0, n + m)
    inputs = problem.inputs_at(steps, observed.schedule)
    law = np.concatenate([density.log_loss(x)[0], density.log_loss(x, inputs)[0]])
    solved = np.linalg.solve(joint[seen, seen] + np.diag(noise), joint[seen, n + m :])
    mean = law[n + m :] + solved.T @ (y - law[seen])
    variance = np.diag(joint)[n + m :] - (solved * joint[seen, n + m :]).sum(axis=0)
    return mean, variance


def test_a_running_job_is_conditioned_on_exactly(posterior: CurvePosterior, curves: Curves):
    wsd = curves["wsd"]
    observed = Curve(
        run="wsd", at=wsd.at[::20], output=wsd.output[::20], schedule=wsd.schedule, group=wsd.group
    )
    at = np.array([12000.0, 21000.0, 23000.0])
    (fit,) = posterior.of_group()
    one = type(fit)(problem=fit.problem, x=fit.x[[7]], khat=0.0, ess=1.0, trusted=True)
    found = predict_curve(one, at, "wsd", wsd.schedule, observed, smooth=True)
    mean, variance = _dense(posterior, at, observed, 7)
    np.testing.assert_allclose(found.mean[0], mean, rtol=1e-8)
    np.testing.assert_allclose(found.variance[0], variance, rtol=1e-5)


def test_variances_are_the_diagonal_of_covariances(posterior: CurvePosterior, curves: Curves):
    (fit,) = posterior.of_group()
    conditional, steps = Conditional(fit), np.array([6000.0, 20000.0, 40000.0])
    wsd, constant = (
        stretch_of(fit.problem, steps, c.run, c.schedule)
        for c in (curves["wsd"], curves["constant"])
    )
    own = conditional.covariance(wsd, wsd)
    np.testing.assert_allclose(
        np.diagonal(own, axis1=1, axis2=2), conditional.variance(wsd), rtol=1e-6
    )
    cross = conditional.covariance(wsd, constant)
    np.testing.assert_allclose(cross, conditional.covariance(constant, wsd).swapaxes(1, 2))
    joint = np.block(
        [[own, cross], [cross.swapaxes(1, 2), conditional.covariance(constant, constant)]]
    )
    assert (np.linalg.eigvalsh(joint) > -1e-12).all()


def test_a_schedule_not_fitted_is_forecast(posterior: CurvePosterior, curves: Curves):
    wsd = curves["wsd"]
    forecast = forecast_curve(posterior, wsd.at, run="new", schedule=SCHEDULES["wsd"])
    low, high = forecast.interval(0.99).T
    assert ((low < wsd.output) & (wsd.output < high)).mean() > 0.9
    assert "CurveForecast of 'new' at" in repr(forecast)


def test_a_fitted_run_is_followed_closer_than_a_new_one(posterior: CurvePosterior):
    known = forecast_curve(posterior, 15000.0, run="cosine", smooth=True)
    new = forecast_curve(posterior, 15000.0, schedule=SCHEDULES["cosine"], smooth=True)
    assert np.diff(known.interval()) < np.diff(new.interval())


def test_observed_points_narrow_a_forecast(posterior: CurvePosterior, curves: Curves):
    at = np.array([23000.0])
    without = forecast_curve(posterior, at, schedule=curves["wsd"].schedule)
    told = forecast_curve(posterior, at, observed=curves["wsd"].until(15000.0))
    assert np.diff(told.interval()) < np.diff(without.interval())
    assert told.run == "wsd"


def test_quantiles_and_probabilities_agree(posterior: CurvePosterior):
    forecast = forecast_curve(posterior, [1e4, 2e4], run="cosine")
    np.testing.assert_allclose(forecast.prob_below(forecast.quantile(0.2)), 0.2, atol=1e-3)
    table = forecast.to_frame()
    assert list(table)[:2] == ["step", "loss_q05"]
    assert forecast.plot().get_title(loc="left") == "cosine"


def test_few_points_widen_a_forecast_as_they_do_a_regression():
    fitted, whole = drifting_curve("learning_curve_m3", 1, n=8)
    curves = Curves("simulated", "step", "loss", (fitted,), ("run_id",))
    made = fit_curves(curves, "learning_curve_m3")
    (fit,), at = made.of_group(), whole.at[-1:]
    plain = predict_curve(fit, at, fitted.run, None, None, smooth=False)
    found = forecast_curve(made, at, run=fitted.run).mixture
    n, factor = len(fitted), len(fitted) / (len(fitted) - 3)
    assert (n, few_points(fit)) == (7, factor)
    np.testing.assert_allclose(found.variance, factor * plain.variance)
    np.testing.assert_allclose(found.mean.mean(), plain.mean.mean())
    np.testing.assert_allclose(found.mean.var(), factor * plain.mean.var())


def test_beyond_the_fitted_steps_the_band_widens(posterior: CurvePosterior):
    at = np.array([2.4e4, 1e5])
    widths = np.diff(forecast_curve(posterior, at, run="constant", smooth=True).interval())
    assert widths[1] > 2.0 * widths[0]


def test_a_fitted_run_cannot_be_observed(posterior: CurvePosterior, curves: Curves):
    with pytest.raises(ForecastError, match="run 'cosine' is observed, and among the fitted runs"):
        forecast_curve(posterior, 1e4, observed=curves["cosine"])


def test_a_job_unlike_the_fitted_runs_is_fitted_with_them(
    posterior: CurvePosterior, curves: Curves
):
    wsd = curves["wsd"].until(15000.0)
    bent = wsd.output * (wsd.at / wsd.at[0]) ** -0.02
    strange = Curve(run="s", at=wsd.at, output=bent, schedule=wsd.schedule, group=wsd.group)
    forecast = forecast_curve(posterior, strange.at[-20:], observed=strange)
    assert forecast.refitted
    assert forecast.ess > 100
    low, high = forecast.interval(0.99).T
    assert ((low < bent[-20:]) & (bent[-20:] < high)).mean() > 0.8


def test_steps_groups_and_probabilities_are_checked(posterior: CurvePosterior):
    with pytest.raises(ForecastError, match="at is -1, expected positive"):
        forecast_curve(posterior, -1.0)
    with pytest.raises(UnknownNameError, match="unknown group 'b'"):
        forecast_curve(posterior, 1.0, group="b")
    forecast = forecast_curve(posterior, 1e4, run="cosine")
    with pytest.raises(ForecastError, match=r"p is 1\.5"):
        forecast.quantile(1.5)
    with pytest.raises(ForecastError, match="ci_prob is 0"):
        forecast.interval(0.0)
    with pytest.raises(ForecastError, match="loss is -2"):
        forecast.prob_below(-2)
