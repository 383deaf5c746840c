"""The verb of a job that is running: watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Engine, Group, Json, Model, Seed, Where
from bayescale.cli.screen import print_json, print_lines, print_note
from bayescale.cli.sources import names, number, read_source
from bayescale.errors import NothingLoggedError

if TYPE_CHECKING:
    from bayescale.forecasts.watched import Watch

STOPPED = 1
"""Exit status when the stop rule says stop."""


@app.command(
    epilog="Example: bayescale watch job.jsonl --against posterior.nc --n-params 7B --n-tokens 2T"
    " --target 2.05 --follow 60"
)
def watch(
    run_log: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Log of the job: JSONL, CSV, a folder that grows, TensorBoard, MLflow, exports of"
            " W&B, or the console of nanochat, torchtitan or litgpt.",
        ),
    ],
    against: Annotated[
        str,
        typer.Option(
            "--against", help="Saved posterior (.nc) of runs or of curves, or runs to fit first."
        ),
    ],
    n_params: Annotated[
        str | None, typer.Option("--n-params", help="Size of the network, if the log is silent.")
    ] = None,
    n_tokens: Annotated[
        str | None, typer.Option("--n-tokens", help="Tokens of the whole run, as planned.")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="Loss it is made for.")] = None,
    stop_rate: Annotated[
        float,
        typer.Option(help="Most of the runs that would meet the target which may be stopped."),
    ] = 0.05,
    metric: Annotated[str | None, typer.Option("--metric", help="Which logged loss.")] = None,
    batch_tokens: Annotated[
        str | None, typer.Option("--batch-tokens", help="Tokens of a step.")
    ] = None,
    n_steps: Annotated[
        str | None, typer.Option("--n-steps", help="Steps of the whole run.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option("--schedule", help="constant, cosine, linear or wsd.")
    ] = None,
    decay: Annotated[
        float | None, typer.Option(help="Share of the run over which wsd decays (0.2).")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", help="Which run, of several.")] = None,
    label: Annotated[
        str, typer.Option("--label", help="Group of the run: values of the group columns.")
    ] = "",
    model: Model = None,
    group: Group = "",
    where: Where = None,
    follow: Annotated[
        float | None,
        typer.Option(
            "--follow", min=0.0, help="Look again every so many seconds; JSON is one line a look."
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw it to this file.")] = None,
    engine: Engine = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare a running job with its forecast; exit status 1 when the stop rule says stop."""
    from bayescale.forecasts.watch import posterior_of
    from bayescale.forecasts.watch import watch as make_watch

    posterior: Any = (
        posterior_of(against, seed)
        if against.endswith(".nc")
        else read_source(against, model, group, where, None, None, None, engine, seed)
    )
    options: dict[str, Any] = {
        "target": _given(target, "--target"),
        "stop_rate": stop_rate,
        "metric": metric,
        "batch_tokens": _given(batch_tokens, "--batch-tokens"),
        "n_steps": _given(n_steps, "--n-steps"),
        "schedule": schedule,
        "decay": decay,
        "run": run,
        "label": names(label) or None,
        "seed": seed,
    }
    sizes = {"n_params": _given(n_params, "--n-params"), "n_tokens": _given(n_tokens, "--n-tokens")}
    options |= {name: value for name, value in sizes.items() if value is not None}
    while True:
        seen = _look(lambda: make_watch(run_log, posterior, **options), follow)
        _show(seen, plot, as_json, following=follow is not None)
        if follow is None or seen.stop or seen.done >= 1.0:
            raise typer.Exit(STOPPED if seen.stop else 0)
        time.sleep(follow)


def _look(look: Callable[[], Watch], follow: float | None) -> Watch:
    """Return what is seen of the job; followed, a log without rows yet is waited for."""
    told = False
    while True:
        try:
            return look()
        except NothingLoggedError as error:
            if follow is None:
                raise
            if not told:
                print_note(f"{error.message} Looking again every {follow:g} s; Ctrl-C ends it.")
            told = True
        time.sleep(follow)


def _given(word: str | None, option: str) -> float | None:
    return None if word is None else number(word, option)


def _show(seen: Watch, plot: Path | None, as_json: bool, following: bool) -> None:
    if plot is not None:
        from bayescale.plots.style import figure_of

        figure_of(seen.plot()).savefig(plot, dpi=150)
    if as_json:
        print_json(seen.to_dict(), one_line=following)
        return
    print_lines([repr(seen), *(f"! {note}" for note in seen.notes)])
