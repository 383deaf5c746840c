"""Siblings among curves: what they share comes back, and one alone is the fit alone."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from bayescale.errors import InferenceError, ModelError, UnknownNameError
from bayescale.forecasts.curve_forecast import forecast_curve
from bayescale.inference.curve_posterior import CurvePosterior, load_curve_posterior
from bayescale.inference.curves import fit_curves
from bayescale.models.curve_model import curve_model
from bayescale.runs.curves import Curve, Curves
from tests.simulated_curves import EDGE, drifting_groups

LAW = "learning_curve_m3"
RUNS = 3


def _curves(*curves: Curve) -> Curves:
    return Curves("simulated", "step", "loss", curves, ("family",))


@pytest.fixture(scope="module")
def group() -> list[tuple[dict[str, float], Curve]]:
    return next(drifting_groups(curve_model(LAW, "partial"), RUNS, 1, seed=3))


@pytest.fixture(scope="module")
def curves(group: list[tuple[dict[str, float], Curve]]) -> Curves:
    return _curves(*(whole.until(EDGE) for _, whole in group))


@pytest.fixture(scope="module")
def posterior(curves: Curves) -> CurvePosterior:
    return fit_curves(curves, LAW)


def test_the_coefficients_of_every_run_lie_inside(posterior: CurvePosterior, group):
    (fit,) = posterior.of_group()
    for own, whole in group:
        found = fit.coefficients(whole.run)
        for symbol, true in own.items():
            low, high = np.quantile(found[symbol], [0.0005, 0.9995])
            assert low < true < high, (whole.run, symbol)
    assert set(fit.coefficients()) == {"saturation", "sigma", "tau"}


def test_the_last_octave_of_siblings_is_forecast(posterior: CurvePosterior, group):
    for _, whole in group:
        later = whole.at > EDGE
        forecast = forecast_curve(posterior, whole.at[later], run=whole.run)
        low, high = forecast.interval(0.99).T
        assert ((low < whole.output[later]) & (whole.output[later] < high)).mean() > 0.8


def test_a_group_of_one_is_the_fit_alone(curves: Curves):
    one = next(iter(curves))
    fits = [
        fit_curves(_curves(one), LAW, pooling=pooling).fits for pooling in (None, "partial", "none")
    ]
    first, *others = [next(iter(found.values()))[0].x for found in fits]
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_pooled_apart_every_run_is_fitted_alone(curves: Curves):
    apart = fit_curves(curves, LAW, pooling="none")
    assert apart.labels == tuple((curve.run,) for curve in curves)
    assert apart.group_columns == ("run_id",)


def test_siblings_narrow_the_forecast_of_a_short_curve(curves: Curves):
    first, *others = curves
    short = first.until(first.at[12])
    together, alone = (
        forecast_curve(fit_curves(_curves(short, *others), LAW, pooling=p), EDGE, run=first.run)
        for p in ("partial", "none")
    )
    assert np.diff(together.interval(0.9)) < 0.6 * np.diff(alone.interval(0.9))


def test_a_newcomer_has_a_level_of_its_own_until_it_is_seen(curves: Curves):
    first, *others = curves
    fitted = fit_curves(_curves(*others), LAW)
    unseen = forecast_curve(fitted, EDGE, run="new", group="siblings")
    seen = forecast_curve(fitted, EDGE, observed=replace(first.until(EDGE / 2), run="new"))
    assert seen.refitted
    assert np.diff(unseen.interval(0.9)) > 10.0 * np.diff(seen.interval(0.9))
    assert abs(np.log(seen.median / first.output[-1])) < 0.2


def test_a_saved_posterior_of_siblings_forecasts_alike(posterior: CurvePosterior, tmp_path):
    again = load_curve_posterior(posterior.save(tmp_path / "curves.nc"))
    assert repr(again) == repr(posterior)
    medians = [forecast_curve(p, 2.0 * EDGE, run="b").median for p in (posterior, again)]
    np.testing.assert_array_equal(*medians)


def test_draws_of_siblings_in_older_coordinates_are_refused(
    posterior: CurvePosterior, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bayescale.inference.curve_posterior.FORMAT", 3)
    path = posterior.save(tmp_path / "curves.nc")
    with pytest.raises(InferenceError, match="format 3, whose draws of siblings are of other"):
        load_curve_posterior(path)


def test_a_summary_has_the_coefficients_of_every_run(posterior: CurvePosterior):
    table = posterior.summary()
    assert set(table["run"]) == {"a", "b", "c"}
    levels = table[table["coefficient"] == "loss_ref"]["mean"]
    shared = table[table["coefficient"] == "saturation"]["mean"]
    assert levels.nunique() == RUNS
    assert shared.nunique() == 1


def test_ensembles_take_over_where_weights_fail(monkeypatch: pytest.MonkeyPatch, curves: Curves):
    weighted = fit_curves(_curves(next(iter(curves))), LAW)
    monkeypatch.setattr("bayescale.inference.curve_draws.fails", lambda weighted: True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        walked = fit_curves(_curves(next(iter(curves))), LAW, points=15, draws=2000)
    assert "R-hat up to 1.0" in repr(walked)
    first, second = (np.log(p.of_group()[0].coefficients()["loss_ref"]) for p in (weighted, walked))
    assert abs(first.mean() - second.mean()) < first.std()


def test_shares_are_checked(curves: Curves):
    with pytest.raises(InferenceError, match="shares of c were given for 2 laws"):
        fit_curves(curves, common={"c": 0.5})
    with pytest.raises(ModelError, match=r"common share of 'c' is -0\.5"):
        fit_curves(curves, LAW, common={"c": -0.5})
    with pytest.raises(ModelError, match="shares of c were given"):
        fit_curves(curves, LAW, pooling="complete", common={"c": 0.5})
    with pytest.raises(UnknownNameError, match="unknown pooling 'some'"):
        fit_curves(curves, LAW, pooling="some")  # type: ignore[arg-type]
    floor = {"E": {"distribution": "LogNormal", "mu": 0.5, "sigma": 0.1}}
    with pytest.raises(InferenceError, match="priors on E were given for runs that differ in loss"):
        fit_curves(curves, "learning_curve_m4", priors=floor)
    with pytest.raises(ModelError, match="prior of 'c' is HalfNormal"):
        fit_curves(curves, LAW, priors={"c": {"distribution": "HalfNormal", "sigma": 1.0}})
