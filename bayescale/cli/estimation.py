"""Verbs that infer and predict: fit, forecast, allocate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayescale.cli.application import app
from bayescale.cli.options import (
    Columns,
    Convention,
    Engine,
    Group,
    Json,
    Model,
    Pooling,
    Priors,
    Runs,
    Seed,
    Source,
    Where,
)
from bayescale.cli.screen import print_frame, print_json, print_lines, records
from bayescale.cli.sources import check_out, fit_table, names, number, read_source, read_table

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.forecasts.forecast import Forecast
    from bayescale.inference.posterior import Posterior


@app.command(epilog="Example: bayescale fit runs.csv --model coupled_gp_weak --out posterior.nc")
def fit(
    runs: Runs,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    convention: Convention = None,
    priors: Priors = None,
    pooling: Pooling = None,
    engine: Engine = "auto",
    draws: Annotated[int, typer.Option(min=1, help="Posterior draws (a chain under nuts).")] = 1000,
    max_epochs: Annotated[
        float | None, typer.Option(help="Leave out runs of more passes over their tokens (4).")
    ] = None,
    seed: Seed = 0,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Save the posterior (.nc).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Infer a law's coefficients from a runs table."""
    from dataclasses import asdict

    from bayescale.inference.checks.check_posterior import check_posterior

    check_out("--out", out_file, (".nc",))
    table = read_table(runs, where, column, convention)
    posterior = fit_table(
        table, model, group, priors, pooling, engine, draws, seed, max_epochs=max_epochs
    )
    if out_file is not None:
        posterior.save(out_file)
    summary, findings = posterior.summary(), check_posterior(posterior)
    if as_json:
        content = {"model": posterior.spec.name, "coefficients": records(summary)}
        extra = {"diagnostics": asdict(posterior.diagnostics), "notes": list(posterior.notes)}
        found = {"checks": [asdict(finding) for finding in findings]}
        print_json({**content, **extra, **found, "provenance": dict(posterior.provenance)})
        return
    print_frame(summary)
    print_lines([repr(posterior), *posterior.notes])
    raised = [finding for finding in findings if finding.level != "PASS"]
    print_lines([f"{f.level} {f.check}: {f.message} {f.recommendation}" for f in raised])


@app.command(epilog="Example: bayescale forecast runs.csv --at points.csv --out forecast.csv")
def forecast(
    runs: Source,
    at: Annotated[Path, typer.Option("--at", help="CSV or Parquet of points to forecast.")],
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the table here.")] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    convention: Convention = None,
    without_family: Annotated[
        str | None,
        typer.Option("--without-family", help="Use the corpus prior learned without this family."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Intervals before recalibration.")] = False,
    moves: Annotated[
        bool, typer.Option("--sensitivity", help="Also under other laws, priors and floors.")
    ] = False,
    register: Annotated[
        Path | None, typer.Option("--register", help="Write the forecast down, pinned by a hash.")
    ] = None,
    priors: Priors = None,
    pooling: Pooling = None,
    engine: Engine = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Forecast the loss of runs that have not been made, with intervals."""
    from dataclasses import asdict

    import pandas as pd

    from bayescale.forecasts.forecast import forecast as make_forecast
    from bayescale.forecasts.points import check_points, read_points
    from bayescale.forecasts.registration import register_forecast
    from bayescale.forecasts.sensitivity import sensitivity
    from bayescale.runs.save import TABLE_ENDINGS, save_table

    check_out("--out", out_file, TABLE_ENDINGS, (runs, at))
    check_out("--register", register, (".json",))
    posterior = read_source(
        runs,
        model,
        group,
        where,
        column,
        priors,
        pooling,
        engine,
        seed,
        without_family,
        convention,
        lambda: check_points(at, names(group)),
    )
    points, wanted = read_points(at, posterior)
    made = make_forecast(posterior, wanted, seed=seed)
    table = pd.concat([points, made.to_frame()], axis=1)
    if out_file is not None:
        save_table({str(name): table[name].to_numpy() for name in table}, out_file)
    notes = [*made.posterior.notes, *([_raw_note(posterior)] if raw else [])]
    if register is not None:
        notes.append(repr(register_forecast(made, register)))
    notes += dict.fromkeys(made.reliability)
    moved = sensitivity(posterior, made, seed=seed) if moves else None
    if as_json:
        diagnostics = asdict(posterior.diagnostics)
        content = {"forecast": records(table), "diagnostics": diagnostics, "notes": notes}
        print_json(content if moved is None else {**content, "sensitivity": records(moved)})
        return
    if out_file is None:
        print_frame(_central(points, made))
    if moved is not None:
        print_frame(moved)
    print_lines([repr(made), *notes])


@app.command(epilog="Example: bayescale allocate runs.csv --flops 1e22 --n-params 7B")
def allocate(
    runs: Source,
    flops: Annotated[
        str, typer.Option("--flops", help="Compute to spend, 6 N D, with that of serving.")
    ],
    n_params: Annotated[
        str | None, typer.Option("--n-params", help="A chosen size, for its regret.")
    ] = None,
    lifetime_tokens: Annotated[
        str | None, typer.Option("--lifetime-tokens", help="Tokens to serve, at 2 N FLOPs each.")
    ] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    convention: Convention = None,
    priors: Priors = None,
    engine: Engine = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Split a compute budget between parameters and tokens, with intervals and regret."""
    from bayescale.decisions.allocate import allocate as make_allocation

    posterior = read_source(
        runs, model, group, where, column, priors, None, engine, seed, convention=convention
    )
    chosen = None if n_params is None else number(n_params, "--n-params")
    demand = 0.0 if lifetime_tokens is None else number(lifetime_tokens, "--lifetime-tokens")
    budget, records, lines = number(flops, "--flops"), [], []
    for label in posterior.labels:
        made = make_allocation(
            posterior,
            flops=budget,
            n_params=chosen,
            lifetime_tokens=demand,
            label=label,
            seed=seed,
        )
        records.append(made.to_dict())
        lines.append(made)
    if as_json:
        print_json({"allocations": records})
        return
    for made in lines:
        print_frame(made.to_frame())
        print_lines([repr(made), *(f"! {caveat}" for caveat in made.caveats)])


def _central(points: pd.DataFrame, made: Forecast) -> pd.DataFrame:
    """Return the columns that a terminal has room for; files and JSON have all."""
    import pandas as pd

    from bayescale.forecasts.forecast import quantile_column

    shown = [quantile_column(p, made.output) for p in (0.05, 0.5, 0.95)]
    return pd.concat([points, made.to_frame()[[*shown, "extrapolation_factor"]]], axis=1)


def _raw_note(posterior: Posterior) -> str:
    return f"model {posterior.spec.name} is not recalibrated: --raw changes nothing"
