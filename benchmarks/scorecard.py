"""Join what was to be reached with what results say: writes SCORECARD.md.

python benchmarks/scorecard.py

Each row of `scorecard.yaml` names a number in a file of `results/`, which says what command made
it. A test holds the page to the results that are committed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from bayescale.runs.save import write_atomically

HERE = Path(__file__).parent
PAGE = HERE / "SCORECARD.md"
_HEAD = """# Scorecard

What bayescale set out to reach and what it measured. `python benchmarks/scorecard.py` writes this
page from `scorecard.yaml` and `results/`; why a number was missed, and what was tried, stands in
[NOTES.md](NOTES.md).
"""
_TABLE = ("| what | must | reached | command |", "|---|---|---|---|")
_NUMBER = r"\d+(?:\.\d+)?"
_MUST = re.compile(f"(at most |at least |)({_NUMBER})(?: to ({_NUMBER}))?")


def main() -> None:
    content = page()
    write_atomically(PAGE, lambda part: part.write_text(content, encoding="utf-8"))
    print(content)


def page() -> str:
    """Return the scorecard as Markdown."""
    sections = yaml.safe_load((HERE / "scorecard.yaml").read_text(encoding="utf-8"))
    rows = [row for section in sections for row in section["rows"]]
    reached = f"Reached: {sum(_met(row) for row in rows)} of {len(rows)}.\n"
    return "\n".join([_HEAD, reached, *(_section(section) for section in sections)])


def bounds(must: str) -> tuple[float, float]:
    """Return the lowest and highest value that ``at most 0.6`` or ``0.85 to 0.95`` allows.

    Raises
    ------
    ValueError
        For any other text.
    """
    found = _MUST.fullmatch(must)
    if found is None or bool(found[1]) == bool(found[3]):
        raise ValueError(f"{must!r} is neither 'at most X', 'at least X' nor 'X to Y'.")
    first = float(found[2])
    if found[3]:
        return first, float(found[3])
    return (-math.inf, first) if found[1] == "at most " else (first, math.inf)


def _section(section: Mapping[str, Any]) -> str:
    about = [section["about"].strip() + "\n"] if "about" in section else []
    rows = (_line(row) for row in section["rows"])
    return "\n".join([f"## {section['title']}\n", *about, *_TABLE, *rows]) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    shown = f"{_value(row):.{row.get('digits', 2)}f}"
    reached = shown if _met(row) else f"**{shown}: missed**"
    return f"| {row['what']} | {row['must']} | {reached} | `{_command(row)}` |"


def _met(row: Mapping[str, Any]) -> bool:
    low, high = bounds(row["must"])
    return low <= _value(row) <= high


def _value(row: Mapping[str, Any]) -> float:
    return _number(_result(row["file"]), row["at"]) * row.get("scale", 1)


def _number(found: Any, at: Sequence[Any]) -> float:
    """Return the number that a path leads to; a mapping is the mean over parts that hold it."""
    if not at:
        return float(found)
    if not isinstance(at[0], dict):
        return _number(found[at[0]], at[1:])
    chosen = [part for part in found.values() if at[0].items() <= part.items()]
    return fmean(_number(part, at[1:]) for part in chosen)


def _command(row: Mapping[str, Any]) -> str:
    """Return the row's own command, or the innermost one on the way to its number."""
    found, command = _result(row["file"]), row.get("command", "")
    for key in row["at"]:
        if not isinstance(found, dict) or isinstance(key, dict):
            break
        command = found.get("command", command)
        found = found[key]
    if not command:
        raise ValueError(f"results/{row['file']}.json does not say what made {row['what']!r}.")
    return str(command)


@cache
def _result(name: str) -> Any:
    return json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
