"""What a report is made of: sections of blocks, which a page and a Markdown file both show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bayescale.reports.tables import Table
from bayescale.runs.finding import Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Text:
    """A paragraph; `look` is empty, ``muted`` or ``strong``."""

    kind: ClassVar[str] = "text"
    words: str
    look: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    words: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """A table.

    Parameters
    ----------
    table : Table
        Columns and cells.
    live : str
        Name by which sliders find its cells; empty for a table that stays.
    chosen : str
        First cell of the row to stress.
    folded : str
        Label under which the table is folded away; empty for one that is open.
    """

    kind: ClassVar[str] = "rows"
    table: Table
    live: str = ""
    chosen: str = ""
    folded: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture, drawn when it is shown.

    Parameters
    ----------
    name : str
        Of its file, and of everything in it that sliders move.
    draw : callable
        Returns axes of a new figure.
    alt : str
        What a reader who cannot see it should know.
    caption : str
        Below it.
    """

    kind: ClassVar[str] = "picture"
    name: str
    draw: Callable[[], Axes]
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Pairs:
    """Names and what they stand for."""

    kind: ClassVar[str] = "pairs"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Findings:
    """Checks: PASS, REVIEW or FAIL, with what to do; folded away under `folded` where it is set."""

    kind: ClassVar[str] = "findings"
    items: tuple[Finding, ...]
    folded: str = ""


@dataclass(frozen=True)
class Code:
    """Text to copy: a command, or a file; folded away under `label` where it has one."""

    kind: ClassVar[str] = "code"
    text: str
    label: str = ""


Block = Text | Heading | Bullets | Rows | Picture | Pairs | Findings | Code


@dataclass(frozen=True)
class Section:
    """A part of a report under one heading."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Name to link to."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())


@dataclass(frozen=True)
class Figure:
    """A large number and what it stands for; `live` is the name by which sliders find it."""

    live: str
    number: str
    words: str


@dataclass(frozen=True)
class Change:
    """Something that would change the answer.

    Parameters
    ----------
    live : str
        Name of its slider.
    label, stated, words : str
        What it is, its value, and where the answer turns.
    """

    live: str
    label: str
    stated: str
    words: str


@dataclass(frozen=True)
class Opening:
    """The first screen.

    Parameters
    ----------
    title, basis : str
        The question, and what the answer rests on.
    verdict, tone, sentence : str
        The answer, its colour, and the answer as a sentence.
    figures : tuple of Figure
        The one number, then the others.
    picture : Picture
        The one picture.
    changes : tuple of Change
        What would change the answer.
    note : str
        Said below; may be empty.
    """

    title: str
    basis: str
    verdict: str
    tone: str
    sentence: str
    figures: tuple[Figure, ...]
    picture: Picture
    changes: tuple[Change, ...] = ()
    note: str = ""
