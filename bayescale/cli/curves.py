"""The verb of whole training curves: curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Group, Json, Seed, Where
from bayescale.cli.screen import print_frame, print_json, print_lines, records
from bayescale.cli.sources import check_out, check_unfitted, names, number

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.inference.curve_posterior import CurvePosterior


@app.command(
    epilog="Example: bayescale curves losses.csv --rate learning_rate --group recipe --at 72000"
    " --out curves.nc"
)
def curves(
    table: Annotated[
        str,
        typer.Argument(
            metavar="CURVES",
            help="Long table, a row a measurement: run, step, loss; or saved curves (.nc).",
        ),
    ],
    law: Annotated[
        list[str] | None,
        typer.Option("--law", help="Law of the curves; several are pooled. May be repeated."),
    ] = None,
    along: Annotated[str, typer.Option(help="Column the curves run along.")] = "step",
    output: Annotated[str, typer.Option(help="Column of what was measured.")] = "loss",
    run: Annotated[str, typer.Option(help="Column that names the run.")] = "run_id",
    rate: Annotated[
        str | None, typer.Option(help="Column of the learning rate, for laws of schedules.")
    ] = None,
    warmup: Annotated[float, typer.Option(help="Steps of warm-up before the first row.")] = 0.0,
    group: Group = "",
    pooling: Annotated[
        str | None,
        typer.Option(
            "--pooling",
            help="What runs of --group share, instead of the model's: complete, partial, nested"
            " (partial, and almost as much between values of the last column) or none.",
        ),
    ] = None,
    where: Where = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", help="Forecast every run there. May be repeated."),
    ] = None,
    seed: Seed = 0,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Save the posterior (.nc), for watch --against.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit a law to whole training curves, and forecast where they go."""
    from bayescale.inference.curve_posterior import load_curve_posterior
    from bayescale.inference.curves import fit_curves
    from bayescale.runs.curves import read_curves

    check_out("--out", out_file, (".nc",))
    if table.endswith(".nc"):
        given = {"--law": law, "--rate": rate, "--group": group, "--pooling": pooling}
        check_unfitted(table, {**given, "--where": where})
        posterior = load_curve_posterior(table)
    else:
        read = read_curves(
            table,
            along=along,
            output=output,
            run=run,
            rate=rate,
            warmup=warmup,
            group=names(group),
            where=where,
        )
        posterior = fit_curves(read, law or (), pooling=pooling, seed=seed)  # type: ignore[arg-type]
    if out_file is not None:
        posterior.save(out_file)
    ends = _ends(posterior, [number(word, "--at") for word in at or ()])
    if as_json:
        content = {"laws": list(posterior.laws), "coefficients": records(posterior.summary())}
        found = {"forecast": [] if ends is None else records(ends)}
        print_json({**content, **found, "cpu_seconds": posterior.cpu_seconds})
        return
    print_frame(posterior.summary() if ends is None else ends)
    print_lines([repr(posterior)])


def _ends(posterior: CurvePosterior, at: list[float]) -> pd.DataFrame | None:
    """Return the forecast of every fitted run at some steps; None for none."""
    import pandas as pd

    from bayescale.forecasts.curve_forecast import forecast_curve

    if not at:
        return None
    parts = []
    for fits in posterior.fits.values():
        for run in fits[0].problem.runs:
            table = forecast_curve(posterior, at, run=run).to_frame()
            table.insert(0, "run", run)
            parts.append(table)
    return pd.concat(parts, ignore_index=True)
