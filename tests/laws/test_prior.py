"""Priors as plain data: against SciPy's distributions, and every argument that is refused."""

import numpy as np
import pytest
from scipy import stats

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Prior
from bayescale.laws.prior import DISTRIBUTIONS, LEVEL

CASES = {
    "Normal": ({"mu": 0.3, "sigma": 0.7}, stats.norm(0.3, 0.7)),
    "LogNormal": ({"mu": -1.0, "sigma": 0.4}, stats.lognorm(0.4, scale=np.exp(-1.0))),
    "HalfNormal": ({"sigma": 0.5}, stats.halfnorm(scale=0.5)),
    "Gamma": ({"alpha": 2.5, "beta": 3.0}, stats.gamma(2.5, scale=1 / 3.0)),
    "Beta": ({"alpha": 2.0, "beta": 5.0}, stats.beta(2.0, 5.0)),
}
P = np.array([0.001, 0.05, 0.3, 0.5, 0.9, 0.999])


@pytest.mark.parametrize("name", CASES)
def test_against_scipy(name):
    arguments, reference = CASES[name]
    prior = Prior(name, arguments)
    x = reference.ppf(P)
    np.testing.assert_allclose(prior.quantile(P), x, rtol=1e-9)
    np.testing.assert_allclose(prior.logpdf(x), reference.logpdf(x), rtol=1e-9)
    np.testing.assert_allclose(prior.logcdf(x), reference.logcdf(x), rtol=1e-8)


def test_logit_normal_is_a_normal_on_the_logit():
    prior = Prior("LogitNormal", {"mu": 0.5, "sigma": 0.8})
    normal = stats.norm(0.5, 0.8)
    x = prior.quantile(P)
    logits = np.log(x / (1 - x))
    np.testing.assert_allclose(logits, normal.ppf(P), rtol=1e-9)
    np.testing.assert_allclose(prior.logpdf(x), normal.logpdf(logits) - np.log(x * (1 - x)))
    np.testing.assert_allclose(prior.logcdf(x), normal.logcdf(logits), rtol=1e-9)


@pytest.mark.parametrize("name", ["Beta", "LogitNormal"])
def test_everything_lies_below_a_number_beyond_the_unit_interval(name):
    arguments = {"Beta": {"alpha": 2, "beta": 5}, "LogitNormal": {"mu": 0, "sigma": 1}}[name]
    with np.errstate(divide="ignore"):
        assert Prior(name, arguments).logcdf(1.7) == 0.0


def test_every_distribution_is_tested():
    assert set(DISTRIBUTIONS) == {*CASES, "LogitNormal"}


def test_level_stands_for_the_tables_own_constant():
    prior = Prior("LogNormal", {"mu": LEVEL, "sigma": 0.5})
    assert prior.resolved(1.25) == (1.25, 0.5)
    assert prior.quantile(0.5, 1.25) == pytest.approx(np.exp(1.25))


def test_round_trip_through_plain_data():
    prior = Prior("Gamma", {"alpha": 2.0, "beta": 1.0}, "a guess")
    assert Prior.from_dict(prior.to_dict()) == prior


@pytest.mark.parametrize(
    ("distribution", "arguments", "message"),
    [
        ("Normal", {"mu": "high", "sigma": 1}, "argument 'mu' is 'high'"),
        ("Normal", {"mu": float("nan"), "sigma": 1}, "argument 'mu' is nan"),
        ("Normal", {"mu": 0}, "argument 'sigma' is None"),
        ("Normal", {"mu": 0, "sigma": 0}, "argument 'sigma' is 0, but must be positive"),
        ("Normal", {"mu": 0, "sigma": LEVEL}, "argument 'sigma' is 'level'"),
        ("Normal", {"mu": True, "sigma": 1}, "argument 'mu' is True"),
        ("Beta", {"alpha": -2, "beta": 1}, "argument 'alpha' is -2, but must be positive"),
    ],
)
def test_bad_argument_is_refused(distribution, arguments, message):
    with pytest.raises(ModelError, match=message):
        Prior(distribution, arguments)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'LogNorma'.*Did you mean 'LogNormal'"):
        Prior("LogNorma", {"mu": 0, "sigma": 1})
    with pytest.raises(UnknownNameError, match=r"'sgma'.*Did you mean 'sigma'"):
        Prior("Normal", {"mu": 0, "sgma": 1})


@pytest.mark.parametrize(
    ("distribution", "arguments", "meant"),
    [
        ("Gaussian", {}, "Normal"),
        ("half-normal", {}, "HalfNormal"),
        ("Normal", {"mean": 0.0, "sd": 1.0}, "mu"),
        ("Normal", {"mu": 0.0, "scale": 1.0}, "sigma"),
    ],
)
def test_names_of_other_libraries_are_known(distribution, arguments, meant):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{meant}'"):
        Prior(distribution, arguments)


def test_something_that_is_no_prior_is_refused():
    with pytest.raises(ModelError, match=r"prior of E: found 1.7, but a mapping"):
        Prior.from_dict(1.7, "prior of E")
