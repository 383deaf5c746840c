"""The demonstration: hide the largest shipped runs, decide from the rest, then look."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.decisions.decide import decide
from bayescale.decisions.decision import Decision
from bayescale.decisions.scenario import load_scenario
from bayescale.errors import RunsTableError
from bayescale.forecasts.held_out import HeldOut, hold_out
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior
from bayescale.runs.catalog import runs_folder
from bayescale.runs.finding import Finding
from bayescale.runs.lint import lint
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import N_PARAMS, N_TOKENS
from bayescale.runs.table import read_runs

if TYPE_CHECKING:
    from rich.console import Console

DATA = "cpu_gcide_llama"
PLAN = "plan.yaml"
FACTORS = (10.0, 5.0, 3.0)
"""Tried in turn: runs above the largest compute over the first that leaves enough are hidden."""

MIN_RUNS, MIN_SIZES = 10, 3
"""Fewest fitted runs, and fewest distinct N and D among them."""


@dataclass(frozen=True, eq=False)
class Demo:
    """What the demonstration found and wrote.

    Parameters
    ----------
    runs : RunsTable
        The whole table.
    findings : tuple of Finding
        What the linter said of it.
    posterior : Posterior
        Fit of the runs that were not hidden.
    decision : Decision
        Verdict on the plan that ships with the table.
    hidden : HeldOut
        The hidden runs and their forecast.
    report : Path
        The page.
    plots : tuple of Path
        The pictures.
    seconds : float
        Wall time of it all.
    """

    runs: RunsTable
    findings: tuple[Finding, ...]
    posterior: Posterior
    decision: Decision
    hidden: HeldOut
    report: Path
    plots: tuple[Path, ...]
    seconds: float

    def __repr__(self) -> str:
        """Return one line: the verdict and what the hidden runs said of the forecast."""
        return f"Demo on {self.runs.name!r}: {self.decision.verdict}; {self.hidden!r}"

    @property
    def actual(self) -> float | None:
        """Mean loss of the hidden runs at the chosen candidate, None when there is none."""
        made = self.hidden.forecast.points.inputs
        wanted = self.decision.outcome.inputs
        same = np.ones(len(self.hidden), dtype=bool)
        for name in (N_PARAMS, N_TOKENS):
            same &= np.isclose(made[name], wanted[name], rtol=1e-6)
        return float(self.hidden.actual[same].mean()) if same.any() else None

    def to_dict(self) -> dict[str, Any]:
        """Return the decision, the hidden runs and the files as plain data."""
        table = self.hidden.forecast.to_frame()
        table["actual"] = self.hidden.actual
        table["inside_90"] = self.hidden.inside(0.9)
        return {
            "decision": self.decision.to_dict(),
            "actual": self.actual,
            "coverage": {str(prob): self.hidden.coverage(prob) for prob in (0.5, 0.8, 0.9, 0.95)},
            "hidden": table.to_dict("records"),
            "lint": dict(Counter(finding.level for finding in self.findings)),
            "files": [str(path) for path in (self.report, *self.plots)],
            "seconds": self.seconds,
        }


def run_demo(
    out_dir: str | Path, *, data: str = DATA, seed: int = 0, console: Console | None = None
) -> Demo:
    """Hide the largest runs of a shipped table, decide from the rest, and show what happened.

    Parameters
    ----------
    out_dir : str or Path
        Folder that gets ``report.html`` and the plots; made if need be.
    data : str
        Name of a shipped table with a plan beside it.
    seed : int
        Seed of everything random.
    console : Console, optional
        Where to print; a new console on standard output by default.

    Returns
    -------
    Demo
        Every object made on the way.

    Raises
    ------
    RunsTableError
        When the table is too small to hide anything.
    DecisionError
        When the table has no plan, or it cannot be used.
    """
    # Rich and matplotlib are imported late: what a user mistypes is told before they load.
    from bayescale.demo_output import show

    started = time.perf_counter()
    runs = read_runs(data)
    plan = load_scenario(runs_folder(data) / PLAN)
    findings = lint(runs)
    fitted, kept = hide(runs)
    posterior = fit(fitted, engine="amis", seed=seed)
    hidden = hold_out(posterior, kept)
    decision = decide(posterior, plan, seed=seed)
    report, plots = _write(Path(out_dir), data, seed, runs, findings, hidden, decision)
    elapsed = time.perf_counter() - started
    demo = Demo(runs, findings, posterior, decision, hidden, report, plots, elapsed)
    show(demo, console)
    return demo


def hide(runs: RunsTable) -> tuple[RunsTable, RunsTable]:
    """Return the runs to fit and those to hide: as far beyond the fit as the table allows.

    Parameters
    ----------
    runs : RunsTable
        The whole table.

    Raises
    ------
    RunsTableError
        When no factor leaves enough runs to fit.
    """
    usable, _ = runs.usable()
    for factor in FACTORS:
        fitted, hidden = usable.hide_largest(factor)
        sizes = [np.unique(fitted.numbers(name)).size for name in (N_PARAMS, N_TOKENS)]
        if len(fitted) >= MIN_RUNS and min(sizes) >= MIN_SIZES:
            return fitted, hidden
    raise RunsTableError(
        f'runs table "{runs.name}": hiding the runs above a third of the largest compute leaves'
        f" {len(fitted)} of {len(usable)} usable runs with {min(sizes)} distinct N or D, but the"
        f" demonstration fits at least {MIN_RUNS} with {MIN_SIZES} of each.",
        "Choose a table with a wider range of compute.",
    )


def _write(
    folder: Path,
    data: str,
    seed: int,
    runs: RunsTable,
    findings: tuple[Finding, ...],
    hidden: HeldOut,
    decision: Decision,
) -> tuple[Path, tuple[Path, ...]]:
    from bayescale.plots.extrapolation import plot_extrapolation
    from bayescale.plots.held_out import plot_held_out
    from bayescale.plots.probability import plot_probability
    from bayescale.reports.figures import save_figure
    from bayescale.reports.gathered import candidates_forecast
    from bayescale.reports.report import write_report

    posterior, target = hidden.forecast.posterior, decision.scenario.target.loss
    report = write_report(
        folder / "report.html",
        posterior=posterior,
        runs=runs,
        decision=decision,
        hidden=hidden,
        findings=findings,
        command=f"bayescale demo --data {data} --seed {seed}",
    )
    made = candidates_forecast(posterior, decision)
    names = [outcome.name for outcome in decision.candidates]
    axes = {
        "extrapolation": plot_extrapolation(made, hidden, target),
        "held_out": plot_held_out(hidden),
        "probability": plot_probability(made, target, names),
    }
    return report, tuple(save_figure(ax, folder / f"{name}.png") for name, ax in axes.items())
