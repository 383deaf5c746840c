"""Cards of public tables: which files of which commit, and what the converted table must be."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.registry import shipped, shipped_roots
from bayescale.runs.catalog import Conventions


class PublicFile(BaseModel):
    """One file of a public repository.

    Parameters
    ----------
    path : str
        Below the repository's root.
    sha256 : str or None
        Of the file; None where whoever wrote the card had no copy to take it from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    sha256: str | None = None

    @field_validator("path")
    @classmethod
    def _stays_below(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts:
            raise ValueError("expected a path below the repository's root")
        return path

    @field_validator("sha256")
    @classmethod
    def _is_a_hash(cls, sha256: str | None) -> str | None:
        if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", sha256):
            raise ValueError("expected 64 hexadecimal digits")
        return sha256


class Expected(BaseModel):
    """What the converted table is recognised by, whatever its authors' files look like.

    Parameters
    ----------
    rows : int
        Measured losses.
    mean_log : dict of str to float
        Column to the mean of its natural log, to six decimals.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    mean_log: dict[str, float]


class PublicCard(BaseModel):
    """Where a public table comes from and what its numbers mean.

    Parameters
    ----------
    name, title, licence, citation : str
        Identity; `name` is the name of the folder. Citations are keys of ``references.bib``.
    repository, commit : str
        Address of the public repository, and the version that is read.
    files : tuple of PublicFile
        What is fetched.
    conventions : Conventions
        How parameters, FLOPs and loss were counted.
    units : dict of str to str
        Unit of each column the schema does not know.
    expected : Expected
        Checked after every conversion.
    default_group : tuple of str
        Columns a fit of this table groups by.
    notes : str
        What a reader must know before using the table.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    licence: str
    citation: str
    repository: str
    commit: str
    files: tuple[PublicFile, ...] = Field(min_length=1)
    conventions: Conventions
    units: dict[str, str] = Field(default_factory=dict)
    expected: Expected
    default_group: tuple[str, ...] = ()
    notes: str = ""

    def url(self, file: PublicFile) -> str:
        """Return the address of a file at the card's commit."""
        return f"{self.repository}/raw/{self.commit}/{quote(file.path, safe='/=')}"


def list_public() -> tuple[str, ...]:
    """Return the names of the public tables that have a card, sorted."""
    cards = (card for root in shipped_roots() for card in root.glob("data/public/*/card.yaml"))
    return tuple(sorted({card.parent.name for card in cards}))


def load_public_card(name: str) -> PublicCard:
    """Return the card of a public table.

    Raises
    ------
    UnknownNameError
        When no public table has this name.
    RunsTableError
        When the card cannot be read or has a key no card has.
    """
    if name not in list_public():
        raise UnknownNameError("public table", name, list_public())
    path = shipped("data", "public", name, "card.yaml")
    try:
        return PublicCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunsTableError(f"{path}: cannot be read ({error}).", "Expected plain YAML.") from None
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the card"
        raise RunsTableError(
            f"{path}: {where}: {fault['msg']}, found {fault['input']!r}."
        ) from None
