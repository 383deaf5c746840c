"""The command line: one verb a question; each takes files, and `--json` for a program to read."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

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
from bayescale.cli.screen import print_error, show_warning
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of ours print one message and exit with status 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.
    """
    warnings.showwarning = show_warning
    try:
        app(args=list(arguments) if arguments is not None else None)
    except BayescaleError as error:
        print_error(error.message, error.hint)
        sys.exit(2)
    except OSError as error:
        print_error(str(error))
        sys.exit(2)
