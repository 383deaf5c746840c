"""Coefficients that runs share wholly, partly or not: their joint prior, and newcomers."""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Prior
from bayescale.models.curve_model import curve_model
from bayescale.models.siblings import Siblings, contrasts

PRIORS = {
    "level": Prior("LogNormal", {"mu": "level", "sigma": 0.5}),
    "share": Prior("LogitNormal", {"mu": -1.0, "sigma": 1.5}),
    "c": Prior("LogNormal", {"mu": -0.7, "sigma": 0.7}),
}
COMMON = {"level": 0.0, "c": 0.9}
LEVEL, DRAWS = 0.3, 40_000


def _prior_draws(runs: int) -> tuple[Siblings, np.ndarray]:
    """Return plain draws of the coordinates, unconstrained."""
    siblings, rng = Siblings(PRIORS, COMMON, runs), np.random.default_rng(0)
    columns = []
    for prior in siblings.coordinates().values():
        mu, sigma = prior.normal_on_coordinate(LEVEL)  # type: ignore[misc]
        columns.append(mu + sigma * rng.standard_normal(DRAWS))
    return siblings, np.column_stack(columns)


def _constrained(siblings: Siblings, x: np.ndarray) -> dict[str, np.ndarray]:
    maps = {"positive": np.exp, "unit": lambda v: 1.0 / (1.0 + np.exp(-v)), "real": lambda v: v}
    named = siblings.coordinates().items()
    return {s: maps[p.support](x[:, [k]]) for k, (s, p) in enumerate(named)}


def test_contrasts_are_orthonormal():
    found = contrasts(5)
    np.testing.assert_allclose(found.T @ found, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-12)


def test_every_run_has_the_prior_of_one_alone_and_the_correlation_that_was_asked():
    siblings, x = _prior_draws(4)
    found = siblings.of_runs(_constrained(siblings, x))
    assert found["share"].shape == (DRAWS, 1)
    c, level = np.log(found["c"]), np.log(found["level"])
    # Standard errors of these moments are .005 and less.
    np.testing.assert_allclose(c.mean(axis=0), -0.7, atol=0.02)
    np.testing.assert_allclose(c.std(axis=0), 0.7, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(c.T), 0.9 + 0.1 * np.eye(4), atol=0.02)
    np.testing.assert_allclose(level.mean(axis=0), LEVEL, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(level.T), np.eye(4), atol=0.03)


def test_one_run_has_the_coordinates_of_a_law():
    assert Siblings(PRIORS, COMMON, 1).coordinates() == PRIORS
    assert Siblings(PRIORS, {}, 4).coordinates() == PRIORS


def test_a_newcomer_is_one_run_more_of_the_same_prior():
    siblings, x = _prior_draws(3)
    # sigma and tau behind the law's coordinates stay.
    x = np.column_stack([x, np.ones((DRAWS, 2))])
    joined = siblings.with_newcomer(x, LEVEL, np.random.default_rng(1))
    four = Siblings(PRIORS, COMMON, 4)
    assert joined.shape[1] == len(four.coordinates()) + 2
    np.testing.assert_array_equal(joined[:, -2:], 1.0)
    before = siblings.of_runs(_constrained(siblings, x))
    after = four.of_runs(_constrained(four, joined))
    np.testing.assert_allclose(after["c"][:, :3], before["c"])
    np.testing.assert_allclose(after["share"], before["share"])
    c = np.log(after["c"])
    np.testing.assert_allclose(c.std(axis=0), 0.7, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(c.T), 0.9 + 0.1 * np.eye(4), atol=0.02)


def test_priors_that_cannot_be_correlated_are_refused():
    priors = {**PRIORS, "c": Prior("HalfNormal", {"sigma": 1.0})}
    with pytest.raises(ModelError, match="prior of 'c' is HalfNormal, but runs that differ"):
        Siblings(priors, COMMON, 2).coordinates()
    assert Siblings(priors, COMMON, 1).coordinates() == priors


def test_models_say_what_is_shared():
    model = curve_model("learning_curve_m3", "partial")
    assert model.common == {"loss_ref": 0.0, "c": 0.75}
    assert curve_model("learning_curve_m3").common == {}
    assert model.sharing({"saturation": 0.5, "c": 1.0}).common == {
        "loss_ref": 0.0,
        "saturation": 0.5,
    }
    with pytest.raises(UnknownNameError, match="'learning_curve_m3': unknown coefficient 'b'"):
        model.sharing({"b": 0.5})
    with pytest.raises(ModelError, match=r"common share of 'c' is 1\.5, expected 0 to below 1"):
        model.sharing({"c": 1.5})
    with pytest.raises(ModelError, match="shares of c were given, but its runs do not differ"):
        curve_model("learning_curve_m3", "complete").sharing({"c": 0.5})
    with pytest.raises(UnknownNameError, match="model of curves: unknown pooling 'crossed'"):
        curve_model("learning_curve_m3", "crossed")  # type: ignore[arg-type]
