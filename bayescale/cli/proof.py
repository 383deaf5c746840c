"""Verbs that test models on what has already been run: backtest, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bayescale.cli.application import app
from bayescale.cli.arms import point, refuse_without_groups, show_choice
from bayescale.cli.options import Columns, Convention, Group, Json, Model, Runs, Seed, Source, Where
from bayescale.cli.screen import (
    bar,
    print_frame,
    print_json,
    print_lines,
    print_rows,
    records,
)
from bayescale.cli.sources import check_out, names, read_source, read_table


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

    check_out("--out", out_file, (".csv",), (runs,))
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


@app.command(epilog="Example: bayescale compare runs.csv --group dataset,architecture")
def compare(
    runs: Source,
    models: Annotated[
        str,
        typer.Option(
            "--models",
            help="Rank these models, laws or baselines (huber_bootstrap); 'all' for all shipped.",
        ),
    ] = "",
    group: Group = "",
    model: Model = None,
    n_params: Annotated[
        str | None, typer.Option("--n-params", help="Compare groups at this size.")
    ] = None,
    n_tokens: Annotated[
        str | None, typer.Option("--n-tokens", help="Compare groups at these tokens.")
    ] = None,
    where: Where = None,
    column: Columns = None,
    convention: Convention = None,
    family: Annotated[
        str | None,
        typer.Option("--family", help="Family of the corpus that the table belongs to."),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare groups, or rank models by how well they predict the larger runs of a table.

    With --group and without --models the groups are compared: which is best at a point (the
    largest fitted run unless --n-params and --n-tokens name one), what it is worth in compute and
    tokens, where two cross, and in which coefficients they differ.
    """
    from bayescale.forecasts.compare import compare as make_comparison

    if not models and (group or runs.endswith(".nc")):
        posterior = read_source(
            runs, model, group, where, column, None, None, "auto", seed, family, convention
        )
        show_choice(posterior, point(n_params, n_tokens), seed, as_json)
        return
    refuse_without_groups({"--model": model, "--n-params": n_params, "--n-tokens": n_tokens})
    table = read_table(runs, where, column, convention)
    with bar(not as_json, "compare") as advance:
        made = make_comparison(
            table,
            None if models == "all" else names(models) or None,
            group=names(group),
            family=family,
            seed=seed,
            progress=advance,
        )
    if as_json:
        print_json(made.to_dict())
        return
    head = ["model", "CRPS", "held by 90 %", "behind by (90 % interval)", "told apart"]
    head += ["CRPS on public tables", "held there"]
    print_rows(head, [_ranked(row) for row in records(made.frame)])
    print_lines([repr(made), *made.sentences])


def _ranked(row: dict[str, Any]) -> list[str]:
    gap, low, high = (row[k] for k in ("crps_difference", "difference_q05", "difference_q95"))
    ends = "" if low is None else f" ({low:.4f} to {high:.4f})"
    first = row["rank"] == 1
    behind = ["", ""] if first else [f"{gap:.4f}{ends}", "yes" if row["told_apart"] else "no"]
    public = [row[k] for k in ("corpus_crps", "corpus_coverage_90")]
    return [
        row["model"],
        f"{row['crps']:.4f}",
        f"{row['coverage_90']:.2f}",
        *behind,
        *(
            "not known" if value is None else f"{value:.{4 - 2 * k}f}"
            for k, value in enumerate(public)
        ),
    ]
