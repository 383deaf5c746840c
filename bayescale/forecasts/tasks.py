"""The protocol of a backtest: which small runs are fitted, and which larger ones are predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayescale.errors import ForecastError
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import N_PARAMS, N_TOKENS

FACTORS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""The largest run's compute over the largest compute that may be fitted."""

BINS = {
    "3x": (1.5, 5.5),
    "10x": (5.5, 17.0),
    "30x": (17.0, 55.0),
    "100x": (55.0, 170.0),
    "300x": (170.0, 550.0),
}
"""Cells of a task: compute of the predicted run over the largest fitted one, upper end excluded."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the fitted side of a task must hold.

    Parameters
    ----------
    min_runs : int
        Fewest runs.
    min_sizes : int
        Fewest distinct numbers of parameters, and of tokens.
    min_decades : float
        Smallest log10 ratio of the largest to the smallest compute.
    """

    min_runs: int = 10
    min_sizes: int = 3
    min_decades: float = 0.45

    def broken_by(self, train: RunsTable) -> str:
        """Return what `train` lacks, empty when it lacks nothing."""
        if len(train) < self.min_runs:
            return f"{len(train)} runs, fewer than {self.min_runs}"
        for column in (N_PARAMS, N_TOKENS):
            found = np.unique(train.numbers(column)).size
            if found < self.min_sizes:
                return f"{found} distinct {column}, fewer than {self.min_sizes}"
        compute = train.compute_6nd
        decades = np.log10(compute.max() / compute.min())
        if decades < self.min_decades:
            return f"{decades:.2f} decades of compute, fewer than {self.min_decades}"
        return ""


@dataclass(frozen=True, eq=False)
class Task:
    """Runs to fit and larger runs to predict, split by compute alone.

    Parameters
    ----------
    factor : float
        The largest run's compute over the limit of the fitted ones.
    train, test : RunsTable
        Fitted and predicted runs.
    cells : array of str, shape (len(test),)
        Key of `BINS` for each predicted run.
    """

    factor: float
    train: RunsTable
    test: RunsTable
    cells: np.ndarray

    def __repr__(self) -> str:
        """Return one line: table, factor and sizes."""
        return (
            f"Task({self.train.name!r}, {self.factor:g}x: fit {len(self.train)} runs,"
            f" predict {len(self.test)})"
        )


def make_tasks(
    runs: RunsTable, factors: Sequence[float] = FACTORS, rules: Rules | None = None
) -> tuple[Task, ...]:
    """Cut one group's runs into tasks.

    Runs that `RunsTable.usable` leaves out (unfinished, D/N < 1) are neither fitted nor predicted.
    Compute is 6 N D throughout. A factor that fits the same runs as a smaller one is left out.

    Parameters
    ----------
    runs : RunsTable
        Runs of one group, one measurement each.
    factors : sequence of float
        Each above 1.
    rules : Rules, optional
        What the fitted side must hold; the protocol's own by default.

    Returns
    -------
    tuple of Task
        In the order of `factors`.

    Raises
    ------
    ForecastError
        When no factor yields a task, with what each one lacked.
    """
    usable, _ = runs.usable()
    required, tasks, refused, fitted = rules or Rules(), [], [], set()
    for factor in sorted(factors):
        train, test = usable.hide_largest(factor)
        lack = required.broken_by(train)
        task = _task(factor, train, test)
        if lack or not len(task.test):
            refused.append(f"{factor:g}x: {lack or 'no run to predict'}")
        elif len(train) not in fitted:
            tasks.append(task)
            fitted.add(len(train))
    if not tasks:
        raise ForecastError(
            f'backtest: table "{runs.name}" ({len(usable)} usable runs) yields no task'
            f" ({'; '.join(refused)}).",
            "A backtest needs runs over more than a decade of compute, at several N and D.",
        )
    return tuple(tasks)


def _task(factor: float, train: RunsTable, test: RunsTable) -> Task:
    ratio = test.compute_6nd / train.compute_6nd.max(initial=1.0)
    cells = np.array([_cell(value) for value in ratio], dtype=str)
    inside = cells != ""
    return Task(factor, train, test.select(inside), cells[inside])


def _cell(ratio: float) -> str:
    found: Iterator[str] = (name for name, (low, high) in BINS.items() if low <= ratio < high)
    return next(found, "")
