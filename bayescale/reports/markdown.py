"""A report as Markdown for a pull request: the same sections, pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bayescale.reports import sentences
from bayescale.reports.content import (
    Block,
    Bullets,
    Code,
    Findings,
    Heading,
    Opening,
    Pairs,
    Picture,
    Rows,
    Section,
    Text,
)
from bayescale.reports.tables import Table

_PLAIN = str.maketrans(
    {
        **{character: f"\\{character}" for character in "\\`*_[]~$#"},
        **{character: f"&#{ord(character)};" for character in "&<>|@"},
    }
)


def markdown(opening: Opening, sections: tuple[Section, ...], folder: str) -> str:
    """Return the report as Markdown.

    Parameters
    ----------
    opening : Opening
        The first screen.
    sections : tuple of Section
        Everything below it.
    folder : str
        Where the pictures are, relative to the file.
    """
    parts = [*_opening(opening, folder)]
    for section in sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [_block(block, folder) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """Return text of which a Markdown reader makes nothing but that text."""
    return " ".join(text.split()).translate(_PLAIN)


def _opening(opening: Opening, folder: str) -> Iterator[str]:
    yield f"# {escaped(opening.title)}"
    yield f"**{opening.verdict}**: {escaped(opening.sentence)}"
    yield "\n".join(f"- **{escaped(f.number)}** {escaped(f.words)}" for f in opening.figures)
    yield escaped(f"{opening.basis}. {opening.note}")
    yield _block(opening.picture, folder)
    if opening.changes:
        yield f"## {sentences.CHANGES_TITLE}"
        rows = tuple((c.label, c.stated, c.words) for c in opening.changes)
        yield _table(Table(("", "in the plan", "turns"), rows, ("", "turns")))


def _block(block: Block, folder: str) -> str:
    match block:
        case Text():
            return f"**{escaped(block.words)}**" if block.look == "strong" else escaped(block.words)
        case Heading():
            return f"### {escaped(block.words)}"
        case Bullets():
            return "\n".join(f"- {escaped(item)}" for item in block.items)
        case Rows():
            return _folded(_table(block.table), block.folded)
        case Picture():
            shown = f"![{escaped(block.alt)}]({folder}/{block.name}.svg)"
            return f"{shown}\n\n{escaped(block.caption)}" if block.caption else shown
        case Pairs():
            return _table(Table(("name", "value"), block.items, ("name", "value")))
        case Findings():
            rows = tuple(
                (f.level, f.check, f"{f.message} {f.recommendation}".strip()) for f in block.items
            )
            table = Table(("", "check", "found"), rows, ("", "check", "found"))
            return _folded(_table(table), block.folded)
        case Code():
            fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", block.text)), default=0))
            return _folded(f"{fence}\n{block.text.rstrip()}\n{fence}", block.label)


def _table(table: Table) -> str:
    marks = ["---" if column in table.texts else "---:" for column in table.columns]
    rows = [[escaped(cell) for cell in row] for row in (table.columns, *table.rows)]
    lines = [rows[0], marks, *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _folded(text: str, label: str) -> str:
    if not label:
        return text
    return f"<details><summary>{escaped(label)}</summary>\n\n{text}\n\n</details>"
