"""The backtest: fit the small runs of a table, predict its larger ones, score what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.arguments import NAME, NAMES, NUMBERS, PATH, SEED, check_arguments
from bayescale.errors import ForecastError
from bayescale.forecasts.methods import Method, resolve_method
from bayescale.forecasts.running import Job, Progress, run_jobs
from bayescale.forecasts.scored import Backtest, load_backtest
from bayescale.forecasts.tasks import FACTORS, Rules, make_tasks
from bayescale.models.spec import ModelSpec
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import LOSS_KIND
from bayescale.runs.table import read_runs

__all__ = ["Backtest", "backtest", "backtest_corpus", "load_backtest"]

Corpus = Mapping[str, Sequence[tuple[str, RunsTable]]]


def backtest(
    runs: Any,
    model: str | Path | ModelSpec | Method | None = None,
    *,
    group: str | Sequence[str] = (),
    family: str | None = None,
    factors: Sequence[float] = FACTORS,
    rules: Rules | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    backend: str = "loky",
    progress: Progress | None = None,
    cache: str | Path | None = None,
) -> Backtest:
    """Hide the larger runs of a table, predict them from the smaller ones, and score that.

    Every group is fitted apart. Splits are by compute (6 N D) alone: see `make_tasks`.

    Parameters
    ----------
    runs : RunsTable, DataFrame or path
        One row per finished run.
    model : str, Path, ModelSpec or callable, optional
        A model or a baseline by name, or a callable that takes the fitted `RunsTable` and the
        inputs of the runs to predict, and returns a `Mixture`, draws of shape (S, P) or a
        `Prediction` of log loss. Default: what `fit` chooses for the fitted runs. A model with a
        corpus prior has learned nothing from `family` when it is scored on it.
    group : str or sequence of str
        Columns that tell groups apart. Where ``loss_kind`` is one of them, its values are several
        evaluations of the same runs, and count as one group.
    family : str, optional
        What the table is averaged as; the table's name by default.
    factors : sequence of float
        Largest compute over the limit of what is fitted.
    rules : Rules, optional
        What the fitted runs must hold.
    seed : int
        Seed of a method named by text.
    n_jobs : int
        Processes; -1 for one a core.
    backend : {"loky", "threading", "sequential", "ray"}
        Backend of joblib; ``ray`` needs the extra ``cluster``.
    progress : callable, optional
        Called with the share done and the task.
    cache : str or Path, optional
        Folder in which the scores of each finished task are kept, so that a killed backtest goes
        on where it stopped.

    Returns
    -------
    Backtest
        Scores by task and cell.

    Raises
    ------
    ForecastError
        When no group yields a task, or the method or backend cannot be used.
    RunsTableError
        For a table that cannot be used, mixed groups included.
    """
    check_arguments(
        "backtest",
        ForecastError,
        group=(group, NAMES),
        family=(family, NAME.or_none),
        factors=(factors, NUMBERS),
        seed=(seed, SEED),
        backend=(backend, NAME),
        cache=(cache, PATH.or_none),
    )
    table = read_runs(runs)
    columns = (group,) if isinstance(group, str) else tuple(group)
    jobs = _jobs(table, columns, family or table.name, factors, rules)
    return run_jobs(
        jobs,
        resolve_method(model, seed),
        n_jobs=n_jobs,
        backend=backend,
        progress=progress,
        cache=cache,
    )


def backtest_corpus(
    corpus: Corpus,
    model: str | Path | ModelSpec | Method | None = None,
    *,
    factors: Sequence[float] = FACTORS,
    rules: Mapping[str, Rules] | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    backend: str = "loky",
    progress: Progress | None = None,
    cache: str | Path | None = None,
) -> Backtest:
    """Backtest one method on every table of a corpus.

    Parameters
    ----------
    corpus : mapping of str to sequence of (str, RunsTable)
        Tables of one group and one evaluation by family, as `load_corpus` returns them. Tables of
        one name are evaluations of the same runs.
    rules : mapping of str to Rules, optional
        What the fitted runs of a family must hold, as `load_rules` returns it.
    model, factors, seed, n_jobs, backend, progress, cache
        As for `backtest`.
    """
    return run_jobs(
        corpus_jobs(corpus, factors, rules),
        resolve_method(model, seed),
        n_jobs=n_jobs,
        backend=backend,
        progress=progress,
        cache=cache,
    )


def corpus_jobs(
    corpus: Corpus,
    factors: Sequence[float] = FACTORS,
    rules: Mapping[str, Rules] | None = None,
) -> list[Job]:
    """Return every task of a corpus; see `backtest_corpus`."""
    return [
        job
        for family, tables in corpus.items()
        for name, table in tables
        for job in _table_jobs(table, name, family, factors, (rules or {}).get(family))
    ]


def _jobs(
    table: RunsTable,
    columns: tuple[str, ...],
    family: str,
    factors: Sequence[float],
    rules: Rules | None,
) -> list[Job]:
    table.check_groups(columns)
    jobs, refused = [], []
    for label, part in table.groups(columns).items():
        kept = [v for c, v in zip(columns, label, strict=True) if c != LOSS_KIND]
        try:
            jobs += _table_jobs(part, table.name, family, factors, rules, "/".join(kept))
        except ForecastError as error:
            refused.append(error)
    if not jobs:
        raise refused[0]
    return jobs


def _table_jobs(
    table: RunsTable,
    name: str,
    family: str,
    factors: Sequence[float],
    rules: Rules | None,
    group: str = "",
) -> list[Job]:
    kinds = np.unique(table.labels(LOSS_KIND)).tolist() if table.has(LOSS_KIND) else []
    evaluation = kinds[0] if len(kinds) == 1 else ""
    tasks = make_tasks(table, factors, rules)
    return [Job(name, family, group, evaluation, task) for task in tasks]
