"""Families of siblings among curves: each keeps its own clock, and helps the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayescale.errors import ForecastError, InferenceError, UnknownNameError
from bayescale.forecasts.curve_forecast import forecast_curve
from bayescale.inference.curve_posterior import CurvePosterior, load_curve_posterior
from bayescale.inference.curves import fit_curves
from bayescale.models.curve_model import curve_model
from bayescale.models.curve_problem import curve_problem
from bayescale.runs.curves import Curve, Curves
from bayescale.runs.schedule import Schedule
from tests.simulated_curves import EDGE, drifting_groups

LAW = "learning_curve_m3"
SLOWER = 5.0
COLUMNS = ("dataset", "architecture")


@pytest.fixture(scope="module")
def wholes() -> dict[str, Curve]:
    """Return two families of two curves; the second runs five times as long."""
    (group,) = drifting_groups(curve_model(LAW, "partial"), 4, 1, seed=3)
    found = {}
    for k, (_, whole) in enumerate(group):
        stretch, architecture = (1.0, "fast") if k < 2 else (SLOWER, "slow")
        found[whole.run] = replace(
            whole, at=stretch * whole.at, group=("simulated", architecture), counts=None
        )
    return found


def _curves(*curves: Curve, columns: tuple[str, ...] = COLUMNS) -> Curves:
    return Curves("simulated", "step", "loss", curves, columns)


@pytest.fixture(scope="module")
def curves(wholes: dict[str, Curve]) -> Curves:
    edges = {"fast": EDGE, "slow": SLOWER * EDGE}
    return _curves(*(whole.until(edges[whole.group[1]]) for whole in wholes.values()))


@pytest.fixture(scope="module")
def posterior(curves: Curves) -> CurvePosterior:
    return fit_curves(curves, LAW, pooling="nested", points=20)


def test_families_are_fitted_as_one_each_on_its_own_clock(posterior: CurvePosterior):
    assert posterior.labels == (("simulated",),)
    assert posterior.group_columns == ("dataset",)
    (fit,) = posterior.of_group()
    np.testing.assert_allclose(fit.problem.clocks, [EDGE, EDGE, SLOWER * EDGE, SLOWER * EDGE])
    assert posterior.of_group(("simulated", "slow")) == (fit,)
    table = posterior.summary()
    shared = table[table["coefficient"] == "saturation"]["mean"]
    assert shared.nunique() == 2


def _scheduled(family: str, end: float) -> Curve:
    steps = np.arange(0.0, end, end / 100)
    rates = 1e-3 * np.minimum(1.0, 5.0 * (1.0 - steps / end))
    at = steps[2::2]
    schedule = Schedule(steps, rates)
    return Curve(run=family, at=at, output=2 + at**-0.3, schedule=schedule, group=(family,))


@pytest.mark.parametrize("law", ["multi_power", "learning_rate_annealing"])
def test_a_schedule_is_read_at_its_own_steps_whatever_the_clock(law: str):
    curves = [_scheduled("fast", 1000.0), _scheduled("slow", SLOWER * 1000.0)]
    problem = curve_problem(curve_model(law, "nested"), curves)
    for k, curve in enumerate(curves):
        own = problem.places.run == k
        at = problem.clocks[k] * np.exp(problem.places.x[own])
        again = problem.inputs_at(at, curve.schedule, problem.places.run[own])
        for name, values in problem.ratios.items():
            np.testing.assert_allclose(again[name], values[..., own], atol=1e-9)
        places = problem.places_of(at, curve.run, curve.schedule)
        np.testing.assert_array_equal(places.fallen, problem.places.fallen[own])


def test_a_family_alone_is_the_fit_of_siblings(curves: Curves):
    fast = [curve for curve in curves if curve.group[1] == "fast"]
    nested, partial = (
        fit_curves(_curves(*fast), LAW, pooling=p, points=20).of_group(label)[0].x
        for p, label in (("nested", "simulated"), ("partial", ("simulated", "fast")))
    )
    np.testing.assert_array_equal(nested, partial)


def test_the_last_octave_is_forecast(posterior: CurvePosterior, wholes: dict[str, Curve]):
    for run, whole in wholes.items():
        forecast = forecast_curve(posterior, whole.at[-1], run=run)
        low, high = forecast.interval(0.99)[0]
        assert low < whole.output[-1] < high


def test_another_family_narrows_the_forecast_of_a_short_curve(curves: Curves):
    first, _, *others = curves
    short = first.until(first.at[12])
    together, alone = (
        forecast_curve(
            fit_curves(_curves(short, *others), LAW, pooling=p, points=20), EDGE, run=first.run
        )
        for p in ("nested", "partial")
    )
    assert np.diff(together.interval(0.9)) < 0.9 * np.diff(alone.interval(0.9))


def test_a_saved_posterior_forecasts_alike(posterior: CurvePosterior, tmp_path):
    again = load_curve_posterior(posterior.save(tmp_path / "curves.nc"))
    medians = [forecast_curve(p, 7.0 * EDGE, run="c").median for p in (posterior, again)]
    np.testing.assert_array_equal(*medians)


def test_a_newcomer_names_its_family_or_shows_something(posterior: CurvePosterior, curves: Curves):
    slow = forecast_curve(posterior, 8.0 * EDGE, run="new", group=("simulated", "slow"))
    assert np.isfinite(slow.median).all()
    with pytest.raises(ForecastError, match="'new' is of family 'simulated/medium', of which"):
        forecast_curve(posterior, EDGE, run="new", group=("simulated", "medium"))
    with pytest.raises(UnknownNameError, match="unknown group 'real'"):
        forecast_curve(posterior, EDGE, run="new", group=("real", "slow"))
    shown = replace(next(iter(curves)), run="new", group=("simulated", "medium"))
    seen = forecast_curve(posterior, 1.5 * EDGE, observed=shown)
    assert seen.refitted
    assert abs(np.log(seen.median / shown.output[-1])) < 0.3


def test_families_need_two_columns(curves: Curves):
    one = _curves(*(replace(c, group=c.group[:1]) for c in curves), columns=COLUMNS[:1])
    with pytest.raises(InferenceError, match="group columns dataset, but nested pooling needs two"):
        fit_curves(one, LAW, pooling="nested")
