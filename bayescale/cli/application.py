"""The Typer application that every verb joins."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="bayescale",
    help="Decide whether to pay for a large training run, from the losses of small ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
