"""Fitting: what comes out, what is said about it, and what is refused before anything is slow."""

import numpy as np
import pandas as pd
import pytest
from simulated import TEXTBOOK, chinchilla_frame

from bayescale.errors import (
    InferenceError,
    PoolingWarning,
    RunsTableError,
    UnknownNameError,
)
from bayescale.inference.fit import fit
from bayescale.models.catalog import load_model


def two_datasets(n_runs=25):
    frames = [
        chinchilla_frame(n_runs, seed=1).assign(dataset="web"),
        chinchilla_frame(n_runs, seed=2, E=2.1).assign(dataset="code"),
    ]
    return pd.concat(frames, ignore_index=True)


def test_simulated_coefficients_are_recovered():
    posterior = fit(chinchilla_frame(80, seed=4), "chinchilla_plain_weak", seed=1)
    for symbol, draws in posterior.textbook().items():
        low, high = np.quantile(draws, [0.001, 0.999])
        assert low < TEXTBOOK[symbol] < high, symbol
    assert posterior.coefficients()["sigma"].mean() == pytest.approx(0.005, rel=0.3)
    assert max(posterior.diagnostics.khat) < 0.7
    assert posterior.diagnostics.engine == "amis"


def test_shapes_names_and_provenance(posterior):
    assert list(posterior.draws) == [
        *("loss_ref", "E_share", "N_share", "alpha", "beta", "gamma"),
        *("sigma", "tau"),
    ]
    assert {v.shape for v in posterior.draws.values()} == {(1, 400, 1)}
    assert posterior.population == {}
    assert posterior.provenance["model_hash"] == posterior.spec.hash
    assert posterior.provenance["seed"] == "3"


def test_same_seed_same_posterior():
    frame = chinchilla_frame(30, seed=5)
    first, again = (fit(frame, "chinchilla_plain_weak", seed=9, draws=50) for _ in range(2))
    for symbol, values in first.draws.items():
        np.testing.assert_array_equal(values, again.draws[symbol])


def test_users_prior_on_the_floor_moves_the_floor():
    frame = chinchilla_frame(40, seed=6)
    prior = {"E": {"distribution": "Normal", "mu": 1.4, "sigma": 0.01}}
    posterior = fit(frame, "chinchilla_plain_weak", priors=prior, seed=1)
    assert posterior.textbook()["E"].mean() == pytest.approx(1.4, abs=0.05)
    assert posterior.spec.hash != load_model("chinchilla_plain_weak").hash


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"draws": 0}, "draws is 0, expected a whole number from 1"),
        ({"draws": 2.5}, "draws is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": None}, "seed is None"),
        ({"max_epochs": -1}, "max_epochs is -1, expected a positive number"),
        ({"max_epochs": "4"}, "max_epochs is '4'"),
        ({"group": ("dataset", "dataset")}, "column 'dataset' is named twice"),
    ],
)
def test_options_that_make_no_sense_are_refused(option, message):
    with pytest.raises(InferenceError, match=message):
        fit(two_datasets(), **option)


def test_rows_without_a_group_are_refused():
    frame = two_datasets()
    frame.loc[frame.dataset == "code", "dataset"] = None
    with pytest.raises(RunsTableError, match=r"no dataset is given.*where='dataset!='"):
        fit(frame, "chinchilla_plain_weak", group="dataset")


def test_units_that_leave_no_run_are_named():
    frame = chinchilla_frame(30, seed=5)
    frame["n_params"] /= 1e6
    frame["n_tokens"] /= 1e9
    with pytest.raises(
        InferenceError, match=r"left out .* because D/N < 1.* millions and billions"
    ):
        fit(frame)
    frame.loc[0, "n_tokens"] = 1e9
    with pytest.raises(InferenceError, match=r"1 usable runs.* because D/N < 1"):
        fit(frame)


def test_groups_are_fitted_apart_and_it_is_said():
    frame = two_datasets()
    with pytest.warns(PoolingWarning, match="2 groups were fitted apart"):
        posterior = fit(frame, "chinchilla_plain_weak", group="dataset", draws=200)
    assert posterior.labels == (("code",), ("web",))
    assert any("fitted apart" in note for note in posterior.notes)
    alone = fit(frame[frame.dataset == "code"], "chinchilla_plain_weak", draws=200)
    np.testing.assert_array_equal(posterior.draws["alpha"][:, :, 0], alone.draws["alpha"][:, :, 0])
    assert posterior.group_index(["web"]) == 1
    with pytest.raises(UnknownNameError, match=r"'wed'.*Did you mean 'web'"):
        posterior.group_index(["wed"])


def test_complete_pooling_has_one_group():
    frame = two_datasets()
    posterior = fit(frame, "chinchilla_plain_weak", group="dataset", pooling="complete", draws=100)
    assert posterior.labels == ((),)
    assert posterior.n_runs == 50


def test_unfinished_runs_are_left_out_and_it_is_said():
    frame = chinchilla_frame(30, seed=7).assign(status="finished")
    frame.loc[3, "status"] = "diverged"
    posterior = fit(frame, "chinchilla_plain_weak", draws=50)
    assert posterior.n_runs == 29
    assert any("status is diverged" in note for note in posterior.notes)
    # Its loss is no bound either: the coefficients are those of a table that never had it.
    never = fit(frame.drop(index=3), "chinchilla_plain_weak", draws=50)
    np.testing.assert_array_equal(posterior.draws["alpha"], never.draws["alpha"])


def test_constants_are_shared_with_an_earlier_posterior():
    frame = chinchilla_frame(40, seed=8)
    earlier = fit(frame[:30], "chinchilla_gp_weak", draws=50)
    constants = [problem.constants for problem in earlier.problems]
    later = fit(frame, "chinchilla_gp_weak", draws=50, constants=constants)
    assert later.problems[0].constants == constants[0]


def small(**change):
    return chinchilla_frame(30, seed=1).assign(**change)


@pytest.mark.parametrize(
    ("runs", "settings", "error", "message"),
    [
        (small()[:5], {}, InferenceError, "holds 5 usable runs, but model .* needs at least 7"),
        (small(n_params=1e8), {}, InferenceError, r"all 30 runs have n_params = 1e\+08"),
        (small(n_tokens=1e10), {}, InferenceError, r"all \d+ runs have n_tokens = 1e\+10"),
        (small(), {"engine": "nutz"}, UnknownNameError, "'nutz'.*Did you mean 'nuts'"),
        (small(), {"pooling": "partial"}, InferenceError, "'coupled_gp_weak' states no spreads"),
        (small(), {"pooling": "some"}, UnknownNameError, "unknown pooling 'some'"),
        (small(), {"constants": []}, InferenceError, "0 constants were given for 1 groups"),
        (small(), {"priors": {"F": {}}}, Exception, "prior of 'F': found {}"),
        (small(), {"priors": ["E"]}, InferenceError, "priors is a list, expected a mapping"),
        (two_datasets(), {}, RunsTableError, "dataset"),
        (two_datasets(), {"group": "datset"}, UnknownNameError, "'datset'.*'dataset'"),
        (small().drop(columns="loss"), {}, RunsTableError, "no column loss"),
        ("nowhere.csv", {}, RunsTableError, r"nowhere\.csv"),
    ],
)
def test_bad_call_is_refused(runs, settings, error, message):
    with pytest.raises(error, match=message):
        fit(runs, **{"model": "coupled_gp_weak", **settings})
