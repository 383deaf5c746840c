"""Points to forecast: inputs and group of each, checked against a posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import ForecastError
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats
from bayescale.runs import schema
from bayescale.runs.columns import canonical, resolve
from bayescale.runs.files import raw_columns, read_file
from bayescale.runs.flops import CONVENTIONS
from bayescale.runs.numbers import as_numbers, is_count
from bayescale.runs.table import read_runs

if TYPE_CHECKING:
    import pandas as pd


WHERE = "forecast points"
"""What messages call them."""


@dataclass(frozen=True)
class Points:
    """Where a forecast is wanted.

    Parameters
    ----------
    inputs : mapping of str to array, shape (P,)
        The law's inputs, in their own units.
    labels : tuple of tuple of str
        Group of each point.
    """

    inputs: Mapping[str, Floats]
    labels: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.labels)


def read_points(path: str | Path, posterior: Posterior) -> tuple[pd.DataFrame, Points]:
    """Read points from a CSV or Parquet file.

    Parameters
    ----------
    path : str or Path
        The law's inputs under any recognised spelling, and the group columns if there are any.
    posterior : Posterior
        What they will be forecast with.

    Returns
    -------
    frame : DataFrame
        The file as it is, every column in order; cells of a CSV as text.
    points : Points
        What the forecast reads of it.

    Raises
    ------
    RunsTableError
        When the file, a column or a value cannot be used.
    """
    import pandas as pd

    frame = pd.DataFrame(read_file(Path(path)))
    return frame, points_from_frame(frame, posterior)


def check_points(path: str | Path, group: Sequence[str]) -> None:
    """Raise on what no fit could make up for, so that it is said before one starts.

    Parameters
    ----------
    path : str or Path
        As for `read_points`.
    group : sequence of str
        Columns that tell the groups of the fit apart.

    Raises
    ------
    RunsTableError
        When the file cannot be read.
    UnknownNameError
        When it lacks a group column.
    """
    named = canonical(read_file(Path(path)), {}, WHERE)
    for column in group:
        resolve(column, named, WHERE)


def points_from_frame(frame: pd.DataFrame, posterior: Posterior) -> Points:
    """Take a law's inputs and the groups from a frame, which is not changed.

    Raises
    ------
    ForecastError
        When it is no frame.
    RunsTableError
        When a column is missing, or a value is no positive number.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise ForecastError(
            f"{WHERE}: found {type(frame).__name__}, expected a DataFrame.",
            "Read a file with pandas, or give the inputs by name.",
        )
    named = canonical(raw_columns(frame, WHERE), {}, WHERE)
    read = {*posterior.law.inputs, *posterior.group_columns, schema.N_PARAMS, schema.N_TOKENS}
    counted = posterior.provenance.get("convention")
    # Points that state their shape are counted as the runs were; others state the count itself.
    if counted and set(CONVENTIONS[counted].needs) <= set(named):
        read |= {*CONVENTIONS[counted].needs, schema.MIXER_FLOPS}
    else:
        counted = None
    frame = pd.DataFrame({k: v for k, v in named.items() if k in read})
    table = read_runs(frame, name=WHERE, convention=counted)
    table.require(*posterior.law.inputs, *posterior.group_columns)
    columns = [table.labels(name) for name in posterior.group_columns]
    labels = tuple(zip(*columns, strict=True)) if columns else ((),) * len(table)
    inputs = {name: table.numbers(name) for name in posterior.law.inputs}
    return make_points(posterior, inputs, labels)


def make_points(
    posterior: Posterior, inputs: Mapping[str, Any], labels: Sequence[tuple[str, ...]] | None = None
) -> Points:
    """Check inputs and groups, and return them as `Points`.

    Parameters
    ----------
    posterior : Posterior
        What they will be forecast with.
    inputs : mapping of str to number or sequence
        The law's inputs, and the group columns where `labels` does not say the groups; scalars are
        repeated.
    labels : sequence of tuple of str, optional
        Group of each point; may be left out when there is one group.

    Raises
    ------
    ForecastError
        For a missing or unknown input, a value that is no positive number, or a missing group.
    """
    wanted = posterior.law.inputs
    groups = {} if labels is not None else _named_groups(posterior, inputs)
    for name in (*wanted, *inputs):
        if name not in groups and (name not in inputs or name not in wanted):
            raise ForecastError(
                f"forecast points: got {', '.join(inputs) or 'nothing'}, but law"
                f" {posterior.law.name!r} reads {', '.join(wanted)}."
            )
    named = _same_length({name: _as_floats(name, inputs[name]) for name in wanted} | groups)
    if groups:
        labels = list(zip(*(named.pop(name).tolist() for name in groups), strict=True))
    for name, values in named.items():
        quantity = posterior.law.quantity(name)
        bad = np.flatnonzero(quantity.wrong(values))
        if len(bad):
            raise ForecastError(
                f"forecast points: {name} is {values[bad[0]]:g} in row {bad[0]}"
                f" ({len(bad)} such rows), but must be {quantity.expected}."
            )
        _check_size(name, values)
    n_points = len(next(iter(named.values())))
    if labels is None and len(posterior.labels) > 1:
        raise ForecastError(
            f"forecast points: the fit has {len(posterior.labels)} groups, but none was named.",
            f"Give {', '.join(posterior.group_columns)}.",
        )
    if labels is None or posterior.spec.pooling == "complete":
        return Points(named, (posterior.labels[0],) * n_points)
    if len(labels) != n_points:
        raise ForecastError(
            f"forecast points: {len(labels)} group(s) were named for {n_points} point(s).",
            "Name the group of each point.",
        )
    return Points(named, tuple(tuple(str(part) for part in label) for label in labels))


def _named_groups(
    posterior: Posterior, inputs: Mapping[str, Any]
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the columns that name groups, in the order of the fit's; none where none is given."""
    columns = posterior.group_columns
    given = {c: np.atleast_1d(np.asarray(inputs[c], dtype=str)) for c in columns if c in inputs}
    missing = [column for column in columns if column not in given]
    if given and missing:
        raise ForecastError(
            f"forecast points: {', '.join(given)} alone names no group of this fit.",
            f"Give {', '.join(missing)}, too.",
        )
    return given


def _check_size(name: str, values: Floats) -> None:
    most = schema.largest(name)
    huge = np.flatnonzero(values > most)
    if len(huge):
        raise ForecastError(
            f"forecast points: {name} is {values[huge[0]]:g} in row {huge[0]} ({len(huge)} such"
            f" rows), expected at most {most:g}: no run has more."
        )


def _as_floats(name: str, given: Any) -> Floats:
    cells = np.atleast_1d(np.asarray(given, dtype=object))
    values, refused = as_numbers(cells.ravel(), cells.size, counts=is_count(name))
    if refused:
        raise ForecastError(
            f"forecast points: {name} is {given!r}, but must be a positive number or several."
        )
    values = values.reshape(cells.shape)
    if values.ndim != 1 or not len(values):
        raise ForecastError(
            f"forecast points: {name} has shape {values.shape}, expected one number a point."
        )
    return values


def _same_length(
    named: Mapping[str, np.ndarray[Any, Any]],
) -> dict[str, np.ndarray[Any, Any]]:
    try:
        arrays = np.broadcast_arrays(*named.values())
    except ValueError as error:
        sizes = ", ".join(f"{len(values)} {name}" for name, values in named.items())
        raise ForecastError(f"forecast points: got {sizes}, expected as many of each.") from error
    return dict(zip(named, arrays, strict=True))
