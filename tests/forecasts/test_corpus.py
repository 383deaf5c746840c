"""The corpus: which rows of which tables, and what a bad corpus file is told."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescale.errors import BayescaleError, ForecastError, ModelError, UnknownNameError
from bayescale.forecasts.corpus import load_corpus, load_rules, read_corpus
from bayescale.forecasts.tasks import Rules, make_tasks

THE_STUDYS_FAMILIES = {
    *("bigcode", "chinchilla", "datablations", "gadre", "gpt3", "llama3", "marin", "misfitting"),
    *("mixing", "porian", "pythia", "routing", "xlstm"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one table: two corpora, two losses, two rates, checkpoints."""
    rows = [
        {
            "run_id": f"{data}{n:g}{rate}",
            "params": n,
            "tokens": d,
            "dataset": data,
            "loss_kind": kind,
            "learning_rate": rate,
            "loss": 3.0 + rate * (kind == "c4"),
            "final": int(d == 4e9),
        }
        for data in ("web", "books")
        for n in (1e8, 2e8)
        for d in (2e9, 4e9)
        for rate in (0.1, 0.2)
        for kind in ("c4", "pile")
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


def corpus(folder: Path, source: str, family: str = "", **kwargs):
    path = folder / "corpus.yaml"
    path.write_text(f"families: {{f: {{tables: [{{file: table.csv, {source}}}]{family}}}}}")
    return load_corpus(path, folder, **kwargs)


def test_groups_and_evaluations_become_tables(folder):
    found = corpus(folder, "group: [dataset], evaluations: [c4, pile]")["f"]
    assert [name for name, _ in found] == ["table/books"] * 2 + ["table/web"] * 2
    assert [runs.name for _, runs in found][:2] == ["table/books/c4", "table/books/pile"]
    for _, runs in found:
        assert np.unique(runs.labels("loss_kind")).size == 1
        assert len(runs) == 8


def test_where_keep_and_columns(folder):
    source = "where: final=1, keep: {learning_rate: [0.2]}, group: [dataset, loss_kind], name: t"
    for name, runs in corpus(folder, source)["f"]:
        assert name.startswith("t/")
        assert set(runs.numbers("n_tokens")) == {4e9}
        assert set(runs.numbers("learning_rate")) == {0.2}
    swapped = "columns: {n_params: tokens, n_tokens: params}, group: [dataset, loss_kind]"
    assert corpus(folder, swapped)["f"][0][1].numbers("n_params").max() == 4e9


def test_the_best_rate_is_kept_within_a_group(folder):
    source = "group: [dataset], evaluations: [c4], best_of: [n_params, n_tokens]"
    for _, runs in corpus(folder, source)["f"]:
        assert len(runs) == 4
        assert set(runs.numbers("learning_rate")) == {0.1}


def test_the_last_checkpoint_is_kept(folder):
    source = "where: loss_kind=c4 and dataset=web, last_of: run_id"
    ((_, runs),) = corpus(folder, source)["f"]
    assert set(runs.numbers("n_tokens")) == {4e9}
    assert len(runs) == 4


def test_locked_families_are_read_only_when_asked(folder):
    source, locked = "group: [dataset, loss_kind]", ", locked: true"
    assert corpus(folder, source, locked) == {}
    assert list(corpus(folder, source, locked, locked=True)) == ["f"]


def test_rules_of_a_family(folder):
    corpus(folder, "group: [dataset, loss_kind]", ", rules: {min_runs: 4}")
    assert load_rules(folder / "corpus.yaml") == {"f": Rules(min_runs=4)}


BAD = {
    "unknown key": ("colour: red", "", "families.f.tables.0.colour"),
    "unknown value": ("keep: {dataset: [wbe]}", "", "'wbe'"),
    "unknown loss": ("evaluations: [c5]", "", "'c5'"),
    "unknown column": ("keep: {dat: [1]}", "", "no column dat"),
    "bad locked": ("name: t", ", locked: perhaps", "perhaps"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_corpus_file_names_what_is_wrong(folder, case):
    source, family, message = BAD[case]
    with pytest.raises(BayescaleError, match=re.escape(message)):
        corpus(folder, source, family)


def test_missing_files_and_families_are_named(folder, monkeypatch):
    with pytest.raises(ModelError, match=r"none\.yaml"):
        read_corpus(folder / "none.yaml")
    with pytest.raises(UnknownNameError, match="family 'g'"):
        corpus(folder, "group: [dataset, loss_kind]", families=("g",))
    monkeypatch.delenv("BAYESCALE_PUBLIC_DATA", raising=False)
    with pytest.raises(ForecastError, match="no folder of public tables was named"):
        load_corpus(folder / "corpus.yaml")
    with pytest.raises(ForecastError, match="elsewhere"):
        load_corpus(folder / "corpus.yaml", folder / "elsewhere")


def test_the_shipped_corpus_names_the_studys_families_and_locks_others():
    families = read_corpus()
    locked = {name for name, family in families.items() if family.locked}
    assert set(families) - locked == THE_STUDYS_FAMILIES
    seen = {"gadre_grid", "bayescale_cpu", "bayescale_architectures"}
    assert locked == seen | {"routed", "bayescale_byte_pairs", "bayescale_gpu"}


def test_every_public_table_yields_tasks(public_data):
    rules, found = load_rules(), load_corpus(folder=public_data)
    counts = {
        family: sum(len(make_tasks(runs, rules=rules[family])) for _, runs in tables)
        for family, tables in found.items()
    }
    assert set(counts) == THE_STUDYS_FAMILIES
    assert min(counts.values()) >= 3
    assert sum(counts.values()) == 166
    for tables in found.values():
        for _, runs in tables:
            runs.check_groups(())
