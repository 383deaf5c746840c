"""Console output: lines of a known form, read while they are still being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayescale.runs.importers.run_log import N_STEPS, RunLog, collect
from bayescale.runs.schema import STEP

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class TextForm:
    """How a program prints.

    Parameters
    ----------
    program : str
        Its name.
    measured : tuple of str
        Patterns with a group ``step`` and groups named after metrics.
    stated : tuple of str
        Patterns whose groups are named after facts.
    """

    program: str
    measured: tuple[str, ...]
    stated: tuple[str, ...] = ()

    def recognises(self, text: str) -> bool:
        """Return whether a text has a line of this form."""
        return any(re.search(pattern, line) for line in _lines(text) for pattern in self.measured)

    def read(self, path: Path, name: str) -> RunLog:
        """Return the log that a file of this form holds so far."""
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = list(_lines(text))
        found = [
            match
            for line in lines
            for pattern in self.measured
            for match in _matches(pattern, line)
        ]
        facts: dict[str, Any] = {}
        for line in lines:
            for pattern in self.stated:
                for match in _matches(pattern, line):
                    facts |= {key: _number(word) for key, word in match.items() if word}
        points = [
            (key, _number(match[STEP]), _number(word))
            for match in found
            for key, word in match.items()
            if key != STEP and word
        ]
        return RunLog(name, collect(points), facts, _status(facts, points))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines without colours; a progress line that is written over counts each time."""
    return iter(_COLOUR.sub("", text).replace("\r", "\n").split("\n"))


def _matches(pattern: str, line: str) -> Iterator[dict[str, str]]:
    match = re.search(pattern, line)
    if match is not None:
        yield match.groupdict(default="")


def _number(word: str) -> float:
    try:
        return float(word.replace(",", ""))
    except ValueError:
        return float("nan")


def _status(facts: dict[str, Any], points: list[tuple[str, float, float]]) -> str:
    """Return whether the last planned step was reached, where the log says how many there are."""
    planned = facts.get(N_STEPS)
    if planned is None or not points:
        return ""
    # Some programs count steps from nought.
    return "finished" if max(step for _, step, _ in points) >= planned - 1 else "running"
