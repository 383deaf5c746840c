"""Public tables: fetched from a server on this machine that is slow, broken, wrong or gone."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescale.cli import main
from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.public.card import list_public, load_public_card
from bayescale.runs.public.get import get_public
from bayescale.runs.table import read_runs
from tests.runs.public.conftest import Repository
from tests.runs.public.upstream import WRITERS

Served = Callable[..., Repository]
PATH = "data/svg_extracted_data.csv"


@pytest.fixture
def text() -> bytes:
    """Invented runs in the form of the smallest public table, 30 kB of them."""
    rng = np.random.default_rng(5)
    made = pd.DataFrame(
        {
            "Model Size": np.exp(rng.uniform(18, 23, 600)),
            "Training FLOP": np.exp(rng.uniform(42, 50, 600)),
            "loss": rng.uniform(2, 4, 600),
        }
    )
    return str(made.to_csv(index=False)).encode()


@pytest.fixture
def expected(text: bytes, tmp_path: Path) -> dict[str, object]:
    """What a card of that table expects."""
    path = tmp_path / "own.csv"
    path.write_bytes(text)
    mean = float(np.log(pd.read_csv(path)["loss"]).mean())
    return {"expected": {"rows": 600, "mean_log": {"loss": mean}}}


def file_of(text: bytes, sha256: str | None = None) -> dict[str, object]:
    known = hashlib.sha256(text).hexdigest() if sha256 is None else sha256
    return {"files": [{"path": PATH, "sha256": known}]}


def test_a_table_is_fetched_once_and_then_known_by_its_name(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    server = served("chinchilla", {PATH: text}, **expected, **file_of(text))
    first = get_public("chinchilla")
    assert first.is_relative_to(cache)
    assert get_public("chinchilla") == first
    assert len(server.asked) == 1
    runs = read_runs("chinchilla")
    assert (runs.name, len(runs)) == ("chinchilla", 600)
    assert np.allclose(runs.compute_6nd, runs.numbers("flops"))
    assert runs.numbers("excluded_by_refit").sum() == 5


def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    server = served("chinchilla", {PATH: text}, **expected, **file_of(text))
    server.broken[f"/raw/commit/{PATH}"] = 2
    get_public("chinchilla", pause=0.0)
    half = len(text) // 2
    ranges = ["", f"bytes={half}-", f"bytes={half + (len(text) - half) // 2}-"]
    assert [wanted for _, wanted in server.asked] == ranges


def test_what_an_earlier_process_fetched_is_not_fetched_again(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    server = served("chinchilla", {PATH: text}, **expected, **file_of(text))
    server.broken[f"/raw/commit/{PATH}"] = 4
    with pytest.raises(RunsTableError, match=r"broke off \d+ bytes before the end, 4 times"):
        get_public("chinchilla", pause=0.0)
    (part,) = cache.rglob("*.part")
    kept = part.stat().st_size
    get_public("chinchilla", pause=0.0)
    assert server.asked[-1][1] == f"bytes={kept}-"
    assert not list(cache.rglob("*.part"))


def test_a_server_that_knows_no_ranges_sends_all_again(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    server = served("chinchilla", {PATH: text}, **expected, **file_of(text))
    server.broken[f"/raw/commit/{PATH}"] = 1
    server.without_range.add(f"/raw/commit/{PATH}")
    get_public("chinchilla", pause=0.0)
    assert len(server.asked) == 2


def test_leftovers_longer_than_the_file_are_thrown_away(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    served("chinchilla", {PATH: text}, **expected, **file_of(text))
    part = cache / "chinchilla" / "commit" / f"{PATH}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(text * 2)
    get_public("chinchilla", pause=0.0)
    assert len(read_runs("chinchilla")) == 600


def test_a_slow_server_is_waited_for_and_a_dead_one_is_not(
    served: Served,
    cache: Path,
    text: bytes,
    expected: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = served("chinchilla", {PATH: text}, **expected, **file_of(text))
    server.seconds_a_piece = 0.005
    get_public("chinchilla", pause=0.0)
    (cache / "chinchilla" / "chinchilla.csv").unlink()
    (cache / "chinchilla" / "commit" / PATH).unlink()
    monkeypatch.setattr("bayescale.runs.public.download.TIMEOUT_SECONDS", 0.05)
    server.seconds_a_piece = 0.2
    with pytest.raises(RunsTableError, match=r"cannot be fetched \(timed out\).*Check the connec"):
        get_public("chinchilla", pause=0.0)


def test_another_file_than_the_card_says_is_not_kept(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    served("chinchilla", {PATH: text}, **expected, **file_of(text, "0" * 64))
    with pytest.raises(RunsTableError, match=r"another sha256 than the card's 000000000000"):
        get_public("chinchilla", pause=0.0)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_file_without_a_hash_is_held_to_its_first_copy(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    served("chinchilla", {PATH: text}, **expected)
    table = get_public("chinchilla")
    seen = json.loads((cache / "chinchilla" / "commit" / "sha256.json").read_text())
    assert seen == {PATH: hashlib.sha256(text).hexdigest()}
    table.unlink()
    (cache / "chinchilla" / "commit" / PATH).write_bytes(text + b"1e8,1e19,3.0\n")
    with pytest.raises(RunsTableError, match=r"when it was fetched.*delete"):
        get_public("chinchilla")


def test_without_a_server_the_message_says_so(
    served: Served, cache: Path, text: bytes, expected: dict[str, object]
) -> None:
    changes = {**expected, **file_of(text), "repository": "http://127.0.0.1:9"}
    served("chinchilla", {}, **changes)
    with pytest.raises(RunsTableError, match=r"127.0.0.1:9/raw.*cannot be fetched .*refused"):
        get_public("chinchilla", pause=0.0)
    with pytest.raises(RunsTableError, match=r"not been fetched.*bayescale data get chinchilla"):
        read_runs("chinchilla")


def test_a_file_that_is_gone_is_asked_for_once(served: Served, cache: Path) -> None:
    server = served("chinchilla", {})
    with pytest.raises(RunsTableError, match="the server answers 404"):
        get_public("chinchilla", pause=0.0)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expected": {"rows": 601, "mean_log": {}}}, "600 rows, the card says 601"),
        ({"expected": {"rows": 600, "mean_log": {"loss": 1.0}}}, "mean log of loss is"),
    ],
)
def test_a_table_that_is_not_what_its_card_says_is_refused(
    served: Served, cache: Path, text: bytes, changes: dict[str, object], message: str
) -> None:
    served("chinchilla", {PATH: text}, **changes)
    with pytest.raises(RunsTableError, match=message):
        get_public("chinchilla")
    assert not (cache / "chinchilla" / "chinchilla.csv").exists()


def test_files_of_another_form_are_refused(served: Served, cache: Path) -> None:
    served("chinchilla", {PATH: b"N,C\n1,2\n"})
    with pytest.raises(RunsTableError, match=r"not of the form its converter knows \(KeyError"):
        get_public("chinchilla")


def test_only_getting_uses_a_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    for name in list_public():
        with pytest.raises(RunsTableError, match="has not been fetched"):
            read_runs(name)


def test_the_verb_gets_shows_and_refuses(
    served: Served,
    cache: Path,
    text: bytes,
    expected: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    served("chinchilla", {PATH: text}, **expected)
    for arguments in (["data", "get", "chinchilla", "--json"], ["check", "chinchilla", "--json"]):
        with pytest.raises(SystemExit, match=r"0|1|None"):
            main(arguments)
    assert '"table": "chinchilla"' in capsys.readouterr().out
    for arguments in (["data", "get", "chinchila"], ["data", "get"], ["data", "a", "b"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    assert "Did you mean 'chinchilla'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"file": []}, "file: Extra inputs are not permitted"),
        ({"files": []}, "files: "),
        ({"files": [{"path": "../etc/passwd"}]}, "expected a path below the repository's root"),
        ({"files": [{"path": "a", "sha256": "12"}]}, "expected 64 hexadecimal digits"),
    ],
)
def test_a_faulty_card_is_refused(served: Served, changes: dict[str, object], message: str) -> None:
    served("chinchilla", {}, **changes)
    with pytest.raises(RunsTableError, match=f"card.yaml: .*{message}"):
        load_public_card("chinchilla")


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"public table 'routin'.*Did you mean 'routing'"):
        load_public_card("routin")


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_what_was_read_from_the_files_comes_out_of_the_converter(
    name: str, served: Served, cache: Path, public_data: Path
) -> None:
    """The tables at hand were read from these files by others; the way there and back is ours."""
    table = pd.read_csv(public_data / f"{name}.csv")
    server = served(name, WRITERS[name](table))
    runs = read_runs(get_public(name))
    assert len(server.asked) == len(load_public_card(name).files)
    if name == "datablations":
        table = table[table["run_id"] != "db_4b284b12b2"]
    spelled = {"params": "n_params", "tokens": "n_tokens", "loss": "loss"}
    ours = runs.frame.sort_values([*spelled.values()])
    theirs = table.rename(columns=spelled).sort_values([*spelled.values()])
    for column in spelled.values():
        assert np.allclose(ours[column], theirs[column], rtol=1e-6, atol=0.0)
    for column in {*ours.columns, *spelled} & {"dataset", "loss_kind"}:
        assert ours[column].tolist() == theirs[column].tolist()
    assert runs.frame["run_id"].nunique() == table["run_id"].nunique()


def test_every_card_has_a_converter_and_known_citations(repository: Path) -> None:
    folder = repository / "bayescale" / "runs" / "public" / "converters"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(list_public())
    bibliography = (repository / "bayescale" / "references.bib").read_text(encoding="utf-8")
    for name in list_public():
        card = load_public_card(name)
        assert card.name == name
        keys = [
            word for word in card.citation.split(", ") if word[-1].isalpha() and " " not in word
        ]
        assert all(f"{{{key}," in bibliography for key in keys)
