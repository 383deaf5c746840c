"""The shipped runs tables: one folder each with a card, the data and the script that made them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bayescale.errors import RunsTableError, UnknownNameError, nearest
from bayescale.registry import shipped, shipped_roots

DATA_FILES = ("runs.csv", "runs.csv.gz", "runs.parquet")


class Conventions(BaseModel):
    """How the numbers of a table were counted, in words.

    Parameters
    ----------
    n_params, flops, loss : str
        What the parameters include, how FLOPs are counted, which loss on which text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_params: str
    flops: str
    loss: str


class Card(BaseModel):
    """Where a shipped table comes from and what its numbers mean.

    Parameters
    ----------
    name, title, source, licence, citation : str
        Identity; `name` is the name of the folder.
    conventions : Conventions
        How parameters, FLOPs and loss were counted.
    units : dict of str to str
        Unit of each column the schema does not know.
    hardware, command : str
        What made the runs, and the command that makes the table.
    versions : dict of str to str
        Of the packages that matter.
    sha256 : str
        Of the data file beside the card.
    default_group : tuple of str
        Columns a fit of this table groups by unless told otherwise.
    true_values : dict
        Coefficients that made a simulated table; empty for measured ones.
    notes : str
        What a reader must know before using the table.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    name: str
    title: str
    source: str
    licence: str
    citation: str
    conventions: Conventions
    units: dict[str, str] = Field(default_factory=dict)
    hardware: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    sha256: str
    command: str = ""
    default_group: tuple[str, ...] = ()
    true_values: dict[str, Any] = Field(default_factory=dict)
    notes: str = ""


def list_runs() -> tuple[str, ...]:
    """Return the names of the shipped tables, sorted."""
    cards = (card for root in shipped_roots() for card in root.glob("data/runs/*/card.yaml"))
    return tuple(sorted({card.parent.name for card in cards}))


def runs_folder(name: str) -> Path:
    """Return the folder of a shipped table, or of a path that holds a card.

    Raises
    ------
    UnknownNameError
        When no shipped table has this name.
    """
    if (Path(name) / "card.yaml").is_file():
        return Path(name)
    if name not in list_runs():
        raise UnknownNameError("shipped runs table", name, list_runs())
    # Not the first folder of that name but the first with a card: another may be half made.
    return shipped("data", "runs", name, "card.yaml").parent


def runs_file(name: str) -> Path:
    """Return the data file of a shipped table after checking it against its card.

    Raises
    ------
    RunsTableError
        When the file is missing or is not the one the card was written for.
    """
    load_card(name)
    return _data_file(runs_folder(name))


def load_card(name: str) -> Card:
    """Return the card of a shipped table after checking the data against it.

    Raises
    ------
    UnknownNameError
        When no shipped table has this name.
    RunsTableError
        When the card cannot be read, has a key no card has, or its checksum is not the data's.
    """
    folder = runs_folder(name)
    card = _read_card(folder / "card.yaml")
    path = _data_file(folder)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != card.sha256:
        raise RunsTableError(
            f"{path}: sha256 is {found[:12]}..., the card says {card.sha256[:12]}...",
            f"The data changed after the card was written: run {folder / 'prepare.py'} again.",
        )
    return card


def _read_card(path: Path) -> Card:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Card.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunsTableError(f"{path}: cannot be read ({error}).", "Expected plain YAML.") from None
    except ValidationError as error:
        raise RunsTableError(f"{path}: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"])) or "the card"
    if fault["type"] == "extra_forbidden":
        model = Conventions if len(fault["loc"]) > 1 else Card
        return f"unknown key {where!r}. {nearest(str(fault['loc'][-1]), model.model_fields)}"
    return f"{where}: {fault['msg']}, found {fault['input']!r}."


def _data_file(folder: Path) -> Path:
    for name in DATA_FILES:
        if (folder / name).is_file():
            return folder / name
    raise RunsTableError(
        f"{folder}: holds a card and no {' or '.join(DATA_FILES)}.",
        f"Run {folder / 'prepare.py'}.",
    )
