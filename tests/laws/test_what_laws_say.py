"""What papers say of their laws in words, asked of the laws; and the public runs that made them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import LawError
from bayescale.laws import LAWS
from bayescale.laws.data_mixing import mixing_law
from bayescale.laws.sequence import SEQUENCE_LAWS

from .printed import UNVERIFIED


def at_published(name: str, k: int = 0, **inputs: object) -> np.ndarray:
    law = bs.load_law(name)
    ones = dict.fromkeys(law.inputs, 1.0)
    coefficients = law.from_textbook(law.published[k].textbook, ones)
    return np.asarray(
        law.evaluate({n: np.asarray(v, float) for n, v in inputs.items()}, coefficients)
    )


def r2(actual: np.ndarray, predicted: np.ndarray) -> float:
    return float(1.0 - ((actual - predicted) ** 2).sum() / ((actual - actual.mean()) ** 2).sum())


def test_128_experts_make_5m_parameters_worth_55m():
    routed = at_published("routed", n_params_active=5e6, n_experts=128.0)
    dense = at_published("routed", n_params_active=[4.5e7, 5.5e7], n_experts=1.0)
    assert dense[1] < routed < dense[0]


def test_experts_beyond_the_largest_effective_number_hardly_help():
    loss = at_published("routed", n_params_active=1e8, n_experts=[1e5, 1e7])
    assert loss[1] == pytest.approx(loss[0], rel=1e-3)


def test_standard_granularity_is_not_the_best():
    loss = at_published("fine_grained", n_params=1e9, n_tokens=1e11, granularity=[1, 4, 16])
    assert (np.diff(loss) < 0).all()


def test_capability_density_doubles_in_about_three_months():
    density = at_published("densing", day=[0.0, 30.4 * 3.3])
    assert density[1] / density[0] == pytest.approx(2.0, rel=0.02)


def test_sampling_250_times_takes_coverage_from_16_to_56_percent():
    coverage = at_published("repeated_sampling", n_attempts=[1.0, 250.0])
    assert coverage.tolist() == pytest.approx([0.159, 0.56])


def test_a_second_pass_is_worth_less_than_as_many_new_samples():
    once = at_published("repeated_filtering", n_samples_unique=2e7, epochs=1.0)
    twice = at_published("repeated_filtering", n_samples_unique=1e7, epochs=2.0)
    again = at_published("repeated_filtering", n_samples_unique=1e7, epochs=1.0)
    assert once < twice < again


def test_a_part_of_a_pass_lies_between_whole_ones():
    error = at_published("repeated_filtering", n_samples_unique=1e7, epochs=[3.0, 3.5, 4.0])
    assert error[0] > error[1] > error[2]


def test_sixteen_bits_lose_nothing_and_three_do():
    law = bs.load_law("precision")
    coefficients = {c.symbol: float(c.prior.quantile(0.5, 1.0)) for c in law.coefficients}
    runs = {"n_params": 1.0, "n_tokens": 1.0}
    few, many = (
        law.evaluate({**runs, "bits_w": b, "bits_a": b, "bits_kv": b}, coefficients)
        for b in (3.0, 16.0)
    )
    assert many == pytest.approx(coefficients["loss_ref"], rel=1e-3)
    assert few > 1.02 * many


def test_more_data_hurt_a_network_of_few_bits():
    law = bs.load_law("floating_point")
    coefficients = {c.symbol: float(c.prior.quantile(0.5, 1.0)) for c in law.coefficients}
    bits = {"n_params": 1.0, "exponent_bits": 1.0, "mantissa_bits": 1.0, "block_size": 128.0}
    loss = law.evaluate({**bits, "n_tokens": np.array([1.0, 1e4])}, coefficients)
    assert loss[1] > loss[0]


def test_without_examples_fine_tuning_changes_nothing():
    law = bs.load_law("fine_tuning")
    coefficients = {"loss_ref": 4.0, "E_share": 0.3, "n_half": 3000.0, "beta": 0.5}
    loss = law.evaluate({"n_examples": np.array([0.0, 3000.0])}, coefficients)
    assert loss.tolist() == pytest.approx([4.0, 4.0 * (0.3 + 0.7 / 2)])


@pytest.fixture
def own_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LAWS, "_items", dict(LAWS._items))


def test_a_mixing_law_of_several_domains_is_fitted_like_any_other(own_laws):
    shares = ("share_code", "share_books")
    law = mixing_law("mixing_of_three", shares)
    rng = np.random.default_rng(0)
    drawn = rng.dirichlet(np.ones(3), 40)
    runs = dict(zip(shares, drawn.T, strict=False))
    truth = {"c": 1.2, "k": 2.0, "t_share_code": -2.4, "t_share_books": 0.3}
    loss = truth["c"] + truth["k"] * np.exp(-2.4 * runs["share_code"] + 0.3 * runs["share_books"])
    frame = pd.DataFrame({**runs, "loss": loss * np.exp(rng.normal(0, 2e-3, 40))})
    posterior = bs.fit(frame, "mixing_of_three_plain_weak")
    found = posterior.textbook()
    for symbol, value in truth.items():
        assert abs(found[symbol].mean() - value) < 4 * found[symbol].std(), symbol
    assert law.inputs == shares


def test_a_mixing_law_with_a_share_twice_is_refused():
    with pytest.raises(LawError, match="repeat a symbol"):
        mixing_law("mixing_of_none", ("share_code", "share_code"))


def test_published_data_constrained_law_has_its_printed_r2_on_its_runs(public_data: Path):
    runs = bs.read_runs(public_data / "datablations.csv", where="in_published_fit=1")
    inputs = {n: runs.numbers(n) for n in ("n_params", "n_tokens", "n_tokens_unique")}
    predicted = at_published("data_constrained", **inputs)
    assert r2(runs.numbers("loss"), predicted) == pytest.approx(0.7722, abs=5e-5)


def test_published_routed_laws_fit_their_runs(public_data: Path):
    columns = {"n_params_active": "params_active", "n_experts": "num_experts"}
    where = ["loss_kind=validation", "is_final=1", "k=1", "routing_frequency=0.5"]
    for k, family in enumerate(("s-base", "hash")):
        kept = [*where, f"family={family}"]
        runs = bs.read_runs(public_data / "routing.csv", columns=columns, where=kept)
        predicted = at_published("routed", k, **{n: runs.numbers(n) for n in columns})
        assert r2(runs.numbers("loss"), predicted) > 0.98


def test_published_chain_to_downstream_error_gives_its_printed_errors(public_data: Path):
    runs = bs.read_runs(
        public_data / "gadre_downstream.csv",
        columns={"label": "architecture"},
        where=["dataset=redpajama", "downstream_task=avg17", "n_params>1e9"],
    )
    loss = at_published("over_training", **{n: runs.numbers(n) for n in ("n_params", "n_tokens")})
    error = at_published("error_of_loss", loss=loss)
    off = 100.0 * np.abs(error / runs.numbers("downstream_error") - 1.0)
    assert sorted(off) == pytest.approx([0.0464, 0.7137, 3.6365], abs=5e-4)


def test_published_vocabulary_law_fits_its_runs(public_data: Path):
    named = {"loss_over_unigram": "loss", "n_characters": "characters"}
    runs = bs.read_runs(public_data / "vocab.csv", columns=named, where="n_characters>1e9")
    inputs = {n: runs.numbers(n) for n in ("n_params_nonembedding", "n_characters")}
    inside = runs.numbers("n_params") - inputs["n_params_nonembedding"]
    predicted = at_published("vocabulary", **inputs, n_params_vocabulary=inside)
    assert r2(runs.numbers("loss_over_unigram"), predicted) > 0.9


def test_the_page_of_laws_lists_those_without_published_coefficients(repository: Path):
    page = (repository / "bayescale" / "laws" / "README.md").read_text(encoding="utf-8")
    table = page.split("## Without published coefficients")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+)`(?=[,| ].*\|)", table)) - {"UNVERIFIED"} == set(UNVERIFIED)


def test_a_paper_left_out_that_a_law_cites_names_that_law(repository: Path):
    """A reader of the page must not take a law that is here for one that is missing."""
    page = (repository / "bayescale" / "laws" / "README.md").read_text(encoding="utf-8")
    rows = page.split("## Left out")[1].splitlines()
    for law in (*LAWS, *SEQUENCE_LAWS):
        for paper in re.findall(r"arXiv:(\d{4}\.\d{5})", type(law).__doc__ or ""):
            told = [row for row in rows if paper in row]
            assert all(f"`{law.name}`" in row for row in told), (law.name, told)
