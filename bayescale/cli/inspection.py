"""Verbs that look at tables and models: check, models, data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Columns, Convention, Group, Json, Runs, Where
from bayescale.cli.screen import bar, plain, print_json, print_lines, print_rows
from bayescale.cli.sources import names, read_table
from bayescale.errors import RunsTableError, UnknownNameError, nearest

if TYPE_CHECKING:
    from bayescale.runs.catalog import Card
    from bayescale.runs.public.card import PublicCard

GET = "get"
"""Word after `data` that fetches; no table has this name."""


@app.command(epilog="Example: bayescale check runs.csv --group dataset")
def check(
    runs: Runs,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    convention: Convention = None,
    as_json: Json = False,
) -> None:
    """Look for what spoils a fit; exit status 1 when something must be corrected first."""
    from dataclasses import asdict

    from bayescale.runs.lint import lint

    findings = lint(read_table(runs, where, column, convention), names(group))
    if as_json:
        print_json({"checks": [asdict(finding) for finding in findings]})
    else:
        colours = {"PASS": "green", "REVIEW": "yellow", "FAIL": "red"}
        rows = [
            [
                f"[{colours[f.level]}]{f.level}[/]",
                f.check,
                plain(f.message),
                plain(f.recommendation),
            ]
            for f in findings
        ]
        print_rows(["", "check", "found", "what to do"], rows, markup=True)
    raise typer.Exit(1 if any(finding.level == "FAIL" for finding in findings) else 0)


@app.command(epilog="Example: bayescale models coupled_gp_weak")
def models(
    name: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="Show this model, resolved.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the statistical models, or show one with every prior spelled out."""
    import yaml

    from bayescale.models.catalog import DEFAULT_MODEL, list_models, load_model

    chosen = [load_model(name)] if name else [load_model(each) for each in list_models()]
    if as_json:
        print_json({"models": [{**spec.to_dict(), "hash": spec.hash} for spec in chosen]})
    elif name is None:
        rows = [
            [s.name + (" (default)" if s.name == DEFAULT_MODEL else ""), s.law, s.title]
            for s in chosen
        ]
        print_rows(["model", "law", "what it is"], rows)
        print_lines(["", "Every law has <law>_plain_weak, of its own default priors."])
    else:
        text = yaml.safe_dump(chosen[0].to_dict(), sort_keys=False, width=100)
        print_lines([text, f"hash {chosen[0].hash}"])


@app.command(epilog="Example: bayescale data get chinchilla")
def data(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this table's card, or 'get'.")
    ] = None,
    table: Annotated[
        str | None,
        typer.Argument(metavar="TABLE", help="After 'get': the public table to fetch."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the shipped and the public runs tables, show one's card, or get a public one."""
    if name == GET:
        _get(table, as_json)
        return
    if table is not None:
        raise RunsTableError(f"data: two names, {name!r} and {table!r}.", "Only 'get' takes two.")
    cards = _cards(name)
    content = [card.model_dump(mode="json") for card in cards]
    if as_json:
        print_json({"tables": content})
    elif name is None:
        print_rows(["table", "", "title"], [[c.name, _whereabouts(c), c.title] for c in cards])
    else:
        print_rows(["", ""], [[key, str(value)] for key, value in content[0].items()])


def _cards(name: str | None) -> list[Card | PublicCard]:
    from bayescale.runs.catalog import list_runs, load_card
    from bayescale.runs.public.card import list_public, load_public_card

    if name is not None and name not in (known := (*list_runs(), *list_public())):
        raise UnknownNameError("runs table", name, known)
    if name is not None:
        return [load_public_card(name) if name in list_public() else load_card(name)]
    return [*map(load_card, list_runs()), *map(load_public_card, list_public())]


def _whereabouts(card: Card | PublicCard) -> str:
    return "public, data get" if hasattr(card, "repository") else "shipped"


def _get(table: str | None, as_json: bool) -> None:
    from bayescale.runs.public.card import list_public
    from bayescale.runs.public.get import get_public

    if table is None:
        raise RunsTableError("data get: no table was named.", nearest("", list_public()))
    with bar(not as_json, f"get {table}") as advance:
        path = get_public(table, progress=advance)
    if as_json:
        print_json({"table": table, "path": str(path)})
    else:
        print_lines([f"{table} is at {path}; other verbs take it by its name"])
