"""Curves of training runs: one output along the steps of each run, and its learning rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayescale.arguments import NAME, NAMES, NUMBER, check_arguments
from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schedule import Schedule, logged
from bayescale.runs.schema import LOSS, RUN_ID, STEP
from bayescale.runs.table import read_runs

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """What one run showed along its steps.

    Parameters
    ----------
    run : str
        Name of the run.
    at : array, shape (n,)
        Steps, or whatever the curve runs along; positive, never falling.
    output : array, shape (n,)
        Loss, or another positive output, there.
    schedule : Schedule, optional
        Its learning rate, the part still to come included.
    group : tuple of str
        Values of the columns that tell groups apart.
    counts : array, shape (n,), optional
        Measurements that each output is the mean of, where a log was smoothed; one by default.
        Noise, fitted and forecast, is that of a single measurement.

    Raises
    ------
    RunsTableError
        For steps, outputs or counts that are not positive numbers, or steps that fall.
    """

    run: str
    at: Floats
    output: Floats
    schedule: Schedule | None = None
    group: tuple[str, ...] = ()
    counts: Floats | None = None

    def __post_init__(self) -> None:
        """Check steps and outputs."""
        if self.counts is None:
            object.__setattr__(self, "counts", np.ones(len(self.at)))
        for name in ("at", "output", "counts"):
            values = np.asarray(getattr(self, name), dtype=float)
            wrong = ~np.isfinite(values) | (values <= 0.0)
            if wrong.any() or not values.size:
                found = (
                    f"{values[wrong][0]:g} at point {np.argmax(wrong)}" if values.size else "none"
                )
                raise RunsTableError(
                    f"curve {self.run!r}: {name} holds {found}, expected positive numbers.",
                    "Leave such rows out with where=, for example 'step>0'.",
                )
            object.__setattr__(self, name, values)
        lengths = {len(self.at), len(self.output), len(self.measurements)}
        if len(lengths) > 1 or (np.diff(self.at) < 0.0).any():
            raise RunsTableError(
                f"curve {self.run!r}: {len(self.output)} outputs at {len(self.at)} steps, expected"
                " one an output, never falling."
            )

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.at)

    def __repr__(self) -> str:
        """Return one line: the run, its points and where it ends."""
        return (
            f"Curve {self.run!r}: {len(self)} points from {self.at[0]:.6g} to {self.at[-1]:.6g},"
            f" {self.output[0]:.4g} to {self.output[-1]:.4g}"
        )

    @property
    def measurements(self) -> Floats:
        """Measurements behind each output, shape (n,)."""
        assert self.counts is not None, "__post_init__ saw to it"
        return self.counts

    def until(self, at: float) -> Curve:
        """Return the curve up to and with a step; the schedule stays whole.

        Raises
        ------
        RunsTableError
            When no point lies there.
        """
        keep = self.at <= at
        if not keep.any():
            raise RunsTableError(
                f"curve {self.run!r}: no point up to {at:g}; the first is at {self.at[0]:g}."
            )
        return replace(
            self, at=self.at[keep], output=self.output[keep], counts=self.measurements[keep]
        )


@dataclass(frozen=True)
class Curves:
    """Curves of several runs, measured alike.

    Parameters
    ----------
    name : str
        What messages call them.
    along : str
        What they run along: ``step``, ``n_tokens``, a width.
    output : str
        What was measured.
    curves : tuple of Curve
        One a run.
    group_columns : tuple of str
        Columns that tell groups apart.
    """

    name: str
    along: str
    output: str
    curves: tuple[Curve, ...]
    group_columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.curves)

    def __iter__(self) -> Iterator[Curve]:
        """Yield the curves."""
        return iter(self.curves)

    def __repr__(self) -> str:
        """Return one line: how many runs and points, and what was measured."""
        points = sum(len(curve) for curve in self.curves)
        return (
            f"Curves of {self.name!r}: {self.output} along {self.along}, {len(self)} runs,"
            f" {points} points"
        )

    def __getitem__(self, run: str) -> Curve:
        """Return the curve of a run.

        Raises
        ------
        UnknownNameError
            When there is none.
        """
        for curve in self.curves:
            if curve.run == run:
                return curve
        raise UnknownNameError("run", run, [c.run for c in self.curves], f"curves {self.name!r}")

    def apart(self) -> Curves:
        """Return the same curves, every run its own group."""
        alone = tuple(replace(curve, group=(curve.run,)) for curve in self.curves)
        return replace(self, curves=alone, group_columns=(RUN_ID,))

    def groups(self, columns: int | None = None) -> dict[tuple[str, ...], tuple[Curve, ...]]:
        """Return the curves of each group, in the order of their first runs.

        Parameters
        ----------
        columns : int, optional
            How many of the group columns, from the first, tell groups apart: all by default.
        """
        found: dict[tuple[str, ...], list[Curve]] = {}
        for curve in self.curves:
            found.setdefault(curve.group[:columns], []).append(curve)
        return {label: tuple(curves) for label, curves in found.items()}


def read_curves(
    source: Any,
    *,
    along: str = STEP,
    output: str = LOSS,
    run: str = RUN_ID,
    rate: str | None = None,
    warmup: float = 0.0,
    count: str | None = None,
    group: str | Sequence[str] = (),
    where: str | Sequence[str] | None = None,
) -> Curves:
    """Read the curves of training runs from a long table: one row a measurement.

    Parameters
    ----------
    source : path, DataFrame, RunsTable or str
        As for `read_runs`, with its spellings of columns.
    along, output, run : str
        Columns of the step, the output and the run.
    rate : str, optional
        Column of the learning rate in force at each row; laws of schedules need it.
    warmup : float
        Steps of linear warm-up from step 0, where the log starts after it.
    count : str, optional
        Column of how many measurements each row is the mean of; one by default.
    group : str or sequence of str
        Columns of siblings, which share a law's coefficients as `fit_curves` says. By default
        every run is its own group.
    where : str or sequence of str, optional
        Conditions as in `RunsTable.where`.

    Returns
    -------
    Curves
        Points in the order of `along`.

    Raises
    ------
    RunsTableError
        For a missing column, a value that is not positive, or a run in two groups.
    """
    check_arguments(
        "read_curves",
        RunsTableError,
        **{n: (v, NAME) for n, v in (("along", along), ("output", output), ("run", run))},
        **{n: (v, NAME.or_none) for n, v in (("rate", rate), ("count", count))},
        warmup=(warmup, NUMBER),
        group=(group, NAMES),
    )
    table = read_runs(source, where=where)
    columns = (group,) if isinstance(group, str) else tuple(group)
    table.require(along, output, run, *columns, *filter(None, (rate, count)))
    return Curves(
        name=table.name,
        along=along,
        output=output,
        curves=tuple(
            _curve(part, label, along, output, rate, warmup, count, columns)
            for (label,), part in table.groups((run,)).items()
        ),
        group_columns=columns or (run,),
    )


def _curve(
    part: RunsTable,
    label: str,
    along: str,
    output: str,
    rate: str | None,
    warmup: float,
    count: str | None,
    columns: tuple[str, ...],
) -> Curve:
    groups = list(part.groups(columns)) if columns else [(label,)]
    if len(groups) > 1:
        raise RunsTableError(
            f"run {label!r} lies in {len(groups)} groups of {', '.join(columns)}, expected one.",
            "Name columns that are constant within a run.",
        )
    at = part.numbers(along)
    order = np.argsort(at, kind="stable")
    schedule = None
    if rate is not None:
        steps, first = np.unique(at, return_index=True)
        schedule = logged(steps, part.numbers(rate)[first], warmup)
    return Curve(
        run=label,
        at=at[order],
        output=part.numbers(output)[order],
        schedule=schedule,
        group=groups[0],
        counts=part.numbers(count)[order] if count else None,
    )
