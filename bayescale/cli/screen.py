"""What the command line shows: tables, JSON, notes and progress."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayescale.errors import BayescaleWarning

if TYPE_CHECKING:
    import pandas as pd

JSON_FORMAT = 1
"""Version of what `--json` prints; it rises when a key goes or changes its meaning."""

STATUS_ERROR = 2
"""Exit status of bad input."""

PIPED_WIDTH = 160
"""Columns of text where there is no terminal to ask."""

out = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True)


def print_error(message: str, hint: str = "") -> None:
    """Print one readable error and its way out to stderr."""
    err.print(f"[bold red]error:[/] {plain(message)}", highlight=False, soft_wrap=True)
    if hint:
        err.print(f"[bold]way out:[/] {plain(hint)}", highlight=False, soft_wrap=True)


def show_warning(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    """Print warnings of ours as notes on stderr; leave others unsaid."""
    if issubclass(category, BayescaleWarning):
        print_note(str(message))


def print_note(message: str) -> None:
    """Print a note to stderr."""
    err.print(f"[yellow]note:[/] {plain(message)}", highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    """Return text in which nothing is taken for Rich markup."""
    return text.replace("[", "\\[")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries that JSON can hold; NaN becomes null."""
    return [_jsonable(row) for row in frame.to_dict("records")]


def _jsonable(value: Any) -> Any:
    """Return plain data with NumPy scalars unpacked and what is no finite number as null."""
    if isinstance(value, dict):
        return {str(key): _jsonable(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(entry) for entry in value]
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


def print_json(content: Mapping[str, Any], *, one_line: bool = False) -> None:
    """Print `content` as a JSON object, its format first; on one line where more will follow.

    What is also a file, such as a decision, states the format of that file.
    """
    indent = None if one_line else 2
    said = _jsonable({"format": JSON_FORMAT, **content})
    print(json.dumps(said, indent=indent, allow_nan=False), flush=one_line)


def print_json_error(kind: str, message: str, hint: str, at: Mapping[str, Any]) -> None:
    """Print an error as a JSON object on one line, so that it also ends a stream of lines."""
    found = {"kind": kind, "message": message, "hint": hint, **at, "status": STATUS_ERROR}
    print_json({"error": found}, one_line=True)


def print_frame(frame: pd.DataFrame) -> None:
    """Print a frame as a text table."""
    rows = [
        [f"{v:.4g}" if isinstance(v, float) else str(v) for v in row]
        for row in frame.itertuples(index=False)
    ]
    print_rows([str(column) for column in frame.columns], rows)


def print_rows(head: Sequence[str], rows: Sequence[Sequence[str]], *, markup: bool = False) -> None:
    """Print a text table; cells hold Rich markup only where `markup` is set."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(cell if markup else Text(cell) for cell in row))
    out.print(table, highlight=False)


def print_lines(lines: Sequence[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        out.print(plain(line), highlight=False, soft_wrap=True)


@contextmanager
def status(text: str) -> Iterator[None]:
    """Show a spinner on stderr while something runs."""
    with err.status(text):
        yield


@contextmanager
def bar(visible: bool, title: str) -> Iterator[Callable[..., None]]:
    """Show a progress bar on a terminal; yields a function of the share done and a text."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not (visible and err.is_terminal)) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda share, text=title: progress.update(
            task, completed=share, description=plain(text)
        )
