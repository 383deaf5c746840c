"""Model files: all of them load, the user's own come first, and a spec survives plain data."""

import json
import shutil
from dataclasses import replace

import pytest

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Prior, load_law
from bayescale.models.catalog import (
    DEFAULT_MODEL,
    USER_MODELS,
    list_models,
    load_model,
    model_from_dict,
    read_model,
)
from bayescale.registry import shipped


@pytest.mark.parametrize("name", list_models())
def test_every_model_spells_everything_out_and_says_why(name):
    spec = load_model(name)
    law = load_law(spec.law)
    assert name.startswith(f"{spec.law}_")
    assert set(spec.priors) == set(law.symbols)
    priors = {**spec.priors, **spec.scale_priors, **(spec.spreads or {})}
    assert [symbol for symbol, prior in priors.items() if not prior.reason] == []
    assert ("_gp" in name) == (spec.discrepancy is not None)
    assert ("_partial" in name) == (spec.pooling == "partial")
    assert spec.references


@pytest.mark.parametrize("name", list_models())
def test_plain_data_round_trip(name):
    spec = load_model(name)
    again = model_from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again.hash == spec.hash
    assert again.to_dict() == spec.to_dict()


def test_hashes_differ_and_do_not_depend_on_the_name():
    hashes = [load_model(name).hash for name in list_models()]
    assert len(set(hashes)) == len(hashes)
    spec = load_model()
    assert replace(spec, name="another", title="Another").hash == spec.hash


def test_default_is_a_shipped_model():
    assert load_model().name == DEFAULT_MODEL
    assert load_model(load_model()) is not None


def test_unknown_model_names_the_nearest():
    with pytest.raises(
        UnknownNameError, match=r"'coupled_gp_waek'.*Did you mean 'coupled_gp_weak'"
    ):
        load_model("coupled_gp_waek")


def test_folder_of_the_user_comes_first(tmp_path, monkeypatch):
    source = shipped("models") / "coupled_gp_weak.yaml"
    text = source.read_text(encoding="utf-8")
    (tmp_path / "coupled_gp_weak.yaml").write_text(text.replace("floor: 0.0004", "floor: 0.002"))
    shutil.copy(source, tmp_path / "mine.yaml")
    monkeypatch.setenv(USER_MODELS, str(tmp_path))
    assert load_model("coupled_gp_weak").noise.floor == 0.002
    assert "mine" in list_models()
    with pytest.raises(ModelError, match="name is 'coupled_gp_weak', expected 'mine'"):
        load_model("mine")
    assert read_model(source).noise.floor == 0.0004


def test_users_priors_make_a_new_hash():
    spec = load_model("chinchilla_gp_weak")
    given = {
        "E": {"distribution": "Normal", "mu": 1.7, "sigma": 0.1},
        "alpha": Prior("LogNormal", {"mu": -1.2, "sigma": 0.2}),
        "sigma": {"distribution": "HalfNormal", "sigma": 0.01},
        "tau": {"distribution": "HalfNormal", "sigma": 0.02},
    }
    hashes = {spec.with_priors({k: v}).hash for k, v in given.items()}
    assert len(hashes | {spec.hash}) == 5
    changed = spec.with_priors(given)
    assert changed.derived_priors["E"].arguments["mu"] == 1.7
    assert changed.discrepancy.tau.distribution == "HalfNormal"
    assert model_from_dict(changed.to_dict()).hash == changed.hash


@pytest.mark.parametrize("given", [["alpha", "beta"], {"alpha": "beta"}, "alpha"])
def test_equal_spreads_are_lists_of_names(given):
    plain = {**load_model("chinchilla_plain_partial").to_dict(), "equal_spreads": given}
    with pytest.raises(ModelError, match=r"model, equal_spreads: found .*a list of lists of names"):
        model_from_dict(plain)


@pytest.mark.parametrize(
    ("priors", "error", "message"),
    [
        (
            {"Alpha": {"distribution": "HalfNormal", "sigma": 1}},
            UnknownNameError,
            "'Alpha'.*'alpha'",
        ),
        (
            {"alpha": {"distribution": "Normal", "mu": 0, "sigma": 1}},
            ModelError,
            "'alpha' is Normal",
        ),
        ({"alpha": 0.3}, ModelError, "prior of 'alpha': found 0.3"),
        (
            {"tau": {"distribution": "HalfNormal", "sigma": 1}},
            UnknownNameError,
            "unknown prior 'tau'",
        ),
    ],
)
def test_users_bad_prior_is_refused(priors, error, message):
    with pytest.raises(error, match=message):
        load_model("chinchilla_plain_weak").with_priors(priors)
