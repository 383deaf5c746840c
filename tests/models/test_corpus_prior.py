"""Learned priors: pinned to their file, averaged without the families left out, never argmaxed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bayescale as bs
from bayescale.errors import ModelError, UnknownNameError
from bayescale.models.corpus_prior import BEST, CorpusPrior, Line, load_corpus_prior
from bayescale.models.learned import (
    STARTS,
    cautious,
    corpus_prior_of,
    hypers,
    numbers,
    spec_of,
    without_families,
)
from bayescale.registry import shipped


@pytest.fixture(scope="module", params=sorted(STARTS))
def name(request: pytest.FixtureRequest) -> str:
    """A model whose numbers are learned."""
    return str(request.param)


@pytest.fixture(scope="module")
def prior(name: str) -> CorpusPrior:
    """The corpus prior that is shipped with it."""
    return load_corpus_prior(shipped("models", "priors", f"{name}.json"))


def invented(n_designs: int = 90) -> CorpusPrior:
    """Return a prior whose first family likes large numbers and whose second likes small ones."""
    rng = np.random.default_rng(5)
    designs = rng.standard_normal((n_designs, len(hypers("coupled_gp"))))
    crps = np.exp(np.stack([-designs[:, 0], 0.3 * designs[:, 0]], axis=1))
    scores = np.stack([np.zeros((n_designs, 2)), crps], axis=2)
    return CorpusPrior.of(designs, scores, ["up", "down"], {"up": 1.0, "down": 1.0}, {})


def test_the_model_file_holds_exactly_what_was_learned(name: str, prior: CorpusPrior) -> None:
    spec = bs.load_model(name)
    trunk, learned = spec.noise.trunk_correlation, numbers(cautious(prior.average(), name), name)
    alone = spec_of(learned, spec.name, spec.title, trunk, spec.corpus_prior)
    made = replace(alone, hedge=spec.hedge)
    assert made.to_dict() == spec.to_dict()
    assert made.hash == spec.hash


@pytest.mark.parametrize("of", ["coupled_gp", "coupled_growing_gp"])
@pytest.mark.parametrize("pooling", ["partial", "crossed"])
def test_a_pooled_version_holds_what_was_learned_and_no_more(of: str, pooling: str) -> None:
    spec = bs.load_model(f"{of}_{pooling}")
    assert spec.hedge is None
    assert without_families(spec, ()).hash == spec.hash


def test_provenance_names_command_tables_and_cost(prior: CorpusPrior) -> None:
    assert prior.provenance["command"].startswith("python benchmarks/learn_prior.py")
    families = {name.split("/")[0] for name in prior.provenance["tables_sha256"]}
    assert families == set(prior.families)
    assert prior.provenance["cpu_seconds"] > 0
    assert len(prior.families) == 13


def test_a_family_left_out_has_no_say() -> None:
    prior = invented()
    with_both, without_up = prior.average(), prior.average(["up"])
    assert with_both[0] > 0.5
    assert without_up[0] < -0.5
    order = np.argsort(prior.designs[:, 0])[:BEST]
    np.testing.assert_allclose(without_up, prior.designs[order].mean(axis=0))


def test_the_average_of_the_best_is_shipped_and_not_the_best() -> None:
    prior = invented()
    best = prior.designs[np.argmax(prior.gains.mean(axis=1))]
    assert not np.allclose(prior.average(), best)


def peaked(at: float) -> np.ndarray:
    """Return gains of one family along five steps, best at `at`."""
    return -((np.linspace(-1.0, 1.0, 5) - at) ** 2)


def test_a_line_moves_one_number_to_the_vertex_of_the_families_that_are_heard() -> None:
    prior, steps = invented(), np.linspace(-1.0, 1.0, 5)
    line = Line(3, steps, np.stack([peaked(0.3), peaked(-0.5)], axis=1))
    moved = prior.with_line(line, {"command": "here"})
    assert moved.hash != prior.hash
    assert moved.provenance["line"] == {"command": "here"}
    for left, vertex in (((), -0.1), (("up",), -0.5), (("down",), 0.3)):
        difference = moved.average(left) - prior.average(left)
        np.testing.assert_allclose(difference[3], vertex, atol=1e-9)
        assert np.count_nonzero(difference) == 1


def test_a_line_stays_within_its_steps() -> None:
    steps = np.linspace(-1.0, 1.0, 5)
    for gains, best in ((peaked(9.0), 1.0), (peaked(-9.0), -1.0), (steps**2 + steps, 1.0)):
        assert Line(0, steps, gains[:, None]).best([0]) == pytest.approx(best)
    assert Line(0, steps, (steps**2 - steps)[:, None]).best([0]) == pytest.approx(-1.0)


def test_caution_widens_the_discrepancy_of_the_default_and_nothing_else() -> None:
    design = invented().average()
    assert np.array_equal(cautious(design, "coupled_gp"), design)
    learned = np.arange(len(hypers("coupled_growing_gp")), dtype=float) / 7.0
    added = cautious(learned, "coupled_growing_gp") - learned
    found = {h.name: a for h, a in zip(hypers("coupled_growing_gp"), added, strict=True) if a}
    assert found == pytest.approx({"tau_mu": np.log(1.5)}, abs=0.05)


def test_leaving_a_family_out_changes_the_numbers_and_the_hash() -> None:
    spec = bs.load_model("coupled_gp")
    without = without_families(spec, ["gadre"])
    assert without.name == spec.name
    assert without.hash != spec.hash
    assert without.slopes != spec.slopes


def test_an_unknown_family_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'gader'.*Did you mean 'gadre'"):
        without_families(bs.load_model("coupled_gp"), ["gader"])


def test_a_model_that_learned_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match="'coupled_gp_weak' has no corpus prior"):
        corpus_prior_of(bs.load_model("coupled_gp_weak"))


def test_a_changed_file_is_noticed(name: str, prior: CorpusPrior, tmp_path: Path) -> None:
    file = shipped("models", "priors", f"{name}.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    content["gains"][0][0] += 1.0
    path = tmp_path / "coupled_gp.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match=f"expected '?{prior.hash}"):
        load_corpus_prior(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read: 'designs'"):
        load_corpus_prior(path)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    prior = invented()
    again = load_corpus_prior(prior.save(tmp_path / "p.json"))
    assert again.hash == prior.hash
    np.testing.assert_allclose(again.average(), prior.average(), atol=1e-4)
    line = Line(2, np.array([-1.0, 0.0, 1.0]), np.array([[0.0, 0.1], [0.2, 0.3], [0.1, 0.0]]))
    moved = prior.with_line(line, {})
    again = load_corpus_prior(moved.save(tmp_path / "q.json"))
    assert again.hash == moved.hash
    np.testing.assert_allclose(again.average(), moved.average(), atol=1e-4)
