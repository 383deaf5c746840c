"""Shipped tables and their cards."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.registry import shipped, shipped_roots
from bayescale.runs.catalog import list_runs, load_card, runs_folder
from bayescale.runs.table import read_runs

TEXT = "n_params,n_tokens,loss\n1e8,2e9,3.4\n2e8,4e9,3.1\n"

CARD = {
    "name": "toy_grid",
    "title": "Two invented runs",
    "source": "made up for a test",
    "licence": "CC0-1.0",
    "citation": "none",
    "conventions": {"n_params": "all", "flops": "6 N D", "loss": "nats per token"},
    "versions": {"numpy": 2.4, "torch": "2.13.0"},
    "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
    "default_group": ["dataset"],
    "true_values": {"E": 1.7},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data" / "runs" / "toy_grid"
    folder.mkdir(parents=True)
    (folder / "runs.csv").write_text(TEXT)
    write_card(folder)
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    return folder


def write_card(folder: Path, **changes: object) -> None:
    (folder / "card.yaml").write_text(yaml.safe_dump(CARD | changes))


def test_a_shipped_table_is_read_by_name_or_folder(folder: Path) -> None:
    assert "toy_grid" in list_runs()
    assert runs_folder("toy_grid") == folder
    for source in ("toy_grid", folder, str(folder)):
        runs = read_runs(source)
        assert (runs.name, len(runs)) == ("toy_grid", 2)


def test_the_card(folder: Path) -> None:
    card = load_card("toy_grid")
    assert card.conventions.loss == "nats per token"
    assert card.versions == {"numpy": "2.4", "torch": "2.13.0"}
    assert card.default_group == ("dataset",)
    assert card.true_values == {"E": 1.7}


def test_unknown_names_list_the_known_ones(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"'toy_gird'.*Did you mean 'toy_grid'"):
        load_card("toy_gird")
    with pytest.raises(
        RunsTableError, match=r"no file 'toy_gird', and no .*Did you mean 'toy_grid'"
    ):
        read_runs("toy_gird")


def test_changed_data_is_refused(folder: Path) -> None:
    (folder / "runs.csv").write_text(TEXT.replace("3.4", "3.3"))
    with pytest.raises(RunsTableError, match=f"the card says {CARD['sha256'][:12]}"):  # type: ignore[index]
        read_runs("toy_grid")


def test_missing_data_is_refused(folder: Path) -> None:
    (folder / "runs.csv").unlink()
    with pytest.raises(RunsTableError, match=r"toy_grid: holds a card and no runs.csv"):
        load_card("toy_grid")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"license": "MIT"}, "unknown key 'license'.*Did you mean 'licence'"),
        (
            {"conventions": {**CARD["conventions"], "n_param": "x"}},  # type: ignore[dict-item]
            "unknown key 'conventions.n_param'.*Did you mean 'n_params'",
        ),
        ({"title": ["a", "b"]}, r"title: .*found \['a', 'b'\]"),
        ({"conventions": {"n_params": "all"}}, "conventions.flops: Field required"),
    ],
)
def test_a_faulty_card_is_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    write_card(folder, **changes)
    with pytest.raises(RunsTableError, match=f"card.yaml: {message}"):
        load_card("toy_grid")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("name: [unclosed", "cannot be read"),
        ("just text", "the card: .*found 'just text'"),
        ("", "the card: .*found None"),
    ],
)
def test_a_card_runs_no_code_and_is_a_mapping(folder: Path, text: str, message: str) -> None:
    (folder / "card.yaml").write_text(text)
    with pytest.raises(RunsTableError, match=f"(?s)card.yaml: .*{message}|card.yaml: {message}"):
        load_card("toy_grid")


def test_places_are_tried_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    (tmp_path / "models").mkdir()
    assert shipped("models") == tmp_path / "models"
    assert shipped(str(tmp_path)) == tmp_path
    assert shipped("no", "such") == shipped_roots()[-1] / "no" / "such"
    monkeypatch.delenv("BAYESCALE_DATA")
    assert shipped("models") != tmp_path / "models"


def test_every_shipped_table_has_a_true_card() -> None:
    for name in list_runs():
        card, runs = load_card(name), read_runs(name)
        assert card.name == runs.name == name
        assert (runs_folder(name) / "prepare.py").is_file()
        assert set(card.default_group) <= set(runs.columns)
