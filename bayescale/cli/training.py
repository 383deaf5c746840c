"""Verbs of the harness: corpus, sweep."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Json
from bayescale.cli.screen import bar, print_json, print_lines, print_rows, records, status
from bayescale.cli.sweep_screen import SweepScreen
from bayescale.errors import HarnessError

if TYPE_CHECKING:
    from bayescale.live import Outlook


@app.command(epilog="Example: bayescale corpus python_stdlib")
def corpus(
    name: Annotated[str | None, typer.Argument(metavar="CORPUS", help="Build this corpus.")] = None,
    as_json: Json = False,
) -> None:
    """List the corpora the harness trains on, or build one from its recipe."""
    from bayescale.harness.corpora import build_corpus, list_corpora

    if name is None:
        found = list(list_corpora())
        print_json({"corpora": found}) if as_json else print_lines(found)
        return
    with status(f"building corpus {name}"):
        path = build_corpus(name)
    print_json({"corpus": name, "path": str(path)}) if as_json else print_lines([f"built {path}"])


@app.command(epilog="Example: bayescale sweep benchmarks/sweeps/quick.yaml --workers 2")
def sweep(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="Sweep plan (.yaml).")],
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of runs.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run and cost; train nothing.")
    ] = False,
    engine: Annotated[str, typer.Option(help="local, or ray for a cluster.")] = "local",
    workers: Annotated[int, typer.Option(help="Local processes.")] = 1,
    gpus_per_job: Annotated[
        float, typer.Option(help="GPUs of one Ray task; 0.25 packs four on one.")
    ] = 0.0,
    device: Annotated[str, typer.Option(help="PyTorch device: cpu or cuda.")] = "cpu",
    minutes: Annotated[
        float | None, typer.Option(help="Save and stop after so long; resume later.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(help="Stop when the forecast of the largest run is sharp: 'width<=0.02'."),
    ] = None,
    suggest: Annotated[
        bool,
        typer.Option("--suggest", help="With --until: train only the sizes that sharpen it."),
    ] = False,
    stop_against: Annotated[
        Path | None,
        typer.Option(help="Posterior or runs table: stop units that will miss their forecast."),
    ] = None,
    stop_target: Annotated[
        float | None,
        typer.Option(help="Loss every unit is to reach; the 95 % point of its forecast if left."),
    ] = None,
    stop_rate: Annotated[
        float, typer.Option(help="Most of the units reaching it that may be stopped.")
    ] = 0.05,
    replan: Annotated[
        bool, typer.Option("--replan", help="Go on in a folder that another plan began.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train the runs of a plan and write their table; resumes where it was stopped."""
    _check_installed()
    _check_options(until, suggest, minutes)
    folder = out_dir or Path("sweeps") / plan.stem
    if dry_run:
        _print_estimate(plan, workers, device, as_json)
        return
    options: dict[str, Any] = {
        "engine": engine,
        "workers": workers,
        "gpus_per_job": gpus_per_job,
        "device": device,
        "deadline": None if minutes is None else time.time() + 60.0 * minutes,
        "replan": replan,
    }
    options |= _stop_rule(stop_against, stop_target, stop_rate)
    with SweepScreen(not as_json) as screen:
        options |= {"progress": screen.advance, "on_failed": screen.failed}
        if suggest:
            made = _suggested(plan, folder, until, screen, options)
        else:
            made = _whole(plan, folder, until, screen, options, forecasts=not as_json)
    made["given_up"] = _given_up(folder)
    print_json(made) if as_json else print_lines(_ending(made))


def _stop_rule(against: Path | None, target: float | None, rate: float) -> dict[str, Any]:
    """Return the option of `run_sweep` that stops units against a forecast; none without one."""
    from bayescale.stop_against import StopAgainst

    if against is None:
        if target is not None:
            raise HarnessError(
                f"--stop-target is {target}, but nothing forecasts the units.",
                "Name a posterior or a runs table: --stop-against PATH.",
            )
        return {}
    rule = StopAgainst(against=against, target=target, stop_rate=rate)
    rule.check()
    return {"work": rule}


def _given_up(folder: Path) -> list[dict[str, Any]]:
    from bayescale.harness.given_up import given_up

    found = given_up(sorted((folder / "units").glob("*")))
    return [asdict(each) | {"line": str(each)} for each in found]


def _whole(
    plan: Path,
    folder: Path,
    until: str | None,
    screen: SweepScreen,
    options: dict[str, Any],
    *,
    forecasts: bool,
) -> dict[str, Any]:
    """Train everything, forecasting the largest run as others finish."""
    from bayescale.harness.sweep import load_plan, run_sweep
    from bayescale.live import Watcher, largest_runs

    read, ends = load_plan(plan), list[str]()
    watcher = Watcher(largest_runs(read), until, screen.outlooks)

    def heard(rows: list[dict[str, Any]]) -> bool:
        screen.rows(rows)
        return (forecasts or until is not None) and watcher(rows)

    table = run_sweep(read, folder, on_rows=heard, on_end=ends.append, **options)
    ended = "sharp" if watcher.enough else ends[0]
    last = watcher.history[-1] if watcher.history else []
    return _made(table, ended, last)


def _suggested(
    plan: Path, folder: Path, until: str | None, screen: SweepScreen, options: dict[str, Any]
) -> dict[str, Any]:
    """Train the sizes that the forecast asks for."""
    from bayescale.loop import run_loop

    assert until is not None
    done = run_loop(
        plan, folder, until=until, on_round=lambda now: screen.outlooks([now]), **options
    )
    rounds = records(done.rounds)
    return _made(done.table, done.ended, [done.outlook]) | {"rounds": rounds}


def _made(table: Path, ended: str, outlooks: list[Outlook]) -> dict[str, Any]:
    forecasts = [asdict(each) | {"width": each.width, "line": str(each)} for each in outlooks]
    return {"runs": str(table), "ended": ended, "forecasts": forecasts}


def _ending(made: dict[str, Any]) -> list[str]:
    """Return what is said when a sweep has ended."""
    said = {
        "finished": "all other units are finished"
        if made["given_up"]
        else "all units are finished",
        "sharp": "the forecast is as sharp as asked; the rest was not trained",
        "nothing left": "every size but the largest is trained, and the forecast is wider",
        "stopped": "stopped before its end; the same command goes on",
    }[made["ended"]]
    lines = [f"forecast of {each['line']}" for each in made["forecasts"]]
    lines += [f"unit {each['line']}" for each in made["given_up"]]
    return [f"wrote {made['runs']}", *lines, said]


def _check_options(until: str | None, suggest: bool, minutes: float | None) -> None:
    from bayescale.live import parse_until

    if until is not None:
        parse_until(until)
    if suggest and until is None:
        raise HarnessError(
            "--suggest needs a goal.", "Say how sharp is sharp enough: --until 'width<=0.02'."
        )
    if minutes is not None and not minutes > 0:
        raise HarnessError(f"--minutes is {minutes}, expected a positive number.")


def _print_estimate(plan: Path, workers: int, device: str, as_json: bool) -> None:
    from bayescale.harness.planner import plan_sweep

    with bar(not as_json, "measuring") as advance:
        made = plan_sweep(plan, workers=workers, device=device, progress=advance)
    if as_json:
        print_json(made.to_dict())
        return
    head = ("stage", "corpus", "size", "parameters", "members", "tokens", "FLOPs", "tokens/s", "s")
    print_rows(head, [_estimate_row(row) for row in made.rows()])
    print_lines([repr(made), *(f"budget: {cut}" for cut in made.cuts)])


def _estimate_row(row: dict[str, Any]) -> list[str]:
    budgets = ", ".join(f"{tokens:.3g}" for tokens in row["milestones"])
    return [
        row["stage"],
        row["dataset"],
        f"{row['architecture']} {row['size']}",
        f"{row['n_params']:,}",
        str(row["members"]),
        budgets,
        f"{row['flops']:.2e}",
        f"{row['tokens_per_second']:,.0f}",
        f"{row['seconds']:.1f}",
    ]


def _check_installed() -> None:
    try:
        import bayescale.harness.sweep  # noqa: F401
    except ModuleNotFoundError as error:
        raise HarnessError(
            f"sweep trains networks, but the package {error.name!r} is not installed.",
            "Install bayescale[harness].",
        ) from error
