"""The corpus of a backtest: which public tables, which of their rows, and which are one family."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from bayescale.errors import ForecastError, UnknownNameError
from bayescale.forecasts.tasks import Rules
from bayescale.models.catalog import read_yaml
from bayescale.registry import shipped
from bayescale.runs.catalog import list_runs
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import LOSS, LOSS_KIND, N_TOKENS
from bayescale.runs.table import read_runs

PUBLIC_DATA = "BAYESCALE_PUBLIC_DATA"
"""Environment variable: the folder of the public tables, which are not part of the project."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """One entry of a family: a file of the folder or a shipped table, and its rows.

    Parameters
    ----------
    file, runs : str
        File below the folder, or name of a shipped table; one of the two.
    name : str
        What the table is called; the file's name without its ending by default.
    columns : dict of str to str
        As for `read_runs`.
    where : str
        Conditions on rows.
    keep : dict of str to list
        Columns and the values kept of each.
    last_of : str
        Keep the row with most tokens for each value of this column.
    best_of : list of str
        Keep the lowest loss among the rows of a group that agree in these columns.
    group : list of str
        Columns whose values are fitted apart.
    evaluations : list of str
        Values of ``loss_kind`` kept; each is a table of its own, of the same runs.
    optional : bool
        Whether a shipped table may be missing.
    """

    file: str = ""
    runs: str = ""
    name: str = ""
    columns: dict[str, str] = {}
    where: str = ""
    keep: dict[str, list[float | str]] = {}
    last_of: str = ""
    best_of: list[str] = []
    group: list[str] = []
    evaluations: list[str] = []
    optional: bool = False


class Family(_Strict):
    """Tables that count as one family.

    Parameters
    ----------
    tables : list of Source
        Where its runs are.
    why : str
        Why these rows.
    rules : dict
        Fields of `Rules` that differ from the protocol's own.
    locked : bool
        Not to be looked at before the one evaluation at the end.
    """

    tables: list[Source]
    why: str = ""
    rules: dict[str, float] = {}
    locked: bool = False


class _File(_Strict):
    families: dict[str, Family]


def read_corpus(path: str | Path | None = None) -> dict[str, Family]:
    """Return the families that a corpus file names, without reading their tables.

    Parameters
    ----------
    path : str or Path, optional
        A YAML file; ``benchmarks/corpus.yaml`` of the repository by default.

    Raises
    ------
    ModelError, ForecastError
        When the file cannot be read, or a key or value is not what a corpus has.
    """
    where = Path(path) if path is not None else shipped("benchmarks", "corpus.yaml")
    try:
        return _File.model_validate(read_yaml(where, f"corpus file {where.name!r}")).families
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise ForecastError(
            f"corpus file {where.name!r}: {at}: {first['msg']}, found {first['input']!r}."
        ) from error


def load_corpus(
    path: str | Path | None = None,
    folder: str | Path | None = None,
    *,
    locked: bool = False,
    families: tuple[str, ...] = (),
) -> dict[str, list[tuple[str, RunsTable]]]:
    """Read the tables of a corpus.

    Parameters
    ----------
    path : str or Path, optional
        As for `read_corpus`.
    folder : str or Path, optional
        Where the public tables are; by default the environment variable `PUBLIC_DATA` says so.
    locked : bool
        Return the locked families and no other one.
    families : tuple of str
        Read these alone; all by default.

    Returns
    -------
    dict of str to list of (str, RunsTable)
        Family to its tables: one group and one evaluation each, ready to fit. Tables of one name
        are evaluations of the same runs.

    Raises
    ------
    UnknownNameError
        For a family that the corpus does not name.
    ForecastError, RunsTableError
        When the folder or a table is missing or cannot be used.
    """
    chosen = read_corpus(path)
    for name in families:
        if name not in chosen:
            raise UnknownNameError("family", name, chosen)
    return {
        name: [found for source in family.tables for found in _tables(source, folder)]
        for name, family in chosen.items()
        if family.locked == locked and (not families or name in families)
    }


def load_rules(path: str | Path | None = None) -> dict[str, Rules]:
    """Return what the fitted runs of each family must hold.

    Parameters
    ----------
    path : str or Path, optional
        As for `read_corpus`.
    """
    return {name: Rules(**family.rules) for name, family in read_corpus(path).items()}  # type: ignore[arg-type]


def _tables(source: Source, folder: str | Path | None) -> Iterator[tuple[str, RunsTable]]:
    if source.optional and source.runs not in list_runs():
        return
    at = source.runs or _folder(folder) / source.file
    runs = read_runs(at, columns=source.columns, where=source.where or None)
    name = source.name or source.runs or Path(source.file).stem
    runs = _kept(runs, source)
    by = [*source.group, *([LOSS_KIND] if source.evaluations else [])]
    for label, part in runs.groups(by).items():
        parts = [name, *label[: len(source.group)]]
        table = part.select(_lowest(part, source.best_of)) if source.best_of else part
        yield "/".join(parts), RunsTable("/".join([name, *label]), table.data, table.derived)


def _folder(folder: str | Path | None) -> Path:
    asked = folder or os.environ.get(PUBLIC_DATA)
    if not asked or not Path(asked).is_dir():
        raise ForecastError(
            f"the folder of public tables is {str(asked)!r}, which does not exist."
            if asked
            else "no folder of public tables was named.",
            f"Pass folder=..., or set {PUBLIC_DATA}.",
        )
    return Path(asked)


def _kept(runs: RunsTable, source: Source) -> RunsTable:
    wanted: dict[str, list[str]] = {c: [_label(v) for v in vs] for c, vs in source.keep.items()}
    if source.evaluations:
        wanted[LOSS_KIND] = source.evaluations
    for column, values in wanted.items():
        known = runs.labels(column)
        absent = [value for value in values if value not in known]
        if absent:
            raise UnknownNameError(column, absent[0], np.unique(known).tolist(), runs.name)
        runs = runs.select(np.isin(known, values))
    return runs.select(_last(runs, source.last_of)) if source.last_of else runs


def _label(value: float | str) -> str:
    return f"{value:.15g}" if isinstance(value, float | int) else value


def _last(runs: RunsTable, column: str) -> np.ndarray:
    """Return the mask of the row with most tokens in each group of `column`."""
    return _first_in_order(runs, [column], -runs.numbers(N_TOKENS))


def _lowest(runs: RunsTable, columns: list[str]) -> np.ndarray:
    """Return the mask of the row with the lowest loss in each group of `columns`."""
    return _first_in_order(runs, columns, runs.numbers(LOSS))


def _first_in_order(runs: RunsTable, columns: list[str], order: np.ndarray) -> np.ndarray:
    mask = np.zeros(len(runs), dtype=bool)
    for rows in runs.group_rows(columns).values():
        mask[rows[np.argmin(order[rows])]] = True
    return mask
