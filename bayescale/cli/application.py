"""The Typer application that every verb joins."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bayescale import __version__

ORDER = ("demo", "check", "fit", "forecast", "allocate", "decide", "next-run", "report")
"""Verbs that come first in the help: the way from a table to a decision."""


class InOrder(TyperGroup):
    """Commands in the order in which one needs them, each with its whole first sentence."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the verbs of `ORDER`, then the others."""
        return [*ORDER, *(n for n in super().list_commands(ctx) if n not in ORDER)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write what each verb does, on two lines where one is too short."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, self.commands[name].get_short_help_str(limit=200))
                    for name in self.list_commands(ctx)
                ]
            )


app = typer.Typer(
    name="bayescale",
    cls=InOrder,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bayescale {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
]


@app.callback()
def bayescale(version: Version = False) -> None:
    """Decide whether to pay for a large training run, from the losses of small ones."""
