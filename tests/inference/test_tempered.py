"""Tempered ensembles: right where importance sampling is, and where two modes have to share."""

from dataclasses import replace

import numpy as np
import pytest
from simulated import problem

from bayescale.errors import InferenceError
from bayescale.inference.amis import Effort, sample
from bayescale.inference.chains import split_rhat
from bayescale.inference.ensemble_moves import Cells
from bayescale.inference.ensemble_starts import about, spread_starts
from bayescale.inference.ensembles import Ensembles
from bayescale.inference.fit import _choose_engine, fit
from bayescale.inference.mode import find_modes
from bayescale.inference.tempered import (
    TemperedEffort,
    sample_tempered,
    tempered_draws,
    walked,
)
from bayescale.models.catalog import load_model
from bayescale.models.density import Density

SMALL = "power_law_compute_plain_weak"
QUICK = TemperedEffort(ensembles=4, members=128, climbs=64, sweeps=40)


def test_draws_agree_with_importance_sampling():
    group = problem(load_model(SMALL), 25, 1)
    density = Density(group)
    x = tempered_draws(density, QUICK, np.random.default_rng(0))
    assert x.shape[::2] == (4 * 128, 4)
    assert 8 <= x.shape[1] <= 20
    assert split_rhat(x).max() < 1.02
    exact = sample(density, np.random.default_rng(1), Effort(target_ess=4000.0, rounds=20))
    mean = np.exp(exact.log_weights) @ exact.x
    sd = np.sqrt(np.exp(exact.log_weights) @ (exact.x - mean) ** 2)
    assert (np.abs(x.mean(axis=(0, 1)) - mean) < 0.15 * sd).all()
    np.testing.assert_allclose(x.std(axis=(0, 1)), sd, rtol=0.12)


class TwoModes:
    """A density of two narrow modes, far apart, with weights of .3 and .7."""

    def __call__(self, x):
        low, high = (((x - at) ** 2).sum(axis=1) / 0.02 for at in (-4.0, 4.0))
        return np.logaddexp(np.log(0.3) - low, np.log(0.7) - high)


def round_cells(sd):
    """Return what makes round cells of a width about points."""

    def near(points):
        factors = np.broadcast_to(sd * np.eye(points.shape[1]), (*points.shape, points.shape[1]))
        return Cells(np.full(len(points), 1.0 / len(points)), points, factors)

    return near


def test_two_modes_keep_their_weights():
    """Also where climbs end in the one five times as often as in the other."""
    at = np.array([[-4.0, -4.0], [4.0, 4.0]])
    start = Cells(np.array([5.0, 1.0]) / 6.0, at, np.array(2 * [0.5 * np.eye(2)]))
    found = Ensembles(TwoModes(), [start] * 4, 256, round_cells(0.1), np.random.default_rng(3))
    x = walked(found, TemperedEffort(moves=4, sweeps=16))
    assert (x[..., 0] > 0.0).mean() == pytest.approx(0.7, abs=0.04)


def test_tails_that_starts_leave_out_are_found():
    """Members start within .2 sds of a ridge's middle, as the ends of climbs may."""

    def ridge(x):
        return -0.5 * (x[:, 0] ** 2 + ((x[:, 1] - 0.5 * x[:, 0] ** 2) / 0.2) ** 2)

    start = Cells(np.ones(1), np.zeros((1, 2)), 0.2 * np.eye(2)[None])
    found = Ensembles(ridge, [start] * 4, 64, round_cells(0.2), np.random.default_rng(4))
    x = walked(found, TemperedEffort(moves=2, sweeps=256))
    assert x.shape[1] < 128, "long enough before the last move"
    assert x[..., 0].std() == pytest.approx(1.0, abs=0.06)
    assert (np.abs(x[..., 0]) > 1.96).mean() == pytest.approx(0.05, abs=0.02)


def test_cells_about_members_are_as_narrow_as_the_posterior_there():
    density = Density(problem(load_model(SMALL), 25, 1))
    mode = find_modes(density, density.sample_prior(8, np.random.default_rng(0)), keep=1)
    cells = about(density, mode.x)
    covariance = cells.factors[0] @ cells.factors[0].T
    np.testing.assert_allclose(covariance, 0.25 * mode.covariance[0], rtol=1e-6)


def test_members_start_all_over_the_posterior():
    """Ends of randomised climbs scatter as the draws do, where the law is nearly linear."""
    group = problem(load_model(SMALL), 25, 1)
    density, rng = Density(group), np.random.default_rng(2)
    starts = spread_starts(density, 128, rng)
    about = np.average(starts.means[:-1], axis=0, weights=starts.shares[:-1])
    exact = sample(density, rng, Effort(target_ess=4000.0, rounds=20)).resample(4000, rng)
    off = np.abs(about - exact.mean(axis=0)) / exact.std(axis=0)
    assert off.max() < 0.6
    ratio = starts.means[:-1].std(axis=0) / exact.std(axis=0)
    assert ((ratio > 0.5) & (ratio < 2.0)).all()


def test_cells_follow_a_cloud_in_two_parts():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(at, 0.1, (100, 2)) for at in (-3.0, 3.0)])
    cells = Cells.of(points, rng)
    assert cells.shares.sum() == pytest.approx(1.0)
    drawn = cells.draw(2000, rng)
    near = np.minimum(np.abs(drawn - 3.0), np.abs(drawn + 3.0)).max(axis=1) < 1.0
    assert near.mean() > 0.8
    middle, inside = cells.log_density(np.array([[0.0, 0.0], [3.0, 3.0]]))
    assert inside > middle + 3.0


def test_every_group_has_its_draws_and_the_worst_is_reported():
    groups = [problem(load_model(SMALL), n, n) for n in (12, 25)]
    draws, found = sample_tempered(groups, draws=50, seed=1, rhat_max=1.1, efforts=[QUICK])
    assert {values.shape for values in draws.values()} == {(1, 50, 2)}
    assert found.engine == "tempered"
    assert 1.0 < found.rhat < 1.1
    assert found.ess > 300.0


@pytest.mark.parametrize(
    ("model", "engine"),
    [("shape_plain_weak", "tempered"), (SMALL, "amis"), ("chinchilla_plain_weak_partial", "amis")],
)
def test_laws_that_need_them_get_ensembles(model, engine):
    assert _choose_engine("auto", load_model(model)) == engine


def test_pooled_groups_are_refused(runs_file):
    with pytest.raises(InferenceError, match=r"'chinchilla_plain_weak_partial' pools them"):
        fit(runs_file, "chinchilla_plain_weak_partial", engine="tempered")


def test_same_seed_same_draws():
    group = problem(load_model(SMALL), 25, 1)
    effort = replace(QUICK, members=64, moves=2, sweeps=8)
    first, again = (
        sample_tempered([group], draws=20, seed=5, rhat_max=9.0, efforts=[effort])[0]
        for _ in range(2)
    )
    assert all((first[s] == again[s]).all() for s in first)
