"""Pooled fits without compilation: what they return, few runs, newcomers, guard, confounding."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from simulated import chinchilla_frame
from simulated_groups import crossed_frame, crossed_problems

import bayescale as bs
from bayescale.errors import PoolingWarning
from bayescale.forecasts.predict import predict
from bayescale.inference import pooled
from bayescale.inference.chains import effective_draws, split_rhat
from bayescale.inference.checks.check_posterior import check_posterior
from bayescale.inference.crossed_design import confounded
from bayescale.inference.guard import guarded_groups, posterior_alone, share_alone
from bayescale.inference.posterior import load_posterior
from bayescale.models.catalog import load_model

# Few draws, to save seconds: the gates of a real fit are not met.
pytestmark = pytest.mark.filterwarnings("ignore::bayescale.errors.ConvergenceWarning")

LIGHT = pooled.PooledEffort(chains=16, warm_up=8, kept=25, target_ess=1.0, target_rhat=9.0)


@pytest.fixture(scope="module", autouse=True)
def _light():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooled, "EFFORT", LIGHT)
        yield


@pytest.fixture(scope="module")
def crossed():
    """Two datasets by two architectures, one combination never run."""
    frame, _ = crossed_frame(2, 2, 10, seed=4, left_out=[(1, 1)])
    return bs.fit(frame, "chinchilla_plain_crossed", group=("dataset", "architecture"), draws=300)


def test_every_draw_holds_a_population_and_all_groups(crossed):
    assert crossed.labels == (("d0", "a0"), ("d0", "a1"), ("d1", "a0"))
    assert {v.shape for v in crossed.draws.values()} == {(1, 300, 3)}
    assert crossed.population["mu_alpha"].shape == (1, 300)
    assert crossed.population["spread_dataset_alpha"].shape == (1, 300)
    assert crossed.population["effect_architecture_alpha"].shape == (1, 300, 2)
    found = crossed.diagnostics
    assert found.engine == "amis"
    assert len(found.khat) == 3
    assert max(found.khat) < 2.0
    assert crossed.alone == {}


def test_a_connected_design_passes_its_check(crossed):
    (finding,) = [f for f in check_posterior(crossed) if f.check == "confounded"]
    assert finding.level == "PASS"


def test_it_is_saved_and_loaded(crossed, tmp_path):
    loaded = load_posterior(crossed.save(tmp_path / "crossed.nc"))
    for name, values in {**crossed.draws, **crossed.population}.items():
        known = loaded.draws if name in crossed.draws else loaded.population
        np.testing.assert_array_equal(known[name], values)
    assert loaded.problems[1].levels == {"dataset": "d0", "architecture": "a1"}
    at = pd.DataFrame({"n_params": [1e9], "n_tokens": [2e10], "dataset": "d1"})
    at = at.assign(architecture="a1")
    one, two = (bs.forecast(p, at, warn=False).to_frame() for p in (crossed, loaded))
    pd.testing.assert_frame_equal(one, two)


def test_what_is_known_of_a_newcomer_narrows_its_coefficients(crossed):
    """A new combination of known levels, a new dataset, a new dataset and architecture."""
    from bayescale.forecasts.newcomer import with_new_group

    sds = []
    for label in (("d1", "a1"), ("new", "a1"), ("new", "newer")):
        made = with_new_group(crossed, label, seed=3)
        sds.append(np.log(made.draws["alpha"][0, :, -1]).std())
    assert sds[0] < sds[1] < sds[2]


def test_newcomers_of_one_new_level_share_its_effect(crossed):
    from bayescale.forecasts.newcomer import with_new_group

    once = with_new_group(crossed, ("new", "a0"), seed=1)
    twice = with_new_group(once, ("new", "a1"), seed=1)
    effects = twice.population["effect_dataset_E_share"]
    assert effects.shape == (1, 300, 3)
    np.testing.assert_array_equal(effects, once.population["effect_dataset_E_share"])


@pytest.mark.slow
def test_a_group_tightens_as_its_runs_arrive():
    full = chinchilla_frame(60, seed=5).assign(dataset="full")
    target = chinchilla_frame(5, seed=6, E=1.9).assign(dataset="target")
    at = pd.DataFrame({"n_params": [7e9], "n_tokens": [1.4e11], "dataset": ["target"]})
    width = []
    for n_runs in (0, 1, 3, 5):
        runs = pd.concat([full, full.assign(dataset="other"), target[:n_runs]])
        made = bs.fit(runs, "chinchilla_plain_partial", group="dataset", draws=300, seed=1)
        low, high = bs.forecast(made, at, warn=False).interval(0.9)[0]
        width.append(high / low)
    assert width[0] > width[1] > width[3]
    assert width[2] > width[3]
    assert width[0] > 1.5
    assert width[3] < 1.2


@pytest.mark.slow
def test_the_guard_keeps_the_width_alone_where_all_are_cut_alike():
    spec = load_model("coupled_gp_partial")
    problems = crossed_problems(spec, (12, 12))
    assert guarded_groups(problems) == (0, 1)
    assert guarded_groups(crossed_problems(load_model("chinchilla_plain_partial"), (12, 12))) == ()
    small = crossed_problems(spec, (12, 3))
    assert 1 not in guarded_groups(small)
    frames = [chinchilla_frame(12, seed=k).assign(dataset=f"d{k}") for k in range(2)]
    made = bs.fit(pd.concat(frames), "coupled_gp_partial", group="dataset", draws=300)
    assert any("at least as wide as without siblings" in note for note in made.notes)
    at = {"n_params": 3e10, "n_tokens": 6e11}
    for group, label in enumerate(made.labels):
        alone = bs.forecast(posterior_alone(made, group), labels=[label], warn=False, **at)
        kept = bs.forecast(made, labels=[label], warn=False, **at)
        assert kept.parts.sd >= 0.999 * alone.parts.sd
        assert kept.parts.mean.mean() == pytest.approx(alone.parts.mean.mean())
        drawn = np.log(kept.draws(4000))
        assert drawn.std() == pytest.approx(kept.parts.sd[0], rel=0.1)


@pytest.mark.slow
def test_a_sibling_somewhat_further_is_heard_as_far_as_it_reaches():
    large = chinchilla_frame(60, seed=1, noise=0.002)
    small = chinchilla_frame(80, seed=2, noise=0.002)
    reached = (large["n_params"] * large["n_tokens"]).max()
    small = small[small["n_params"] * small["n_tokens"] <= reached / 2.0].head(14)
    runs = pd.concat([large.assign(dataset="large"), small.assign(dataset="small")])
    made = bs.fit(runs, "coupled_gp_partial", group="dataset", draws=300)
    assert any("of small follow siblings as far as these reach" in note for note in made.notes)
    beyond = reached / (small["n_params"] * small["n_tokens"]).max()
    assert 1.5 < beyond < 3.0
    top = small.loc[(small["n_params"] * small["n_tokens"]).idxmax()]
    # Nine tenths of the way to where the sibling ends, to one and a half times that, and to two.
    factors = beyond ** np.array([0.9, 1.5, 2.001])
    at = {name: top[name] * np.sqrt(factors) for name in ("n_params", "n_tokens")}
    np.testing.assert_allclose(share_alone(made, 1, at), [0.0, 0.5, 1.0], atol=1e-6)
    kept, heard, alone = (
        predict(posterior, group, at)
        for posterior, group in (
            (made, 1),
            (replace(made, alone={}), 1),
            (posterior_alone(made, 1), 0),
        )
    )
    centres = [part.mean.mean(axis=0) for part in (kept, heard, alone)]
    assert centres[0][0] == pytest.approx(centres[1][0])
    assert centres[0][1] == pytest.approx((centres[1][1] + centres[2][1]) / 2.0)
    assert centres[0][2] == pytest.approx(centres[2][2])
    assert kept.sd[0] == pytest.approx(heard.sd[0])
    assert kept.sd[2] >= 0.999 * alone.sd[2]


def test_a_sibling_at_scale_turns_the_guard_off():
    spec = load_model("coupled_gp_partial")
    far = crossed_problems(spec, (12, 12))
    object.__setattr__(far[1], "inputs", {k: 4.0 * v for k, v in far[1].inputs.items()})
    assert guarded_groups(far) == (1,)


def beside_a_run_at_scale(**textbook: float) -> bs.Posterior:
    """Fit 14 small runs of some law beside 60 of the usual one, fifty times as far."""
    large = chinchilla_frame(60, seed=1, noise=0.002)
    small = chinchilla_frame(80, seed=2, noise=0.002, **textbook)
    compute, furthest = (f["n_params"] * f["n_tokens"] for f in (small, large))
    small = small[compute <= furthest.max() / 50.0].head(14)
    runs = pd.concat([large.assign(dataset="large"), small.assign(dataset="small")])
    return bs.fit(runs, "coupled_gp_partial", group="dataset", draws=300)


@pytest.mark.slow
def test_a_twin_at_scale_is_heard_and_a_stranger_is_not():
    at = {"n_params": 1e10, "n_tokens": 2e11, "labels": [("small",)], "warn": False}
    twin, stranger = beside_a_run_at_scale(), beside_a_run_at_scale(alpha=0.22)
    said = "forecasts of small stay where they lie alone: siblings at scale leave more than 80%"
    assert not any(said in note for note in twin.notes)
    assert any(said in note for note in stranger.notes)
    assert {s: np.isfinite(v[0, 0]).tolist() for s, v in twin.alone.items()} == {
        symbol: [True, False] for symbol in twin.draws
    }
    alone = bs.forecast(posterior_alone(stranger, 1), **at)
    kept = bs.forecast(stranger, **at)
    assert kept.parts.mean.mean() == pytest.approx(alone.parts.mean.mean())
    assert kept.parts.sd >= 0.999 * alone.parts.sd


CONFOUNDED = [{"dataset": f"d{k}", "architecture": f"a{k}"} for k in range(3)]


def test_a_design_that_cannot_separate_its_factors_is_named_with_the_way_out():
    (said,) = confounded(CONFOUNDED)
    assert "dataset and architecture cannot be told apart: the groups fall into 3 parts" in said
    assert "To separate them run a0 on d1, a0 on d2" in said
    linked = [*CONFOUNDED, {"dataset": "d1", "architecture": "a0"}]
    (said,) = confounded(linked)
    assert "2 parts" in said
    assert confounded([*linked, {"dataset": "d2", "architecture": "a0"}]) == []


@pytest.mark.slow
def test_a_confounded_fit_warns_and_stays_unsure():
    frames = []
    for k, floor in enumerate((1.6, 1.9)):
        frame = chinchilla_frame(20, seed=k, E=floor)
        frames.append(frame.assign(dataset=f"d{k}", architecture=f"a{k}"))
    with pytest.warns(PoolingWarning, match="cannot be told apart"):
        made = bs.fit(
            pd.concat(frames),
            "chinchilla_plain_crossed",
            group=("dataset", "architecture"),
            draws=300,
        )
    assert any("cannot be told apart" in note for note in made.notes)
    (finding,) = [f for f in check_posterior(made) if f.check == "confounded"]
    assert finding.level == "REVIEW"
    assert "a0 on d1" in finding.message
    for column in ("dataset", "architecture"):
        effects = made.population[f"effect_{column}_E_share"][0]
        difference = effects[:, 1] - effects[:, 0]
        assert 0.02 < np.mean(difference > 0.0) < 0.999


def test_effective_draws_of_known_chains():
    rng = np.random.default_rng(0)
    independent = rng.standard_normal((16, 200, 2))
    assert effective_draws(independent) == pytest.approx([3200, 3200], rel=0.2)
    slow = np.empty((16, 2000, 1))
    slow[:, 0] = rng.standard_normal((16, 1))
    for t in range(1, 2000):
        slow[:, t] = 0.9 * slow[:, t - 1] + np.sqrt(0.19) * rng.standard_normal((16, 1))
    assert effective_draws(slow)[0] == pytest.approx(32000 * 0.1 / 1.9, rel=0.25)
    assert split_rhat(independent).max() < 1.01
    apart = independent + np.arange(16)[:, None, None]
    assert split_rhat(apart).min() > 1.1
    assert effective_draws(apart).max() < 100
