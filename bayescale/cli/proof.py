"""Verbs that test a model on what has already been run: backtest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Columns, Group, Json, Model, Runs, Seed, Where
from bayescale.cli.screen import bar, print_frame, print_json, print_lines, records
from bayescale.cli.sources import names, read_table


@app.command(epilog="Example: bayescale backtest runs.csv --model coupled_gp --group dataset")
def backtest(
    runs: Runs,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    family: Annotated[
        str | None,
        typer.Option("--family", help="Family of the corpus that the table belongs to."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; -1 for one a core.")] = 1,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder to resume from if stopped.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the scores (.csv) here.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Hide larger runs, predict them from smaller ones, and score the intervals."""
    from bayescale.forecasts.backtest import backtest as run_backtest

    table = read_table(runs, where, column)
    with bar(not as_json, "backtest") as advance:
        made = run_backtest(
            table,
            model,
            group=names(group),
            family=family,
            seed=seed,
            n_jobs=jobs,
            cache=cache,
            progress=advance,
        )
    if out_file is not None:
        made.save(out_file)
    summary = made.summary("cell")
    if as_json:
        print_json({"scores": records(made.frame), "cells": records(summary)})
        return
    print_frame(summary)
    print_lines([repr(made)])
