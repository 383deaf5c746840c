"""Every shipped model, table, card and citation loads; the inventories in the documents agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

import bayescale as bs
from bayescale.inference.checks.check_posterior import CHECKS as OF_POSTERIOR
from bayescale.models.catalog import read_model
from bayescale.registry import shipped
from bayescale.runs.catalog import load_card
from bayescale.runs.lint import CHECKS
from bayescale.runs.public.card import list_public

KEY = re.compile(r"\b[a-z]+(?:19|20)\d\d[a-z]+\b")
"""A citation key: first author, year, first word of the title."""


@pytest.fixture(scope="module")
def keys(repository: Path) -> set[str]:
    text = (repository / "bayescale" / "references.bib").read_text(encoding="utf-8")
    return set(re.findall(r"^@\w+\{(\w+),", text, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def architecture(repository: Path) -> str:
    return (repository / "ARCHITECTURE.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*bs.list_laws(), *bs.list_sequence_laws()])
def test_law_cites_known_work(name: str, keys: set[str]):
    law = bs.load_law(name)
    sources = {published.source for published in law.published}
    assert {*law.citation, *sources} <= keys


@pytest.mark.parametrize("name", bs.list_models())
def test_model_loads_and_cites_known_work(name: str, keys: set[str]):
    model = bs.load_model(name)
    assert model.law in bs.list_laws()
    assert model.references
    assert set(model.references) <= keys


def test_every_model_file_is_listed(repository: Path):
    files = sorted((repository / "models").glob("*.yaml"))
    assert {read_model(path).name for path in files} == set(bs.list_models())


@pytest.mark.parametrize("name", bs.list_runs())
def test_runs_table_loads_and_is_what_its_card_says(name: str, keys: set[str]):
    card = load_card(name)
    runs = bs.read_runs(name)
    assert card.name == name
    assert len(runs.usable()[0]) > 0
    assert set(card.default_group) <= set(runs.columns)
    assert set(KEY.findall(card.citation)) <= keys
    assert (shipped("data", "runs", name) / "prepare.py").is_file()


def test_every_folder_of_runs_holds_a_table(repository: Path):
    folders = {path.parent.name for path in (repository / "data" / "runs").glob("*/prepare.py")}
    assert folders == set(bs.list_runs())


@pytest.mark.parametrize("card", sorted(shipped("data", "corpora").glob("*/card.yaml")), ids=str)
def test_corpus_card_is_complete(card: Path):
    held = yaml.safe_load(card.read_text(encoding="utf-8"))
    assert held["name"] == card.parent.name
    assert held["licence"]
    assert (card.parent / "prepare.py").is_file()
    for version, made in held["versions"].items():
        assert re.fullmatch(r"[0-9a-f]{64}", made["sha256"]), version


def _first_column(text: str, heading: str) -> set[str]:
    """Return the names, in backticks, that start the rows of the table under a heading."""
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE))


def test_architecture_page_lists_the_laws(architecture: str):
    assert _first_column(architecture, "Laws") == set(bs.list_laws())


def test_architecture_page_lists_the_laws_of_curves(architecture: str):
    assert _first_column(architecture, "Laws of curves") == set(bs.list_sequence_laws())


def test_architecture_page_lists_the_architectures(architecture: str, repository: Path):
    # By file, because the module imports PyTorch.
    files = (repository / "bayescale" / "harness" / "architectures").glob("*.py")
    mixers = {path.stem for path in files} - {"__init__", "backbone"}
    assert _first_column(architecture, "Architectures") == mixers


def test_architecture_page_lists_the_models(architecture: str):
    assert _first_column(architecture, "Models") == set(bs.list_models())


def test_architecture_page_lists_the_checks(architecture: str):
    assert _first_column(architecture, "Checks of a runs table") == {c.name for c in CHECKS}


def test_architecture_page_lists_the_checks_of_a_posterior(architecture: str):
    assert _first_column(architecture, "Checks of a posterior") == {c.name for c in OF_POSTERIOR}


def test_architecture_page_lists_the_runs_tables(architecture: str):
    assert _first_column(architecture, "Runs tables") == set(bs.list_runs())
    assert _first_column(architecture, "Public tables") == set(list_public())


def _backtest_rows(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `(\w+)` (\|.*\|)$", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["huber_bootstrap", "coupled_gp_weak", "coupled_gp"])
def test_readme_says_what_the_backtest_found(name: str, repository: Path):
    row = _backtest_rows((repository / "README.md").read_text(encoding="utf-8"))[name]
    made = json.loads((repository / f"benchmarks/results/backtest_{name}.json").read_text())
    covered, crps, worst = (
        made["overall"]["coverage_90"],
        made["overall"]["crps"]["mean"],
        made["worst_family"]["coverage_90"],
    )
    interval = f"{covered['mean']:.2f} ({covered['low']:.2f} to {covered['high']:.2f})"
    assert row == f"| {interval} | {crps:.3f} | {worst:.2f} |"
