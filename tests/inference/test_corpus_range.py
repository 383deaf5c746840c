"""A table unlike the corpus gets the weak model by default, and the output says so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.inference.corpus_range import MARGIN, default_spec, outside_corpus
from bayescale.laws import load_law


def table(scale: float, ratio: float = 1.0) -> bs.RunsTable:
    """Return 40 runs of the Chinchilla law whose sizes are `scale` times 1e7 to 1e9."""
    law, rng = load_law("chinchilla"), np.random.default_rng(3)
    n_params = scale * np.exp(rng.uniform(np.log(1e7), np.log(1e9), 40))
    inputs = {"n_params": n_params, "n_tokens": ratio * n_params * rng.uniform(5.0, 100.0, 40)}
    textbook = law.published[1].textbook
    loss = law.evaluate(inputs, law.from_textbook(textbook, {"n_params": 1.0, "n_tokens": 1.0}))
    noisy = loss * np.exp(0.004 * rng.standard_normal(40))
    return bs.read_runs(pd.DataFrame({**inputs, "loss": noisy}), name="made")


def test_a_table_like_the_corpus_gets_the_corpus_prior() -> None:
    posterior = bs.fit(table(1.0))
    assert posterior.spec.name == "coupled_growing_gp"
    assert posterior.notes == ()


@pytest.mark.parametrize(
    ("scale", "ratio", "words"),
    [(1e-4, 1.0, "largest compute .* is far outside"), (1e-2, 1e3, "median D/N .* is far outside")],
)
def test_another_table_gets_the_weak_prior_and_says_so(
    scale: float, ratio: float, words: str
) -> None:
    posterior = bs.fit(table(scale, ratio))
    assert posterior.spec.name == "coupled_growing_gp_weak"
    (note,) = posterior.notes
    assert note.startswith("model coupled_growing_gp_weak instead of coupled_growing_gp")
    assert pd.Series(note).str.contains(words).all()


@pytest.mark.parametrize(
    ("columns", "pooling", "name"),
    [
        (("dataset",), None, "coupled_gp_partial"),
        (("dataset", "architecture"), None, "coupled_gp_crossed"),
        (("dataset", "loss_kind"), None, "coupled_gp_partial"),
        (("loss_kind",), None, "coupled_growing_gp"),
        (("dataset", "architecture"), "partial", "coupled_gp_partial"),
        (("dataset",), "none", "coupled_growing_gp"),
        (("dataset",), "complete", "coupled_growing_gp"),
    ],
)
def test_columns_that_vary_are_pooled_over(columns, pooling, name) -> None:
    frame = table(1.0).frame.assign(
        dataset=["web", "books"] * 20, architecture=["a"] * 20 + ["b"] * 20, loss_kind="c4"
    )
    assert default_spec(bs.read_runs(frame), columns, pooling)[0].name == name


@pytest.mark.parametrize(
    ("columns", "pooling", "version"),
    [
        (("dataset",), None, "_partial"),
        (("dataset", "architecture"), None, "_crossed"),
        (("dataset",), "none", ""),
    ],
)
def test_groups_unlike_the_corpus_are_pooled_by_the_weak_model(columns, pooling, version) -> None:
    frame = table(1e-4).frame.assign(
        dataset=["web", "books"] * 20, architecture=["a"] * 20 + ["b"] * 20
    )
    spec, (note,) = default_spec(bs.read_runs(frame), columns, pooling)
    assert spec.name == f"coupled_growing_gp_weak{version}"
    assert note.startswith(f"model {spec.name} instead of coupled_g")


def test_the_corpus_model_by_name_is_used_and_the_distance_said() -> None:
    posterior = bs.fit(table(1e-4), "coupled_gp")
    assert posterior.spec.name == "coupled_gp"
    assert "was learned on other tables" in posterior.notes[0]


def test_the_margin_is_a_factor_on_both_sides() -> None:
    spec = bs.load_model("coupled_gp")
    assert spec.corpus_prior is not None
    low, high = spec.corpus_prior.largest_flops
    runs = table(1.0)
    largest = runs.compute_6nd.max()
    for limit in (low / MARGIN, high * MARGIN):
        inside, outside = (np.sqrt(limit * shift / largest) for shift in (1.001, 0.999))
        if limit > largest:
            inside, outside = outside, inside
        assert not outside_corpus(spec, table(float(inside)), ())
        assert "largest compute" in outside_corpus(spec, table(float(outside)), ())


def test_left_out_families_are_said() -> None:
    posterior = bs.fit(table(1.0), without_family="gadre")
    assert posterior.notes == ("corpus prior learned without family 'gadre'",)
    assert posterior.spec.hash != bs.load_model("coupled_growing_gp").hash
