"""Verbs of the harness: corpus, sweep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Json
from bayescale.cli.screen import bar, print_json, print_lines, status
from bayescale.errors import HarnessError


@app.command(epilog="Example: bayescale corpus python_stdlib")
def corpus(
    name: Annotated[str | None, typer.Argument(help="Build this corpus.")] = None,
    as_json: Json = False,
) -> None:
    """List the corpora the harness trains on, or build one from its recipe."""
    from bayescale.harness.corpora import build_corpus, list_corpora

    if name is None:
        found = list(list_corpora())
        print_json(found) if as_json else print_lines(found)
        return
    with status(f"building corpus {name}"):
        path = build_corpus(name)
    print_json({"corpus": name, "path": str(path)}) if as_json else print_lines([f"built {path}"])


@app.command(epilog="Example: bayescale sweep benchmarks/sweeps/quick.yaml --out sweeps/quick")
def sweep(
    plan: Annotated[Path, typer.Argument(help="Sweep plan (.yaml).")],
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of runs.")] = None,
    workers: Annotated[int, typer.Option(help="Local processes.")] = 1,
    as_json: Json = False,
) -> None:
    """Train the runs of a plan and write their table; resumes where it was stopped."""
    run_sweep = _harness()
    folder = out_dir or Path("sweeps") / plan.stem
    with bar(not as_json, "training") as advance:
        table = run_sweep(plan, folder, progress=advance, workers=workers)
    print_json({"runs": str(table)}) if as_json else print_lines([f"wrote {table}"])


def _harness() -> Callable[..., Path]:
    try:
        from bayescale.harness.sweep import run_sweep
    except ModuleNotFoundError as error:
        raise HarnessError(
            f"sweep trains networks, but the package {error.name!r} is not installed.",
            "Install bayescale[harness].",
        ) from error
    return run_sweep
