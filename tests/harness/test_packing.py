"""What is carried to a machine without the package: plans with nothing to decide, small corpora."""

from __future__ import annotations

import dataclasses
import json
import lzma
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError
from bayescale.harness import corpora
from bayescale.harness.config import Member
from bayescale.harness.data import open_batches
from bayescale.harness.packing import pack_corpus, unpack_corpus
from bayescale.harness.plan_file import load_plan
from bayescale.harness.resolution import resolve
from bayescale.harness.resolved_plan import ResolvedPlan, tuned_rates
from bayescale.harness.train import train

SWEEPS = Path(__file__).parents[2] / "benchmarks" / "sweeps"
ROWS = {"gpu_architectures": 50, "gpu_llama_code": 205, "gpu_llama_prose": 192, "gpu_zipf": 146}
"""Rows of each plan for a GPU, of one architecture, without those held back."""


@pytest.mark.parametrize("name", ROWS)
def test_the_plans_for_a_gpu_resolve(name):
    plan = load_plan(SWEEPS / f"{name}.yaml")
    for arm in plan.arms:
        resolved = resolve(arm, "abc", "table")
        assert ResolvedPlan.from_json(resolved.to_json()) == resolved
        units = [u for i, u in enumerate(resolved.units) if i not in resolved.held_back]
        assert sum(len(u.members) * len(u.train.milestones) for u in units) == ROWS[name]
        assert {u.train.precision for u in (*units, *resolved.trials)} == {"bfloat16"}


@pytest.mark.parametrize("name", ["gpu_llama_code", "gpu_llama_prose"])
def test_the_large_run_is_ten_times_the_largest_other_one(name):
    from bayescale.harness.estimate import Estimate

    resolved = resolve(load_plan(SWEEPS / f"{name}.yaml"), "abc")
    (large,) = (resolved.units[i] for i in resolved.held_back)
    costs = [
        Estimate(config=u, tokens_per_second=1.0).n_params * u.train.milestones[-1]
             for u in (*resolved.units[:-1], large)]  # fmt: skip
    assert 10 <= costs[-1] / max(costs[:-1]) < 11.5


def test_a_plan_that_tunes_the_batch_cannot_be_resolved():
    plan = load_plan(SWEEPS / "cpu_stdlib_llama.yaml")
    tuning = plan.tuning.model_copy(update={"batch_tokens": (512, 1024)})
    with pytest.raises(HarnessError, match=r"'cpu_stdlib_llama': tuning has batch_tokens or beta2"):
        resolve(plan.model_copy(update={"tuning": tuning}), "abc")


@pytest.fixture
def plan(make_unit):
    members = tuple(Member(seed=5, learning_rate=rate) for rate in (0.003, 0.01, 0.03))
    trial = make_unit(members=members, train={"milestones": (640,)})
    units = (make_unit(), make_unit(architecture={"d_model": 32}))
    return ResolvedPlan(name="tiny", trials=(trial,), units=units, held_back=(1,))


def test_rates_come_from_the_trials(plan, tmp_path):
    train(plan.trials[0], tmp_path)
    rates = tuned_rates(plan, [tmp_path])
    assert len(set(rates.values())) == 1
    tuned = plan.with_rates(rates)
    assert {m.learning_rate for u in tuned.units for m in u.members} == set(rates.values())
    assert tuned.held_back_hashes() == {tuned.units[1].content_hash}


def test_given_rates_are_kept(plan):
    given = dataclasses.replace(plan, trials=())
    assert given.with_rates(tuned_rates(given, [])) == given


def test_a_faulty_plan_says_where(plan):
    with pytest.raises(HarnessError, match=r"resolved plan: not JSON .*it begins 'nam'"):
        ResolvedPlan.from_json("nam")
    with pytest.raises(HarnessError, match=r"held_back is \(2,\).*positions below 2"):
        dataclasses.replace(plan, held_back=(2,))
    tree = json.loads(plan.to_json())
    del tree["trials"]
    with pytest.raises(HarnessError, match=r"ResolvedPlan: field 'trials' is missing"):
        ResolvedPlan.from_json(json.dumps(tree))


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A corpus of short documents, encoded by pairs of bytes."""
    pytest.importorskip("tokenizers", reason="byte pairs need tokenizers")
    folder = tmp_path / "recipes" / "pairs"
    folder.mkdir(parents=True)
    shipped = corpora.recipes()["code"].parent / "tokenizers" / "bpe_1024.json"
    (folder.parent / "tokenizers").mkdir()
    (folder.parent / "tokenizers" / shipped.name).write_bytes(shipped.read_bytes())
    texts = [f"def f_{i}(x):\n    return x + {i}\n".encode() for i in range(39)]
    texts.append(b"spells <end> as text")
    documents = [*texts, b"caf\xe9 in latin-1", b"a\0b", texts[0]]
    (folder / "prepare.py").write_text(
        f"def version():\n    return '1'\n\ndef documents():\n    return {documents!r}\n"
    )
    (folder / "card.yaml").write_text("tokenizer: bpe_1024\nheldout_tokens: 100\nversions: {}\n")
    monkeypatch.setattr(corpora, "RECIPE_FOLDERS", (folder.parent,))
    monkeypatch.setenv("BAYESCALE_CACHE", str(tmp_path / "cache"))
    with pytest.warns(UserWarning, match=r"version 1 has no recorded hash"):
        return corpora.build_corpus("pairs")


def test_pairs_of_bytes_keep_documents_whole(built):
    meta = json.loads((built / "meta.json").read_text())
    tokens = np.fromfile(built / "tokens.bin", dtype="<u2")
    # Two are not readable, one is there twice.
    assert (tokens == 0).sum() == meta["n_documents"] == 40
    assert tokens[meta["n_heldout"] - 1] == 0
    assert meta["n_heldout"] >= 100
    assert 1.5 < meta["bytes_per_token"] < 4
    from tokenizers import Tokenizer

    file = corpora.RECIPE_FOLDERS[0] / "tokenizers" / "bpe_1024.json"
    first = tokens[: int(np.argmax(tokens == 0))]
    assert Tokenizer.from_file(str(file)).decode(first.tolist()).startswith("def f_")


def test_a_corpus_ends_with_the_last_document_that_fits(built, monkeypatch):
    recipe = corpora.RECIPE_FOLDERS[0] / "pairs"
    whole = np.fromfile(built / "tokens.bin", dtype="<u2")
    (recipe / "prepare.py").write_text((recipe / "prepare.py").read_text().replace("'1'", "'2'"))
    card = (recipe / "card.yaml").read_text()
    (recipe / "card.yaml").write_text(f"tokens_at_most: 300\n{card}")
    with pytest.warns(UserWarning, match=r"version 2 has no recorded hash"):
        cut = np.fromfile(corpora.build_corpus("pairs") / "tokens.bin", dtype="<u2")
    ends = np.flatnonzero(whole == 0) + 1
    assert len(cut) == ends[ends <= 300][-1]
    assert (cut == whole[: len(cut)]).all()


def test_a_packed_corpus_comes_back_whole(built, tmp_path, make_unit):
    packed = tmp_path / "packed" / "pairs"
    assert pack_corpus(built, packed) == pack_corpus(built, packed) < 2000
    restored = unpack_corpus(packed, tmp_path / "there")
    assert (restored / "tokens.bin").read_bytes() == (built / "tokens.bin").read_bytes()
    assert unpack_corpus(packed, restored) == restored
    sha256 = json.loads((restored / "meta.json").read_text())["sha256"]
    data = {"corpus": "pairs", "tokens_sha256": sha256, "facts": None, "eval_tokens": 96}
    unit = make_unit(data=data, architecture={"vocab_size": 1024})
    batches = open_batches(unit, restored)
    assert batches.tokenizer == "bpe_1024"
    assert 1.5 < batches.bytes_per_token < 4
    narrow = make_unit(data=data, architecture={"vocab_size": 256})
    with pytest.raises(HarnessError, match=r"vocab_size is 256, but corpus 'pairs' has tokens up"):
        open_batches(narrow, restored)


def test_a_damaged_corpus_is_refused(built, tmp_path):
    packed = tmp_path / "packed"
    with pytest.raises(HarnessError, match=r"packed corpus 'packed': meta\.json and tokens\.bin"):
        unpack_corpus(packed, tmp_path / "there")
    pack_corpus(built, packed)
    (packed / "tokens.bin.xz").write_bytes(lzma.compress(b"other"))
    with pytest.raises(HarnessError, match=r"its tokens hash to [0-9a-f]{64}, described are"):
        unpack_corpus(packed, tmp_path / "there")


def test_a_vocabulary_without_room_for_bytes_is_refused(tmp_path):
    pytest.importorskip("tokenizers", reason="byte pairs need tokenizers")
    from bayescale.harness.bpe import train_tokenizer

    with pytest.raises(HarnessError, match=r"vocab_size is 256, but 256 bytes and the end"):
        train_tokenizer([b"abc"], 256, tmp_path / "t.json")
    train_tokenizer([b"abab", b"abc"], 258, tmp_path / "t.json")
    assert (tmp_path / "t.json").is_file()


def test_without_tokenizers_the_way_out_is_named(tmp_path, monkeypatch):
    from bayescale.harness.bpe import encoded

    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(HarnessError, match=r"'tokenizers' is not installed.*bayescale\[harness\]"):
        next(encoded([b"abc"], tmp_path / "t.json"))
