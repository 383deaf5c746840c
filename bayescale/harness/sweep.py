"""From a plan to a runs table: tune the rates, train every size, write one row per measurement."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from bayescale.errors import HarnessError
from bayescale.harness.config import ZIPF_FACTS, Member, RunConfig
from bayescale.harness.corpora import build_corpus
from bayescale.harness.engine import Job, Progress, run_jobs
from bayescale.harness.plan import SweepPlan
from bayescale.harness.plan_file import load_plan
from bayescale.harness.runs_file import RUNS, csv_text, write_table, write_whole
from bayescale.harness.trials import settings, tuning_units

__all__ = ["load_plan", "remake_table", "run_sweep"]

TUNING_SHARE = 0.15
"""Part of the progress bar given to the search for the learning rate."""


def run_sweep(
    plan_path: str | Path,
    out_dir: str | Path,
    *,
    resume: bool = True,
    progress: Progress | None = None,
    workers: int = 1,
    deadline: float | None = None,
    device: str = "cpu",
) -> Path:
    """Train everything a plan names and write the runs table.

    Parameters
    ----------
    plan_path : str or Path
        YAML plan.
    out_dir : str or Path
        Folder for units, learning rates and ``runs.csv``; a later call with the same plan goes on
        where an earlier one stopped or was killed.
    resume : bool
        False refuses a folder that already holds units.
    progress : callable, optional
        Told the share of the sweep done and what is running.
    workers : int
        Processes, each with one thread.
    deadline : float, optional
        Unix time at which to write checkpoints and stop.
    device : str
        PyTorch device.

    Returns
    -------
    Path
        The ``runs.csv``; after a deadline or SIGTERM it has the rows finished so far.

    Raises
    ------
    HarnessError
        When the plan, the corpus or the folder cannot be used.
    """
    plan, out = load_plan(plan_path), Path(out_dir)
    units = out / "units"
    if not resume and units.exists():
        raise HarnessError(
            f"sweep folder {out.name!r}: it already holds {len(list(units.iterdir()))} units.",
            "Resume it, or give another folder.",
        )
    corpus_dir = None if plan.corpus == ZIPF_FACTS else build_corpus(plan.corpus)
    tokens_sha256 = _tokens_sha256(corpus_dir)

    def job(config: RunConfig) -> Job:
        folder = units / config.content_hash
        return Job(
            config=config, folder=folder, corpus_dir=corpus_dir, device=device, deadline=deadline
        )

    trials = [job(config) for config in tuning_units(plan, tokens_sha256)]
    share = TUNING_SHARE if trials else 0.0
    told = _rescaled(progress, 0.0, share, "learning rate, ")
    if run_jobs(trials, workers=workers, progress=told) == "stopped":
        return write_table(out / RUNS, [])
    found = settings(plan, trials)
    jobs = [job(config) for config in sweep_units(plan, found, tokens_sha256)]
    folders = [one.folder for one in jobs]
    write_whole(out / "learning_rates.json", json.dumps(found, indent=1) + "\n")
    told = _rescaled(progress, share, 1 - share, "")

    def write_partial(_: Job) -> None:
        write_table(out / RUNS, folders)

    run_jobs(jobs, workers=workers, progress=told, on_finished=write_partial)
    return write_table(out / RUNS, folders)


def remake_table(folder: Path) -> str:
    """Train the runs of a shipped table again, from the plans that bear its name.

    These are ``<name>.yaml`` and ``<name>_*.yaml``, whose runs the table has one after the other.
    Resumes if it was cut short; progress is printed in place.

    Parameters
    ----------
    folder : Path
        ``data/runs/<name>`` of the repository, whose ``runs.csv`` is replaced at the end.

    Returns
    -------
    str
        SHA-256 of the new table; on the card's processor and versions it is the card's.
    """
    repository = folder.parents[2]
    plans, out = repository / "benchmarks" / "sweeps", repository / "sweeps" / folder.name
    alone, parts = plans / f"{folder.name}.yaml", sorted(plans.glob(f"{folder.name}_*.yaml"))

    def tell(share: float, doing: str) -> None:
        print(f"\r{share:6.1%}  {doing:60}", end="", flush=True)

    tables = [run_sweep(plan, out / plan.stem, progress=tell) for plan in parts]
    if alone.is_file():
        tables.insert(0, run_sweep(alone, out, progress=tell))
    print()
    table = write_whole(folder / RUNS, one_table(tables))
    return hashlib.sha256(table.read_bytes()).hexdigest()


def one_table(tables: list[Path]) -> str:
    """Return the rows of several sweeps under one header.

    Parameters
    ----------
    tables : list of Path
        What `run_sweep` returned.

    Returns
    -------
    str
        CSV, in the order given; a column that a sweep did not write is empty there.
    """
    rows: list[dict[str, Any]] = []
    for path in tables:
        with path.open(newline="") as file:
            rows += csv.DictReader(file)
    return csv_text(rows)


def sweep_units(plan: SweepPlan, found: dict[str, Any], tokens_sha256: str) -> list[RunConfig]:
    """Return the units of the sweep itself, one per size with all seeds stacked.

    Parameters
    ----------
    plan : SweepPlan
        The plan.
    found : dict
        What `settings` returned.
    tokens_sha256 : str
        Hash of the token file.

    Returns
    -------
    list of RunConfig
        In the plan's order.
    """
    as_planned = [None] * len(plan.sizes)
    columns = (found["rates"], found.get("batch_tokens"), found.get("beta2"))
    each = zip(plan.sizes, *(column or as_planned for column in columns), strict=True)
    return [
        plan.unit(
            size,
            tuple(Member(seed=seed, learning_rate=rate) for seed in size.seeds or plan.seeds),
            tokens_sha256,
            batch_tokens=batch,
            beta2=beta2,
        )
        for size, rate, batch, beta2 in each
    ]


def _tokens_sha256(corpus_dir: Path | None) -> str:
    if corpus_dir is None:
        return ""
    return str(json.loads((corpus_dir / "meta.json").read_text())["sha256"])


def _rescaled(progress: Progress | None, start: float, width: float, label: str) -> Progress | None:
    if progress is None:
        return None
    return lambda share, title: progress(start + width * share, label + title)
