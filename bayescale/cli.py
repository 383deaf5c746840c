"""The command line: one verb a question; each takes files, and `--json` where a program reads it."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bayescale.errors import BayescaleError, BayescaleWarning, DecisionError, ModelError

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.inference.posterior import Posterior
    from bayescale.runs.table import RunsTable

app = typer.Typer(
    name="bayescale",
    help="Decide whether to pay for a large training run, from the losses of small ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console()
err = Console(stderr=True)

Runs = Annotated[str, typer.Argument(help="CSV or Parquet table, or a shipped table's name.")]
Source = Annotated[
    str, typer.Argument(metavar="RUNS", help="Runs table, shipped table, or saved posterior (.nc).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Model = Annotated[str | None, typer.Option("--model", help="Model name, or a model file (.yaml).")]
Group = Annotated[
    str, typer.Option("--group", help="Columns that tell groups apart: dataset,architecture.")
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="Keep rows that hold: 'loss_kind=c4'. May be repeated."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="Name a column: 'n_params=my size'. May be repeated."),
]
Priors = Annotated[
    Path | None, typer.Option("--priors", help="YAML of your own priors by coefficient, E too.")
]
Engine = Annotated[str, typer.Option("--engine", help="auto, amis or nuts.")]
Pooling = Annotated[
    str | None, typer.Option("--pooling", help="complete, none or partial instead of the model's.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]


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
        _print_json(result.to_dict())


@app.command(epilog="Example: bayescale check runs.csv --group dataset")
def check(
    runs: Runs,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    as_json: Json = False,
) -> None:
    """Look for what spoils a fit; exit status 1 when something must be corrected first."""
    from dataclasses import asdict

    from bayescale.runs.lint import lint

    findings = lint(_table(runs, where, column), _names(group))
    if as_json:
        _print_json([asdict(finding) for finding in findings])
    else:
        colours = {"PASS": "green", "REVIEW": "yellow", "FAIL": "red"}
        rows = [
            [
                f"[{colours[f.level]}]{f.level}[/]",
                f.check,
                _plain(f.message),
                _plain(f.recommendation),
            ]
            for f in findings
        ]
        _print_rows(["", "check", "found", "what to do"], rows, markup=True)
    raise typer.Exit(1 if any(finding.level == "FAIL" for finding in findings) else 0)


@app.command(epilog="Example: bayescale fit runs.csv --model coupled_gp_weak --out posterior.nc")
def fit(
    runs: Runs,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    priors: Priors = None,
    pooling: Pooling = None,
    engine: Engine = "auto",
    draws: Annotated[int, typer.Option(help="Posterior draws (a chain under nuts).")] = 1000,
    seed: Seed = 0,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Save the posterior (.nc).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Infer a law's coefficients from a runs table."""
    from dataclasses import asdict

    table = _table(runs, where, column)
    posterior = _fit(table, model, group, priors, pooling, engine, draws, seed)
    if out_file is not None:
        posterior.save(out_file)
    summary = posterior.summary()
    if as_json:
        content = {"model": posterior.spec.name, "coefficients": _records(summary)}
        extra = {"diagnostics": asdict(posterior.diagnostics), "notes": list(posterior.notes)}
        _print_json({**content, **extra, "provenance": dict(posterior.provenance)})
        return
    _print_frame(summary)
    _print_lines([repr(posterior), *posterior.notes])


@app.command(epilog="Example: bayescale forecast runs.csv --at points.csv --out forecast.csv")
def forecast(
    runs: Source,
    at: Annotated[Path, typer.Option("--at", help="CSV or Parquet of points to forecast.")],
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the table here.")] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    without_family: Annotated[
        str | None,
        typer.Option("--without-family", help="Use the corpus prior learned without this family."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Intervals before recalibration.")] = False,
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
    from bayescale.forecasts.points import read_points
    from bayescale.runs.save import save_table

    posterior = _source(runs, model, group, where, column, priors, pooling, engine, seed)
    points, wanted = read_points(at, posterior)
    made = make_forecast(posterior, wanted, seed=seed)
    table = pd.concat([points, made.to_frame()], axis=1)
    if out_file is not None:
        save_table({str(name): table[name].to_numpy() for name in table}, out_file)
    notes = [*posterior.notes, *_forecast_notes(posterior, without_family, raw)]
    if as_json:
        diagnostics = asdict(posterior.diagnostics)
        _print_json({"forecast": _records(table), "diagnostics": diagnostics, "notes": notes})
        return
    if out_file is None:
        _print_frame(table)
    _print_lines([repr(made), *notes])


@app.command(epilog="Example: bayescale allocate runs.csv --flops 1e22 --n-params 7B")
def allocate(
    runs: Source,
    flops: Annotated[str, typer.Option("--flops", help="Training compute to spend, 6 N D.")],
    n_params: Annotated[
        str | None, typer.Option("--n-params", help="A chosen size, for its regret.")
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
    """Split a compute budget between parameters and tokens, with intervals and regret."""
    from bayescale.decisions.allocate import allocate as make_allocation

    posterior = _source(runs, model, group, where, column, priors, None, engine, seed)
    chosen = None if n_params is None else _number(n_params, "--n-params")
    budget, records, lines = _number(flops, "--flops"), [], []
    for label in posterior.labels:
        made = make_allocation(posterior, flops=budget, n_params=chosen, label=label, seed=seed)
        records.append(made.to_dict())
        lines.append(made)
    if as_json:
        _print_json(records)
        return
    for made in lines:
        _print_frame(made.to_frame())
        _print_lines([repr(made)])


@app.command(epilog="Example: bayescale decide runs.csv --plan plan.yaml --html report.html")
def decide(
    runs: Source,
    plan: Annotated[Path, typer.Option("--plan", help="Plan file: candidates, target, price.")],
    html: Annotated[Path | None, typer.Option("--html", help="Write the report here.")] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", help="Write the decision as JSON to this file, '-' for the screen."),
    ] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    priors: Priors = None,
    engine: Engine = "auto",
    seed: Seed = 0,
) -> None:
    """Say FUND, DO NOT FUND or RUN PILOTS FIRST, with the reasons."""
    from bayescale.decisions.decide import decide as make_decision
    from bayescale.decisions.scenario import load_scenario

    scenario = load_scenario(plan)
    posterior = _source(runs, model, group, where, column, priors, None, engine, seed)
    decision = make_decision(posterior, scenario, seed=seed)
    if html is not None:
        _write_report(html, runs, posterior, decision, where, column)
    if json_file == "-":
        _print_json(decision.to_dict())
        return
    if json_file is not None:
        decision.save(Path(json_file))
    _print_decision(decision)


@app.command(epilog="Example: bayescale report runs.csv --plan plan.yaml --html report.html")
def report(
    runs: Source,
    html: Annotated[Path, typer.Option("--html", help="File to write.")] = Path("report.html"),
    plan: Annotated[Path | None, typer.Option("--plan", help="Plan file.")] = None,
    model: Model = None,
    group: Group = "",
    where: Where = None,
    column: Columns = None,
    engine: Engine = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write the one-file HTML page: checks, coefficients, forecast, and the decision if planned."""
    from bayescale.decisions.decide import decide as make_decision
    from bayescale.decisions.scenario import load_scenario

    scenario = None if plan is None else load_scenario(plan)
    posterior = _source(runs, model, group, where, column, None, None, engine, seed)
    decision = None if scenario is None else make_decision(posterior, scenario, seed=seed)
    path = _write_report(html, runs, posterior, decision, where, column)
    if as_json:
        _print_json({"html": str(path), "verdict": decision.verdict if decision else None})
    else:
        _print_lines([f"wrote {path}"])


@app.command(epilog="Example: bayescale laws chinchilla")
def laws(
    name: Annotated[str | None, typer.Argument(help="Show this law.")] = None, as_json: Json = False
) -> None:
    """List the laws, or show one."""
    from dataclasses import asdict

    from bayescale.laws import list_laws, load_law

    chosen = [load_law(name)] if name else [load_law(each) for each in list_laws()]
    if as_json:
        keys = ("name", "inputs", "output", "citation")
        head = [{key: getattr(law, key) for key in keys} for law in chosen]
        _print_json(
            [
                {**h, "coefficients": [asdict(c) for c in law.coefficients]}
                for h, law in zip(head, chosen, strict=True)
            ]
        )
        return
    if name is None:
        lines = [[law.name, ", ".join(law.inputs), _first_line(law)] for law in chosen]
        _print_rows(["law", "reads", "formula"], lines)
        return
    _print_lines([_plain(type(chosen[0]).__doc__ or "").strip(), ""])
    _print_rows(
        ["coefficient", "unit", "lives on", "meaning", "default prior"],
        [
            [c.symbol, c.unit, c.support, c.meaning, json.dumps(c.prior.to_dict())]
            for c in chosen[0].coefficients
        ],
    )


@app.command(epilog="Example: bayescale models coupled_gp_weak")
def models(
    name: Annotated[str | None, typer.Argument(help="Show this model, resolved.")] = None,
    as_json: Json = False,
) -> None:
    """List the statistical models, or show one with every prior spelled out."""
    import yaml

    from bayescale.models.catalog import DEFAULT_MODEL, list_models, load_model

    chosen = [load_model(name)] if name else [load_model(each) for each in list_models()]
    if as_json:
        _print_json([{**spec.to_dict(), "hash": spec.hash} for spec in chosen])
    elif name is None:
        rows = [
            [s.name + (" (default)" if s.name == DEFAULT_MODEL else ""), s.law, s.title]
            for s in chosen
        ]
        _print_rows(["model", "law", "what it is"], rows)
    else:
        text = yaml.safe_dump(chosen[0].to_dict(), sort_keys=False, width=100)
        _print_lines([text, f"hash {chosen[0].hash}"])


@app.command(epilog="Example: bayescale data cpu_gcide_llama")
def data(
    name: Annotated[str | None, typer.Argument(help="Show this table's card.")] = None,
    as_json: Json = False,
) -> None:
    """List the shipped runs tables, or show one's card."""
    from bayescale.runs.catalog import list_runs, load_card

    cards = [load_card(each) for each in ([name] if name else list_runs())]
    content = [card.model_dump(mode="json") for card in cards]
    if as_json:
        _print_json(content)
    elif name is None:
        _print_rows(["table", "title"], [[card.name, card.title] for card in cards])
    else:
        _print_rows(["", ""], [[key, _plain(str(value))] for key, value in content[0].items()])


@app.command(epilog="Example: bayescale corpus python_stdlib")
def corpus(
    name: Annotated[str | None, typer.Argument(help="Build this corpus.")] = None,
    as_json: Json = False,
) -> None:
    """List the corpora the harness trains on, or build one from its recipe."""
    from bayescale.harness.data import build_corpus, list_corpora

    if name is None:
        found = list(list_corpora())
        _print_json(found) if as_json else _print_lines(found)
        return
    with _status(f"building corpus {name}"):
        path = build_corpus(name)
    _print_json({"corpus": name, "path": str(path)}) if as_json else _print_lines([f"built {path}"])


@app.command(epilog="Example: bayescale sweep benchmarks/sweeps/quick.yaml --out sweeps/quick")
def sweep(
    plan: Annotated[Path, typer.Argument(help="Sweep plan (.yaml).")],
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of runs.")] = None,
    workers: Annotated[int, typer.Option(help="Local processes.")] = 1,
    as_json: Json = False,
) -> None:
    """Train the runs of a plan and write their table; resumes where it was stopped."""
    from bayescale.harness.sweep import run_sweep

    folder = out_dir or Path("sweeps") / plan.stem
    with _bar(not as_json) as advance:
        table = run_sweep(plan, folder, progress=advance, workers=workers)
    _print_json({"runs": str(table)}) if as_json else _print_lines([f"wrote {table}"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of ours print one message and exit with status 2."""
    warnings.showwarning = _show_warning
    try:
        app(args=list(arguments) if arguments is not None else None)
    except BayescaleError as error:
        err.print(f"[bold red]error:[/] {_plain(error.message)}", highlight=False, soft_wrap=True)
        if error.hint:
            err.print(f"[bold]way out:[/] {_plain(error.hint)}", highlight=False, soft_wrap=True)
        sys.exit(2)


def _show_warning(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, BayescaleWarning):
        err.print(f"[yellow]note:[/] {_plain(str(message))}", highlight=False, soft_wrap=True)


def _table(runs: str, where: Sequence[str] | None, column: Sequence[str] | None) -> RunsTable:
    from bayescale.runs.table import read_runs

    return read_runs(runs, columns=_mapping(column), where=list(where) if where else None)


def _source(
    runs: str,
    model: str | None,
    group: str,
    where: Sequence[str] | None,
    column: Sequence[str] | None,
    priors: Path | None,
    pooling: str | None,
    engine: str,
    seed: int,
) -> Posterior:
    """Return the posterior that `runs` is, or a fit to the table that it is."""
    if not runs.endswith(".nc"):
        table = _table(runs, where, column)
        return _fit(table, model, group, priors, pooling, engine, 1000, seed)
    from bayescale.inference.posterior import load_posterior

    given = {"--model": model, "--group": group, "--where": where, "--column": column}
    given.update({"--priors": priors, "--pooling": pooling})
    for option, value in given.items():
        if value:
            raise ModelError(
                f"{option} was given with the saved posterior {runs!r}, which is already fitted.",
                f"Drop {option}, or give the runs table instead.",
            )
    return load_posterior(runs)


def _fit(
    table: RunsTable,
    model: str | None,
    group: str,
    priors: Path | None,
    pooling: str | None,
    engine: str,
    draws: int,
    seed: int,
) -> Posterior:
    from bayescale.inference.fit import fit as make_fit

    own = None if priors is None else _read_priors(priors)
    with _status("fitting"):
        return make_fit(
            table,
            model,
            priors=own,
            group=_names(group),
            pooling=pooling,  # type: ignore[arg-type]
            engine=engine,  # type: ignore[arg-type]
            draws=draws,
            seed=seed,
        )


def _read_priors(path: Path) -> dict[str, Any]:
    from bayescale.models.catalog import read_yaml

    content = read_yaml(path, "priors file")
    return {str(name): prior for name, prior in content.items()}


def _write_report(
    html: Path,
    runs: str,
    posterior: Posterior,
    decision: Any,
    where: Sequence[str] | None,
    column: Sequence[str] | None,
) -> Path:
    from bayescale.reports.report import write_report
    from bayescale.runs.lint import lint

    table = None if runs.endswith(".nc") else _table(runs, where, column)
    findings = () if table is None else lint(table, posterior.group_columns)
    return write_report(html, runs=table, posterior=posterior, decision=decision, findings=findings)


def _forecast_notes(posterior: Posterior, without_family: str | None, raw: bool) -> list[str]:
    notes = []
    if without_family is not None:
        notes.append(
            f"model {posterior.spec.name} has no corpus prior: it learned from no family,"
            f" so there is nothing of {without_family!r} to leave out"
        )
    if raw:
        notes.append(f"model {posterior.spec.name} is not recalibrated: --raw changes nothing")
    return notes


def _print_decision(decision: Any) -> None:
    colour = {"FUND": "green", "DO NOT FUND": "red"}.get(decision.verdict, "yellow")
    out.print(f"[bold {colour}]{decision.verdict}[/]  {_plain(decision.scenario.title)}")
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
    _print_rows([*head, "break-even value USD"], rows)
    pilots = [
        [p.name, f"{p.cost_usd:,.0f}", f"{p.evsi_usd:,.0f}", f"{p.net_gain_usd:,.0f}"]
        for p in decision.pilots
    ]
    if pilots:
        _print_rows(["pilot", "cost USD", "value of its result USD", "net gain USD"], pilots)
    _print_lines([f"value of perfect information: {decision.evpi_usd:,.0f} USD"])
    _print_lines([f"- {reason}" for reason in decision.reasons])
    _print_lines([f"! {caveat}" for caveat in decision.caveats])


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _mapping(pairs: Sequence[str] | None) -> dict[str, str]:
    mapping = {}
    for pair in pairs or ():
        ours, sign, theirs = pair.partition("=")
        if not sign or not ours or not theirs:
            raise ModelError(f"--column is {pair!r}.", "Write --column 'n_params=my size'.")
        mapping[ours.strip()] = theirs.strip()
    return mapping


def _number(word: str, option: str) -> float:
    from bayescale.runs.numbers import parse_number

    try:
        value = parse_number(word)
    except ValueError:
        value = float("nan")
    if not 0.0 < value < float("inf"):
        raise DecisionError(f"{option} is {word!r}, expected a positive number such as 1e22 or 7B.")
    return value


def _first_line(law: Any) -> str:
    return _plain((type(law).__doc__ or "").strip().splitlines()[0])


def _plain(text: str) -> str:
    """Return text in which nothing is taken for Rich markup."""
    return text.replace("[", "\\[")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _jsonable(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _jsonable(value: Any) -> Any:
    if isinstance(value, float) or hasattr(value, "item"):
        number = value.item() if hasattr(value, "item") else value
        return None if isinstance(number, float) and number != number else number
    return value


def _print_json(content: Any) -> None:
    print(json.dumps(content, indent=2, default=_jsonable, allow_nan=True))


def _print_frame(frame: pd.DataFrame) -> None:
    rows = [
        [f"{v:.5g}" if isinstance(v, float) else _plain(str(v)) for v in row]
        for row in frame.itertuples(index=False)
    ]
    _print_rows([str(column) for column in frame.columns], rows)


def _print_rows(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, markup: bool = False
) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(cell if markup else cell for cell in row))
    out.print(table, highlight=False)


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        out.print(_plain(line), highlight=False, soft_wrap=True)


@contextmanager
def _status(text: str) -> Iterator[None]:
    with err.status(text):
        yield


@contextmanager
def _bar(visible: bool) -> Iterator[Callable[..., None]]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not visible) as progress:
        task = progress.add_task("training", total=1.0)
        yield lambda share, text="training": progress.update(
            task, completed=share, description=_plain(text)
        )
