"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[
    str,
    typer.Argument(
        metavar="RUNS", help="CSV or Parquet table, a sweep's folder, or a shipped table's name."
    ),
]
Source = Annotated[
    str, typer.Argument(metavar="RUNS", help="Runs table, shipped table, or saved posterior (.nc).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, errors too.")]
Model = Annotated[str | None, typer.Option("--model", help="Model name, or a model file (.yaml).")]
Group = Annotated[
    str,
    typer.Option(
        "--group",
        help="Columns that tell groups apart, pooled over or crossed: dataset,architecture.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="Keep rows that hold: 'loss_kind=c4'. May be repeated."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        help="Name a column: 'n_params=my size', or 'n_params=1e6*size (M)'. May be repeated.",
    ),
]
Convention = Annotated[
    str | None,
    typer.Option(
        "--convention",
        help="Count N and FLOPs by kaplan, porian, porian+attn, palm, chinchilla or shen.",
    ),
]
Priors = Annotated[
    Path | None, typer.Option("--priors", help="YAML of your own priors by coefficient, E too.")
]
Plan = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        help="Plan file, always needed: candidates, target, price, pilots.",
    ),
]
"""Not required by the parser, whose refusal would not say what a plan is."""
Engine = Annotated[str, typer.Option("--engine", help="auto, amis, tempered or nuts.")]
Pooling = Annotated[
    str | None,
    typer.Option("--pooling", help="complete, none, partial or crossed instead of the model's."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
