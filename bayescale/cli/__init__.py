"""The command line: one verb a question; each takes files, and `--json` for a program to read."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import typer

from bayescale.cli import (
    curves,
    estimation,
    inspection,
    laws,
    planning,
    proof,
    running,
    storage,
    training,
    verdict,
)
from bayescale.cli.application import app
from bayescale.cli.screen import STATUS_ERROR, print_error, print_json_error, show_warning
from bayescale.errors import BayescaleError

__all__ = [
    "app",
    "curves",
    "estimation",
    "inspection",
    "laws",
    "main",
    "planning",
    "proof",
    "running",
    "storage",
    "training",
    "verdict",
]


_UsageError: Any = typer.BadParameter.__bases__[0]
"""What the parser of words raises; Typer gives it no public name."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of ours print one message and exit with status 2.

    Under ``--json`` they are also a JSON object on stdout: ``error`` with ``kind``, ``message``,
    ``hint`` and ``status``, and ``table``, ``column``, ``rows``... where they are known.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.
    """
    warnings.showwarning = show_warning
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.exit(app(args=words, standalone_mode=False) or 0)
    except BayescaleError as error:
        print_error(error.message, error.hint)
        _end(words, error, error.message, error.hint, error.at)
    except _UsageError as error:
        error.show()
        _end(words, error, error.format_message())
    except OSError as error:
        print_error(str(error))
        _end(words, error, str(error))


def _end(
    words: list[str],
    error: Exception,
    message: str,
    hint: str = "",
    at: Mapping[str, Any] | None = None,
) -> NoReturn:
    """Exit with status 2, the error also as JSON where the answer would have been."""
    after = words[words.index("--json") + 1 :] if "--json" in words else []
    to_file = words[:1] == ["decide"] and "".join(after[:1]).endswith(".json")
    if "--json" in words and not to_file:
        print_json_error(type(error).__name__, message, hint, at or {})
    sys.exit(STATUS_ERROR)
