"""The drift of curves from their law."""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Prior, load_law
from bayescale.models.curve_problem import fallen, thin
from bayescale.models.discrepancy import Discrepancy
from bayescale.models.drift import KINDS, Drift, Places, drift_covariance
from bayescale.runs.curves import Curve
from bayescale.runs.schedule import Schedule

SHAPE = Discrepancy(
    tau=Prior("LogNormal", {"mu": -4.0, "sigma": 1.0}), length=0.6, rho=0.4, kappa=0.0
)


@pytest.mark.parametrize("kind", KINDS)
def test_covariances_are_covariances(kind):
    rng = np.random.default_rng(0)
    run = rng.integers(0, 3, 60)
    places = Places(rng.uniform(-3.0, 1.0, 60), run, np.zeros(60), rng.uniform(size=60))
    drift = Drift(kind=kind, common=0.6, run=0.2, fall=1.0)
    covariance = drift_covariance(drift, SHAPE, places, places)
    np.testing.assert_allclose(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > -1e-10


def test_the_integrated_drift_is_an_integral_of_correlated_slopes():
    grid = np.linspace(0.0, 1.0, 2001)
    slopes = np.exp(-np.abs(grid[:, None] - grid[None, :]) / SHAPE.length)
    step = grid[1]
    ends = [500, 2000]
    wanted = [[slopes[: a + 1, : b + 1].sum() * step**2 for b in ends] for a in ends]
    places = Places(grid[ends], *np.zeros((3, 2)))
    found = drift_covariance(Drift(kind="integrated"), SHAPE, places, places)
    np.testing.assert_allclose(found, wanted, rtol=5e-3)


def test_what_falls_of_the_rate_gain_errs_by_run():
    at, schedule = (
        np.array([500.0, 1000.0, 6000.0, 10000.0]),
        Schedule.wsd(3e-4, 10000.0, decay=8000.0, final=3e-5, warmup=1000.0),
    )
    down = fallen(at, schedule)
    np.testing.assert_allclose(down, [0.0, 0.0, 0.45, 0.9], atol=0.01)
    places = Places(np.zeros(4), np.array([0, 0, 0, 1]), np.zeros(4), down)
    with_fall, without = (
        drift_covariance(Drift(kind="stationary", fall=fall), SHAPE, places, places)
        for fall in (2.0, 0.0)
    )
    wanted = 2.0 * down[:, None] * down
    wanted[:3, 3] = wanted[3, :3] = 0.0
    np.testing.assert_allclose(with_fall - without, wanted)


def test_drift_is_checked():
    with pytest.raises(UnknownNameError, match="unknown drift 'random'"):
        Drift(kind="random")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"common is 1\.5"):
        Drift(kind="stationary", common=1.5)


def test_means_of_stretches_keep_every_measurement():
    rng = np.random.default_rng(0)
    at = np.sort(rng.integers(1, 5000, 1000)).astype(float)
    curve = Curve(run="r", at=at, output=3.0 + 0.1 * rng.standard_normal(1000))
    found = thin(load_law("learning_curve_m3"), curve, {"at": at[-1]}, 50)
    assert len(found.y) <= 50
    assert found.weights.sum() == 1000
    np.testing.assert_allclose(found.weights @ found.y, np.log(curve.output).sum())
