"""Verbs around a run that has not been made: which pilots come next, and how a forecast did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from bayescale.cli.screen import print_frame, print_json, print_lines, records
from bayescale.cli.sources import number, read_plan, read_source

SHOWN = 12
"""Proposals printed; `--json` has them all."""


@app.command(
    "next-run", epilog="Example: bayescale next-run runs.csv --plan plan.yaml --shrink 0.5"
)
def next_run(
    runs: Source,
    plan: Plan = None,
    goal: Annotated[str, typer.Option("--goal", help="width, or decision.")] = "width",
    shrink: Annotated[
        float | None, typer.Option("--shrink", help="Interval wanted, as a share of the present.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget-usd", help="Most that pilots may cost, such as 5K.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Pilots to make at a time.")] = 1,
    candidate: Annotated[
        str | None, typer.Option("--candidate", help="The run to tell about; the first by default.")
    ] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    priors: Priors = None,
    engine: Engine = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Say which pilots to run next: the plan's, or ones that are proposed."""
    from bayescale.decisions.next_run import next_run as make_next_run

    scenario = read_plan(plan)
    budget_usd = None if budget is None else number(budget, "--budget-usd")
    posterior = read_source(runs, model, group, where, column, priors, None, engine, seed)
    made = make_next_run(
        posterior,
        scenario,
        goal=goal,  # type: ignore[arg-type]
        shrink=shrink,
        budget_usd=budget_usd,
        k=k,
        candidate=candidate,
        seed=seed,
    )
    if as_json:
        print_json(made.to_dict())
        return
    print_frame(made.to_frame().head(SHOWN))
    print_lines([repr(made), *([f"the whole set: {', '.join(made.whole)}"] if made.whole else [])])
    if made.falls_short:
        print_lines(
            [f"! no set of the pilots at hand promises {made.sought:.0%}; this comes nearest"]
        )


@app.command(epilog="Example: bayescale score forecast.json --actual 2.031")
def score(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File that forecast --register wrote.")
    ],
    actual: Annotated[
        list[str],
        typer.Option("--actual", help="Measured loss; once a point, nan for a run not made."),
    ],
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="The hash that was published, or its beginning.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a registered forecast with the losses that were measured."""
    from bayescale.forecasts.registration import load_registration, score_forecast

    losses = [float("nan") if word == "nan" else number(word, "--actual") for word in actual]
    scored = score_forecast(file, losses, sha256=sha256)
    registration = load_registration(file)
    if as_json:
        content = {"registered": registration.registered, "sha256": registration.sha256}
        print_json({**content, "basis": dict(registration.basis), "scores": records(scored)})
        return
    print_frame(scored)
    print_lines([repr(registration)])
