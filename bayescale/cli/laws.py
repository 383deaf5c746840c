"""The verb laws: list them, ask which a table serves, show or draw one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Columns, Json, Where
from bayescale.cli.screen import plain, print_json, print_lines, print_rows
from bayescale.cli.sources import read_table
from bayescale.errors import LawError

if TYPE_CHECKING:
    from bayescale.laws import Law
    from bayescale.laws.usable import Usable

For = Annotated[
    str | None,
    typer.Option("--for", metavar="RUNS", help="Which can be fitted to this table, and why not."),
]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the law to this PNG file.")]


@app.command(epilog="Example: bayescale laws --for runs.csv")
def laws(
    name: Annotated[str | None, typer.Argument(metavar="LAW", help="Show this law.")] = None,
    runs: For = None,
    where: Where = None,
    column: Columns = None,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """List the laws, those that a table serves, or show one."""
    from bayescale.laws import list_laws, load_law
    from bayescale.laws.usable import usable_laws

    chosen = [load_law(each) for each in ([name] if name else list_laws())]
    if plot is not None:
        _draw(chosen, plot)
    if runs is not None:
        served = [use for use in usable_laws(read_table(runs, where, column)) if use.law in chosen]
        _print_served(served, as_json)
    elif as_json:
        print_json({"laws": [_facts(law) for law in chosen]})
    elif name is None:
        lines = [[law.name, law.output, ", ".join(law.inputs), _first_line(law)] for law in chosen]
        print_rows(["law", "predicts", "reads", "formula"], lines)
    else:
        _print_one(chosen[0])


def _draw(chosen: list[Law], path: Path) -> None:
    from bayescale.laws import list_sequence_laws
    from bayescale.laws.curves import law_curves
    from bayescale.reports.figures import save_figure

    if len(chosen) != 1:
        raise LawError(
            "--plot draws one law, but none was named.",
            "Name it: bayescale laws chinchilla --plot chinchilla.png.",
        )
    if chosen[0].name in list_sequence_laws():
        raise LawError(
            f"--plot: law {chosen[0].name!r} is read along a schedule, which is not given here.",
            "Fit curves (bayescale curves), and plot their forecast.",
        )
    save_figure(law_curves(chosen[0]).plot(), path)


def _print_served(served: list[Usable], as_json: bool) -> None:
    if as_json:
        keys = ("missing", "n_runs", "reason")
        found = [
            {**_facts(use.law), "usable": bool(use), **{k: getattr(use, k) for k in keys}}
            for use in served
        ]
        print_json({"laws": found})
        return
    rows = [
        [use.law.name, str(use.n_runs) if use else "", use.reason or _first_line(use.law)]
        for use in served
    ]
    print_rows(["law", "runs", "formula, or why not"], rows)


def _print_one(law: Law) -> None:
    quantities = [law.quantity(name) for name in (*law.inputs, law.output)]
    print_lines([plain(type(law).__doc__ or "").strip(), ""])
    print_rows(
        ["column", "unit", "", "meaning"],
        [
            [q.name, q.unit, "predicted" if q.name == law.output else f"as {q.enters}", q.meaning]
            for q in quantities
        ],
    )
    print_lines([""])
    print_rows(
        ["coefficient", "unit", "lives on", "meaning", "default prior"],
        [
            [c.symbol, c.unit, c.support, c.meaning, json.dumps(c.prior.to_dict())]
            for c in law.coefficients
        ],
    )
    for published in law.published:
        numbers = ", ".join(f"{symbol} {value:.5g}" for symbol, value in published.textbook.items())
        print_lines(["", f"printed in {published.source}: {numbers}"])


def _facts(law: Law) -> dict[str, Any]:
    return {
        "name": law.name,
        "formula": _first_line(law),
        "citation": list(law.citation),
        "inputs": list(law.inputs),
        "output": law.output,
        "columns": [asdict(law.quantity(name)) for name in (*law.inputs, law.output)],
        "coefficients": [asdict(coefficient) for coefficient in law.coefficients],
        "published": [asdict(published) for published in law.published],
        "model": f"{law.name}_plain_weak",
    }


def _first_line(law: Law) -> str:
    return (type(law).__doc__ or "").strip().splitlines()[0]
