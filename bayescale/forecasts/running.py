"""Put a method to many tasks: in parallel, and from where a killed run stopped."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from bayescale.errors import ForecastError
from bayescale.forecasts.methods import (
    Method,
    Prediction,
    method_identity,
    method_name,
    without_family,
)
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.scored import COLUMNS, Backtest
from bayescale.forecasts.scores import MEASURES, score_points
from bayescale.forecasts.tasks import BINS, Task
from bayescale.laws.base import LAWS
from bayescale.models.discrepancy import Floats
from bayescale.runs.save import write_atomically
from bayescale.runs.schema import FLOPS, LOSS, N_PARAMS, N_TOKENS

PROTOCOL = 1
"""Raised whenever a score or the way runs are split changes, so that caches are not mixed."""

BACKENDS = ("loky", "threading", "sequential", "ray")

Progress = Callable[[float, str], object]
"""Called with the share done, from 0 to 1, and what was done last."""

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Job:
    """One task and what it counts as.

    Parameters
    ----------
    table, family, group, evaluation : str
        Columns of the same names of `Backtest.frame`.
    task : Task
        Runs to fit and to predict.
    """

    table: str
    family: str
    group: str
    evaluation: str
    task: Task

    def identity(self, method: Method) -> str:
        """Return the SHA-256 of all that the scores of this job depend on."""
        task = self.task
        content = [PROTOCOL, method_name(method), method_identity(method), self.labels]
        content += [task.factor, task.train.fingerprint, task.test.fingerprint]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def labels(self) -> Row:
        """Columns of the frame that name the task."""
        names = ("table", "family", "group", "evaluation")
        return {**{name: getattr(self, name) for name in names}, "factor": self.task.factor}


def run_jobs(
    jobs: Sequence[Job],
    method: Method,
    *,
    n_jobs: int = 1,
    backend: str = "loky",
    progress: Progress | None = None,
    cache: str | Path | None = None,
) -> Backtest:
    """Fit, predict and score every job.

    Parameters
    ----------
    jobs : sequence of Job
        Tasks.
    method : callable
        What predicts.
    n_jobs, backend, progress, cache
        As for `backtest`.

    Raises
    ------
    ForecastError
        For an unknown or missing backend, or predictions of another shape than asked.
    """
    folder = None if cache is None else Path(cache)
    rows: list[Row] = []
    with _parallel(n_jobs, backend) as parallel:
        scored = parallel(
            joblib.delayed(_score_or_read)(job, without_family(method, job.family), folder)
            for job in jobs
        )
        for done, (job, found) in enumerate(zip(jobs, scored, strict=True), start=1):
            rows += found
            if progress is not None:
                progress(done / len(jobs), f"{job.table} {job.group} {job.task.factor:g}x")
    return Backtest(pd.DataFrame(rows, columns=list(COLUMNS)))


def _parallel(n_jobs: int, backend: str) -> Any:
    if n_jobs == 0:
        raise ForecastError("n_jobs is 0, expected a number of processes, or -1 for one a core.")
    if backend not in BACKENDS:
        raise ForecastError(f"backend is {backend!r}, expected one of {', '.join(BACKENDS)}.")
    if backend == "ray":
        _register_ray()
    return joblib.Parallel(n_jobs=n_jobs, backend=backend, return_as="generator")


def _register_ray() -> None:
    try:
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise ForecastError(
            "backend 'ray' was asked for, but ray is not installed.",
            "Install bayescale[cluster], or use backend='loky'.",
        ) from error
    register_ray()


def _score_or_read(job: Job, method: Method, folder: Path | None) -> list[Row]:
    """Return a job's rows, from the cache where they are already there."""
    if folder is None:
        return score_job(job, method)
    path = folder / f"{job.identity(method)}.json"
    if path.is_file():
        return list(json.loads(path.read_text(encoding="utf-8")))
    rows = score_job(job, method)
    write_atomically(path, lambda part: part.write_text(json.dumps(rows), encoding="utf-8"))
    return rows


def score_job(job: Job, method: Method) -> list[Row]:
    """Return one row a cell: fit and predict once, score every point, average within cells."""
    task = job.task
    known, read = task.test.data, _readable()
    inputs = {k: v for k, v in known.items() if k in read and v.dtype.kind == "f"}
    started = _cpu_seconds()
    made = method(task.train, inputs)
    cpu_seconds = _cpu_seconds() - started
    made = made if isinstance(made, Prediction) else Prediction(made)
    actual = np.log(task.test.numbers(LOSS))
    _check_shape(made, len(actual), job)
    points = score_points(made.log_loss, actual)
    head = {"model": method_name(method), **job.labels}
    tail = {"khat": made.khat, "ess": made.ess, "cpu_seconds": cpu_seconds}
    return [
        {**head, "cell": cell, "n_train": len(task.train), **_mean(points, task, cell), **tail}
        for cell in BINS
        if (task.cells == cell).any()
    ]


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those that it has waited for."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def _readable() -> set[str]:
    """Return what a method may know of the runs that it predicts: the inputs of laws of loss."""
    read = {name for law in LAWS if law.output == LOSS for name in law.inputs}
    return read | {N_PARAMS, N_TOKENS, FLOPS}


def _mean(points: Mapping[str, Floats], task: Task, cell: str) -> Row:
    inside = task.cells == cell
    means = {name: float(points[name][inside].mean()) for name in MEASURES}
    return {"n_points": int(inside.sum()), **means}


def _check_shape(made: Prediction, n_points: int, job: Job) -> None:
    found = made.log_loss
    shape = found.mean.shape if isinstance(found, Mixture) else np.shape(found)
    if len(shape) != 2 or shape[1] != n_points:
        raise ForecastError(
            f"backtest: the method returned shape {shape} for {n_points} runs of {job.table!r},"
            f" expected (draws, {n_points})."
        )
