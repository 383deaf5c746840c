"""From a plan to a runs table: tune the rates, train every size, write one row per measurement."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Collection
from itertools import chain
from pathlib import Path
from typing import Any

from bayescale.errors import HarnessError
from bayescale.harness.arms import Arm, Kept, open_arms, sweep_units, trimmed
from bayescale.harness.config import RunConfig
from bayescale.harness.devices import check_device
from bayescale.harness.engine import Job, Progress, check_engine, run_job, run_jobs
from bayescale.harness.job import Work
from bayescale.harness.locks import held
from bayescale.harness.plan import SweepPlan
from bayescale.harness.plan_file import load_plan
from bayescale.harness.planner import check_disk
from bayescale.harness.runs_file import RUNS, TRIALS, csv_text, write_table, write_whole
from bayescale.harness.settled import settle
from bayescale.harness.tables import OnRows, Tables
from bayescale.harness.tally import Finished
from bayescale.harness.train import Outcome
from bayescale.harness.trials import settings

__all__ = ["load_plan", "remake_table", "run_sweep", "sweep_units"]

LOCK, UNITS = "sweep.lock", "units"

TUNING_SHARE = 0.15
"""Part of the progress bar given to the search for the learning rate."""


def run_sweep(
    plan_path: str | Path | SweepPlan,
    out_dir: str | Path,
    *,
    resume: bool = True,
    replan: bool = False,
    only: Collection[int] | None = None,
    engine: str = "local",
    workers: int = 1,
    gpus_per_job: float = 0.0,
    device: str = "cpu",
    deadline: float | None = None,
    progress: Progress | None = None,
    on_rows: OnRows | None = None,
    on_failed: Callable[[Job, HarnessError], None] | None = None,
    on_end: Callable[[Outcome], None] | None = None,
    work: Work = run_job,
) -> Path:
    """Train everything a plan names and write the runs table.

    Parameters
    ----------
    plan_path : str, Path or SweepPlan
        YAML plan, or one that has been read.
    out_dir : str or Path
        Folder for units, learning rates and ``runs.csv``; a later call with the same plan goes on
        where an earlier one stopped or was killed, on any engine or machine.
    resume : bool
        False refuses a folder that already holds units.
    replan : bool
        Whether the plan of a folder may be another than the one that it was begun with; units that
        both have are not trained again.
    only : collection of int, optional
        Positions of the plan's sizes to train now; all when left out.
    engine : {"local", "ray"}
        See `bayescale.harness.engine.run_jobs`.
    workers : int
        Processes, each with one thread.
    gpus_per_job : float
        Share of a GPU that a Ray task asks for.
    device : str
        PyTorch device.
    deadline : float, optional
        Unix time at which to write checkpoints and stop.
    progress : callable, optional
        Told the share of the sweep done and what is running.
    on_rows : callable, optional
        Given all rows so far, those of runs held back left out, at the beginning and whenever a
        unit is finished; True stops the sweep.
    on_failed : callable, optional
        Told of each failed unit and its error.
    on_end : callable, optional
        Told whether all units are finished or given up.
    work : callable
        What is done with a unit of the ladder: `bayescale.stop_against.StopAgainst` stops those
        that will miss their forecast. Trials of learning rates are trained whole.

    Returns
    -------
    Path
        The ``runs.csv``; after a deadline or SIGTERM it has the rows finished so far. Beside it lie
        ``trials.csv``, the rows of the search for settings, and ``held_back.csv``.

    Raises
    ------
    HarnessError
        When the plan, the corpus or the folder cannot be used, another sweep works on the folder,
        or units failed, after the others were run.
    """
    plan = plan_path if isinstance(plan_path, SweepPlan) else load_plan(plan_path)
    out = Path(out_dir)
    check_engine(engine, workers)
    _check_device(device, engine, gpus_per_job)
    if not resume:
        _check_unused(out)
    arms = open_arms(plan)
    wanted = [k for k in range(len(plan.sizes)) if only is None or k in only]
    # Whatever is wrong with the plan shows here, before anything is written.
    planned = [arm.units()[k] for arm in arms for k in wanted]
    planned += [trial for arm in arms for trial in arm.trials()]
    with held(out / LOCK, f"sweep folder {out.name!r}"):
        settled = settle(out, plan, arms, replan=replan, workers=workers, device=device)
        arms = settled.arms
        check_disk(out, planned, workers)

        def run(
            jobs: list[Job], told: Progress | None, heard: Finished | None, work: Work = run_job
        ) -> Outcome:
            return run_jobs(
                jobs,
                engine=engine,
                workers=workers,
                gpus_per_job=gpus_per_job,
                progress=told,
                on_finished=heard,
                on_failed=on_failed,
                work=work,
            )

        def jobs_of(units: list[list[RunConfig]]) -> list[list[Job]]:
            pairs = zip(arms, units, strict=True)
            return [[_job(out, arm, unit, device, deadline) for unit in own] for arm, own in pairs]

        tuning = jobs_of([arm.trials() for arm in arms])
        share = TUNING_SHARE if any(tuning) else 0.0
        outcome = run(_flat(tuning), _rescaled(progress, 0.0, share, "learning rate, "), None)
        if outcome == "finished":
            every = _found_units(out, arms, tuning, settled.kept)
            ladder = jobs_of([[own[k] for k in wanted] for own in every])
            apart = [[plan.sizes[k].held_back for k in wanted] for _ in arms]
            held_back = _chosen(ladder, apart)
            _write_stages(out, _flat(tuning), _flat(ladder), held_back)
            if any(tuning):
                write_table(out / TRIALS, [job.folder for job in _flat(tuning)])
            tables = Tables(out, _flat(ladder), held_back, on_rows)
            outcome = "stopped"
            if not tables.update():
                try:
                    told = _rescaled(progress, share, 1 - share, "")
                    outcome = run(_flat(ladder), told, tables.finished, work)
                finally:
                    tables.update()
        else:
            write_table(out / RUNS, [])
        if on_end is not None:
            on_end(outcome)
    return out / RUNS


def _job(out: Path, arm: Arm, unit: RunConfig, device: str, deadline: float | None) -> Job:
    return Job(
        config=unit,
        folder=out / UNITS / unit.content_hash,
        corpus_dir=arm.corpus_dir,
        device=device,
        deadline=deadline,
    )


def _flat(by_arm: list[list[Job]]) -> list[Job]:
    return list(chain.from_iterable(by_arm))


def _chosen(jobs: list[list[Job]], chosen: list[list[bool]]) -> frozenset[str]:
    """Return the hashes of the units that are chosen."""
    pairs = zip(_flat(jobs), chain.from_iterable(chosen), strict=True)
    return frozenset(job.config.content_hash for job, is_chosen in pairs if is_chosen)


def _check_device(device: str, engine: str, gpus_per_job: float) -> None:
    if engine == "local":
        check_device(device)  # the machine that drives a cluster may have no GPU
    elif device != "cpu" and not gpus_per_job:
        raise HarnessError(
            f"engine {engine!r}: device is {device!r}, but gpus_per_job is 0, and a task is shown "
            "no GPU that it does not ask for.",
            "Ask for one, or for a share such as --gpus-per-job 0.25.",
        )


def _check_unused(out: Path) -> None:
    if (out / UNITS).exists():
        raise HarnessError(
            f"sweep folder {out.name!r}: it already holds "
            f"{len(list((out / UNITS).iterdir()))} units.",
            "Resume it, or give another folder.",
        )


def _write_stages(
    out: Path, tuning: list[Job], ladder: list[Job], held_back: frozenset[str]
) -> None:
    """Write down what each unit is for, by which records are told apart."""
    units = [job.config.content_hash for job in ladder]
    stages = {
        "tuning": [job.config.content_hash for job in tuning],
        "sweep": [unit for unit in units if unit not in held_back],
        "held_back": sorted(held_back),
    }
    write_whole(out / "units.json", json.dumps(stages, indent=1) + "\n")


def _found_units(
    out: Path, arms: list[Arm], tuning: list[list[Job]], kept: list[list[Kept]] | None
) -> list[list[RunConfig]]:
    """Return the units of every arm at the settings found for it, and write these down."""
    found = [settings(arm.plan, jobs) for arm, jobs in zip(arms, tuning, strict=True)]
    named = [
        {"dataset": arm.plan.corpus, "architecture": arm.plan.architecture, **one}
        for arm, one in zip(arms, found, strict=True)
    ]
    content = found[0] if len(arms) == 1 else {"arms": named}
    write_whole(out / "learning_rates.json", json.dumps(content, indent=1) + "\n")
    units = [arm.units(one) for arm, one in zip(arms, found, strict=True)]
    if kept is None:
        return units
    return [
        [trimmed(unit, part) for unit, part in zip(own, parts, strict=True)]
        for own, parts in zip(units, kept, strict=True)
    ]


def remake_table(folder: Path, trials_of: str | None = None) -> str:
    """Train the runs of a shipped table again, from the plans that bear its name.

    These are ``<name>.yaml`` and ``<name>_*.yaml``, whose runs the table has one after the other.
    Resumes if it was cut short; progress is printed in place.

    Parameters
    ----------
    folder : Path
        ``data/runs/<name>`` of the repository, whose ``runs.csv`` is replaced at the end.
    trials_of : str, optional
        Another plan, of which the table has the search for settings instead.

    Returns
    -------
    str
        SHA-256 of the new table; on the card's processor and versions it is the card's.
    """
    repository = folder.parents[2]
    plans, out = repository / "benchmarks" / "sweeps", repository / "sweeps" / folder.name
    if trials_of is not None:
        searched = repository / "sweeps" / trials_of
        run_sweep(plans / f"{trials_of}.yaml", searched, only=(), progress=_tell)
        print()
        return _replaced(folder, [searched / TRIALS])
    alone, parts = plans / f"{folder.name}.yaml", sorted(plans.glob(f"{folder.name}_*.yaml"))
    tables = [run_sweep(plan, out / plan.stem, progress=_tell) for plan in parts]
    if alone.is_file():
        tables.insert(0, run_sweep(alone, out, progress=_tell))
    print()
    return _replaced(folder, tables)


def _tell(share: float, doing: str) -> None:
    print(f"\r{share:6.1%}  {doing:60}", end="", flush=True)


def _replaced(folder: Path, tables: list[Path]) -> str:
    """Replace a shipped table by some tables and return its hash."""
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


def _rescaled(progress: Progress | None, start: float, width: float, label: str) -> Progress | None:
    if progress is None:
        return None
    return lambda share, title: progress(start + width * share, label + title)
