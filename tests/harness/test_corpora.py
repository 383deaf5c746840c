"""Recipes: shuffled by content, checked against the card, written whole."""

from __future__ import annotations

import json
import platform
import shutil

import pytest
import yaml

from bayescale.errors import BayescaleWarning, HarnessError, UnknownNameError
from bayescale.harness import corpora


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe of three short documents, one of them twice, and its folder."""
    folder = tmp_path / "recipes" / "tiny"
    folder.mkdir(parents=True)
    text = "def version():\n    return '1'\n\ndef documents():\n    yield from DOCUMENTS\n"
    (folder / "prepare.py").write_text(f"DOCUMENTS = [b'one', b'two', b'two', b'three']\n{text}")
    (folder / "card.yaml").write_text("versions: {}\n")
    monkeypatch.setattr(corpora, "RECIPE_FOLDERS", (folder.parent,))
    monkeypatch.setattr(corpora, "HELDOUT_BYTES", 5)
    monkeypatch.setenv("BAYESCALE_CACHE", str(tmp_path / "cache"))
    return folder


def record_hash(recipe, sha256):
    (recipe / "card.yaml").write_text(yaml.safe_dump({"versions": {"1": {"sha256": sha256}}}))


def test_documents_are_distinct_shuffled_and_split_whole(recipe):
    with pytest.warns(BayescaleWarning, match=r"version 1 has no recorded hash; found [0-9a-f]"):
        folder = corpora.build_corpus("tiny")
    tokens = (folder / "tokens.bin").read_bytes()
    assert sorted(tokens.split(b"\x00")) == [b"", b"one", b"three", b"two"]
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["n_documents"] == 3
    assert meta["n_tokens"] == len(tokens) == 14
    assert tokens[meta["n_heldout"] - 1] == 0


def test_the_order_depends_on_the_text_alone():
    assert corpora.shuffled([b"a", b"b", b"c"]) == corpora.shuffled([b"c", b"a", b"b", b"a"])


def test_a_recorded_hash_that_matches_is_silent(recipe):
    with pytest.warns(BayescaleWarning):
        folder = corpora.build_corpus("tiny")
    record_hash(recipe, json.loads((folder / "meta.json").read_text())["sha256"])
    assert corpora.build_corpus("tiny") == folder


def test_a_wrong_hash_names_both(recipe):
    record_hash(recipe, "abc")
    with pytest.raises(HarnessError, match=r"expected token hash abc, found [0-9a-f]{64}"):
        corpora.build_corpus("tiny")


def test_a_card_without_versions_is_refused(recipe):
    (recipe / "card.yaml").write_text("name: tiny\n")
    with pytest.raises(HarnessError, match=r"card of 'tiny': key 'versions' is missing"):
        corpora.build_corpus("tiny")


@pytest.mark.parametrize("name", ["code", "gcide", "prose", "python_stdlib"])
def test_every_card_says_where_the_text_comes_from(name):
    card = corpora.load_card(corpora.recipes()[name])
    assert {"name", "title", "source", "licence", "split", "tokens"} <= set(card)
    assert all(len(v["sha256"]) == 64 for v in card["versions"].values())


@pytest.mark.slow
def test_the_standard_library_has_its_recorded_hash(tmp_path, monkeypatch):
    monkeypatch.setenv("BAYESCALE_CACHE", str(tmp_path))
    known = corpora.load_card(corpora.recipes()["python_stdlib"])["versions"]
    if platform.python_version() not in known:
        pytest.skip(f"no hash recorded for Python {platform.python_version()}")
    assert (corpora.build_corpus("python_stdlib") / "meta.json").is_file()


@pytest.mark.slow
def test_the_dictionary_recipe_without_its_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("BAYESCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(HarnessError, match=r"program 'apt-get' is not installed"):
        corpora.build_corpus("gcide")


def test_the_recipes_are_listed():
    assert corpora.list_corpora() == ("code", "gcide", "prose", "python_stdlib")


def test_an_unknown_corpus_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown corpus 'gcid'.*'gcide'"):
        corpora.build_corpus("gcid")
