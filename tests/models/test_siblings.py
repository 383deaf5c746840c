"""Coefficients that runs share wholly, partly or not: their joint prior, and newcomers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Prior
from bayescale.models.curve_model import curve_model
from bayescale.models.siblings import Siblings, factor

PRIORS = {
    "level": Prior("LogNormal", {"mu": "level", "sigma": 0.5}),
    "share": Prior("LogitNormal", {"mu": -1.0, "sigma": 1.5}),
    "c": Prior("LogNormal", {"mu": -0.7, "sigma": 0.7}),
}
COMMON = {"level": 0.0, "c": 0.9}
LEVEL, DRAWS = 0.3, 40_000


def _siblings(*families: str, across: float = 1.0) -> Siblings:
    return Siblings(PRIORS, COMMON, tuple((family,) for family in families), across, LEVEL)


def _prior_draws(*families: str, across: float = 1.0) -> tuple[Siblings, np.ndarray]:
    """Return plain draws of the coordinates, unconstrained."""
    siblings, rng = _siblings(*families, across=across), np.random.default_rng(0)
    columns = []
    for prior in siblings.coordinates().values():
        mu, sigma = prior.normal_on_coordinate(LEVEL)  # type: ignore[misc]
        columns.append(mu + sigma * rng.standard_normal(DRAWS))
    return siblings, np.column_stack(columns)


def _constrained(siblings: Siblings, x: np.ndarray) -> dict[str, np.ndarray]:
    maps = {"positive": np.exp, "unit": lambda v: 1.0 / (1.0 + np.exp(-v)), "real": lambda v: v}
    named = siblings.coordinates().items()
    return {s: maps[p.support](x[:, [k]]) for k, (s, p) in enumerate(named)}


def test_a_factor_leaves_out_runs_that_others_tell():
    shared = np.ones((3, 3))
    np.testing.assert_array_equal(factor(shared), [[1, 0, 0], [1, 0, 0], [1, 0, 0]])
    pairs = np.kron(np.array([[1.0, 0.6], [0.6, 1.0]]), np.ones((2, 2)))
    found = factor(pairs)
    np.testing.assert_allclose(found @ found.T, pairs)
    np.testing.assert_allclose(np.diag(found), [1.0, 0.0, 0.8, 0.0])


def test_every_run_has_the_prior_of_one_alone_and_the_correlation_that_was_asked():
    siblings, x = _prior_draws(*"aaaa")
    found = siblings.of_runs(_constrained(siblings, x))
    assert found["share"].shape == (DRAWS, 1)
    c, level = np.log(found["c"]), np.log(found["level"])
    # Standard errors of these moments are .005 and less.
    np.testing.assert_allclose(c.mean(axis=0), -0.7, atol=0.02)
    np.testing.assert_allclose(c.std(axis=0), 0.7, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(c.T), 0.9 + 0.1 * np.eye(4), atol=0.02)
    np.testing.assert_allclose(level.mean(axis=0), LEVEL, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(level.T), np.eye(4), atol=0.03)


def test_families_share_less_than_a_family_does():
    siblings, x = _prior_draws(*"aabb", across=0.8)
    found = siblings.of_runs(_constrained(siblings, x))
    share, c = (np.corrcoef(v.T) for v in (_on_line(found["share"]), np.log(found["c"])))
    np.testing.assert_allclose(found["share"][:, 0], found["share"][:, 1])
    np.testing.assert_allclose(share[0], [1.0, 1.0, 0.8, 0.8], atol=0.02)
    np.testing.assert_allclose(c[0], [1.0, 0.9, 0.72, 0.72], atol=0.02)
    level = np.log(found["level"])
    np.testing.assert_allclose(np.corrcoef(level.T), np.eye(4), atol=0.03)
    np.testing.assert_allclose(_on_line(found["share"]).mean(axis=0), -1.0, atol=0.05)
    np.testing.assert_allclose(_on_line(found["share"]).std(axis=0), 1.5, atol=0.05)


def _on_line(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(values / (1.0 - values)))


def test_a_newcomer_of_another_family_is_less_like_these():
    siblings, x = _prior_draws(*"aa", across=0.5)
    joined = siblings.with_newcomer(x, ("b",), np.random.default_rng(1))
    three = _siblings(*"aab", across=0.5)
    after = three.of_runs(_constrained(three, joined))
    before = siblings.of_runs(_constrained(siblings, x))
    np.testing.assert_allclose(after["share"][:, [0]], before["share"])
    found = np.corrcoef(np.log(after["c"]).T)
    np.testing.assert_allclose(found[2], [0.45, 0.45, 1.0], atol=0.02)


def test_one_run_has_the_coordinates_of_a_law():
    assert _siblings("a", across=0.5).coordinates() == PRIORS
    assert not _siblings("a", across=0.5).apart
    assert replace(_siblings(*"aaaa"), common={}).coordinates() == PRIORS


def test_a_newcomer_is_one_run_more_of_the_same_prior():
    siblings, x = _prior_draws(*"aaa")
    # sigma and tau behind the law's coordinates stay.
    x = np.column_stack([x, np.ones((DRAWS, 2))])
    joined = siblings.with_newcomer(x, ("a",), np.random.default_rng(1))
    four = _siblings(*"aaaa")
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
        replace(_siblings(*"aa"), priors=priors).coordinates()
    assert replace(_siblings("a"), priors=priors).coordinates() == priors


def test_models_say_what_is_shared():
    model = curve_model("learning_curve_m3", "partial")
    assert model.common == {"loss_ref": 0.0, "c": 0.75}
    assert curve_model("learning_curve_m3").common == {}
    assert model.across == 1.0
    assert curve_model("learning_curve_m3", "nested").across == 0.9
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
