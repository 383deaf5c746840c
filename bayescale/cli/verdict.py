"""Verbs that end in a decision: demo, decide, report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand

from bayescale.cli.application import app
from bayescale.cli.options import (
    Columns,
    Engine,
    Group,
    Json,
    Model,
    Plan,
    Priors,
    Seed,
    Source,
    Where,
)
from bayescale.cli.screen import (
    out,
    plain,
    print_frame,
    print_json,
    print_lines,
    print_rows,
    records,
    status,
)
from bayescale.cli.sources import check_out, read_plan, read_source, read_table

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.decisions.decision import Decision
    from bayescale.decisions.scenario import Scenario
    from bayescale.inference.posterior import Posterior


@app.command(epilog="Example: bayescale demo --out my-demo")
def demo(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the report and plots.")] = Path(
        "bayescale-demo"
    ),
    data: Annotated[str, typer.Option("--data", help="Shipped table.")] = "cpu_gcide_llama",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Hide the largest runs of a shipped table, forecast them, decide, and compare."""
    from bayescale.demo import run_demo

    shown = Console(quiet=True) if as_json else out
    result = run_demo(out_dir, data=data, seed=seed, console=shown)
    if as_json:
        print_json(result.to_dict())


class JsonToScreen(TyperCommand):
    """A command whose ``--json`` without a file prints to the screen, as that of other verbs."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put '-' behind a --json that names no file."""
        read = []
        for word, after in zip(args, [*args[1:], "--"], strict=True):
            bare = word == "--json" and after.startswith("--")
            read += [word, "-"] if bare else [word]
        return super().parse_args(ctx, read)


@app.command(
    cls=JsonToScreen,
    epilog="Example: bayescale decide runs.csv --plan plan.yaml --html report.html",
)
def decide(
    runs: Source,
    plan: Plan = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report here.")] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", help="Print JSON, or write it to the file named next (.json)."),
    ] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    moves: Annotated[
        bool, typer.Option("--sensitivity", help="Also under other laws, priors, floors, prices.")
    ] = False,
    priors: Priors = None,
    engine: Engine = "auto",
    seed: Seed = 0,
) -> None:
    """Say FUND, DO NOT FUND or RUN PILOTS FIRST, with the reasons."""
    from bayescale.decisions.decide import decide as make_decision
    from bayescale.runs.save import PAGE_ENDINGS

    check_out("--html", html, PAGE_ENDINGS)
    if json_file not in (None, "-"):
        check_out("--json", Path(str(json_file)), (".json",))
    scenario = read_plan(plan)
    posterior = read_source(runs, model, group, where, column, priors, None, engine, seed)
    decision = make_decision(posterior, scenario, seed=seed)
    if html is not None:
        _write_report(html, runs, posterior, decision, where, column)
    moved = _flips(posterior, scenario, seed) if moves else None
    if json_file == "-":
        extra = {} if moved is None else {"sensitivity": records(moved)}
        print_json({**decision.to_dict(), **extra})
        return
    if json_file is not None:
        decision.save(Path(json_file))
    _print_decision(decision)
    if moved is not None:
        print_frame(moved)


@app.command(epilog="Example: bayescale report runs.csv --plan plan.yaml --html report.html")
def report(
    runs: Source,
    html: Annotated[Path, typer.Option("--html", help="File to write.")] = Path("report.html"),
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", help="Also write it as Markdown, for a pull request."),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Folder for every picture, PNG and SVG.")
    ] = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="Plan file.")] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    engine: Engine = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write the one-file HTML page: forecast, checks, and the decision with sliders if planned."""
    from bayescale.decisions.decide import decide as make_decision
    from bayescale.runs.save import MARKDOWN_ENDINGS, PAGE_ENDINGS

    check_out("--html", html, PAGE_ENDINGS)
    check_out("--markdown", markdown, MARKDOWN_ENDINGS)
    scenario = None if plan is None else read_plan(plan)
    posterior = read_source(runs, model, group, where, column, None, None, engine, seed)
    decision = None if scenario is None else make_decision(posterior, scenario, seed=seed)
    written = [_write_report(html, runs, posterior, decision, where, column, pictures)]
    if markdown is not None:
        written.append(_write_report(markdown, runs, posterior, decision, where, column, pictures))
    if as_json:
        said = {"html": str(html), "markdown": markdown and str(markdown)}
        print_json({**said, "verdict": decision.verdict if decision else None})
    else:
        print_lines([f"wrote {path}" for path in written])


def _write_report(
    path: Path,
    runs: str,
    posterior: Posterior,
    decision: Any,
    where: Sequence[str] | None,
    column: Sequence[str] | None,
    pictures: Path | None = None,
) -> Path:
    from bayescale.reports.report import write_report
    from bayescale.runs.lint import lint

    table = None if runs.endswith(".nc") else read_table(runs, where, column)
    findings = () if table is None else lint(table, posterior.group_columns)
    return write_report(
        path,
        runs=table,
        posterior=posterior,
        decision=decision,
        findings=findings,
        command=shlex.join(["bayescale", *sys.argv[1:]]),
        pictures=pictures,
    )


def _flips(posterior: Posterior, scenario: Scenario, seed: int) -> pd.DataFrame:
    from bayescale.decisions.flips import flips

    with status("deciding again under other assumptions"):
        return flips(posterior, scenario, seed=seed)


def _turns(at: float | None) -> str:
    return "never within reach" if at is None else f"{at:.4g}"


def _print_decision(decision: Decision) -> None:
    from bayescale.decisions.sentences import ahead

    colour = {"FUND": "green", "DO NOT FUND": "red"}.get(decision.verdict, "yellow")
    out.print(f"[bold {colour}]{decision.verdict}[/]  {plain(decision.scenario.title)}")
    rows = [
        [
            c.name,
            f"{c.prob_target:.2f}",
            f"{c.loss_median:.4g}",
            f"{c.loss_interval_90[0]:.4g} to {c.loss_interval_90[1]:.4g}",
            f"{c.cost_usd:,.0f}",
            f"{c.expected_net_value_usd:,.0f}",
            f"{c.break_even_value_usd:,.0f}",
        ]
        for c in decision.candidates
    ]
    head = ["candidate", "P(target)", "loss", "90 % interval", "cost USD", "net value USD"]
    print_rows([*head, "break-even value USD"], rows)
    pilots = [
        [
            p.name,
            f"{p.cost_usd:,.0f}",
            f"{p.evsi_usd:,.0f}",
            f"{p.net_gain_usd:,.0f}",
            f"{p.net_gain_per_usd:.3g}",
        ]
        for p in decision.every_pilot
    ]
    if pilots:
        head = ["pilot", "cost USD", "value of its result USD", "net gain USD", "gain per USD"]
        print_rows(head, pilots)
    turning = [[a.name, f"{a.stated:.4g}", _turns(a.flips_at)] for a in decision.assumptions]
    print_rows(["number of the plan", "stated", "funding breaks even at"], turning)
    print_lines([f"value of perfect information: {decision.evpi_usd:,.0f} USD"])
    print_lines([sentence for sentence in ahead(decision) if sentence])
    print_lines([f"- {reason}" for reason in decision.reasons])
    print_lines([f"! {caveat}" for caveat in decision.caveats])
