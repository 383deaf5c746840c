"""The runs table: validated, immutable columns, and the ways to cut it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayescale.arguments import PATH, check_arguments
from bayescale.errors import RunsTableError, nearest
from bayescale.runs.columns import resolve
from bayescale.runs.conditions import matching
from bayescale.runs.fingerprint import fingerprint
from bayescale.runs.mixed import SEPARATING, mixed_error
from bayescale.runs.numbers import as_labels
from bayescale.runs.save import save_table
from bayescale.runs.schema import N_PARAMS, N_TOKENS, STATUS
from bayescale.runs.suggest import suggestion
from bayescale.runs.wording import map_hint, rows_text, where_hint


@dataclass(frozen=True, repr=False, eq=False)
class RunsTable:
    """Training runs, one measured loss a row. Made by `read_runs`; never changes.

    Parameters
    ----------
    name : str
        What messages and reports call the table.
    data : mapping of str to ndarray
        Canonical column name to float64 or text values, all of one length; made read-only.
    derived : tuple of str
        Columns that were computed and not read, such as ``flops`` as 6 N D.
    convention : str
        How ``n_params`` and ``flops`` were counted, when `read_runs` was told; else empty.
    """

    name: str
    data: Mapping[str, np.ndarray]
    derived: tuple[str, ...] = ()
    convention: str = ""

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for values in self.data.values():
            values.flags.writeable = False

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.data.values())))

    def __repr__(self) -> str:
        """Return the name, the rows, the range of compute and the groups on one line."""
        parts = [f"{len(self)} rows"]
        if self.has(N_PARAMS) and self.has(N_TOKENS):
            low, high = self.compute_6nd.min(), self.compute_6nd.max()
            parts.append(f"6ND {low:.3g} to {high:.3g} FLOPs")
        for column in SEPARATING:
            number = np.unique(self.data[column]).size if column in self.data else 0
            parts.extend([f"{number} values of {column}"] if number > 1 else [])
        return f'RunsTable("{self.name}": {", ".join(parts)})'

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the source."""
        return tuple(self.data)

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a new pandas DataFrame with rows numbered from 0."""
        return pd.DataFrame({column: values.copy() for column, values in self.data.items()})

    @property
    def compute_6nd(self) -> np.ndarray:
        """6 N D in FLOPs as float64, because the product overflows int64 on real tables."""
        if len(self):
            self.require(N_PARAMS, N_TOKENS)
        return np.asarray(6.0 * self.data[N_PARAMS] * self.data[N_TOKENS])

    @property
    def fingerprint(self) -> str:
        """Sha256 of the column names, the values and the row order; the name is left out."""
        return fingerprint(self.data)

    def has(self, column: str) -> bool:
        """Return whether a column exists and holds at least one value."""
        values = self.data.get(column)
        if values is None:
            return False
        return bool((~np.isnan(values)).any() if values.dtype.kind == "f" else (values != "").any())

    def numbers(self, column: str) -> np.ndarray:
        """Return a number column as read-only float64, ``nan`` where missing.

        Raises
        ------
        RunsTableError
            When the column is missing or holds text.
        """
        values = self._column(column)
        if values.dtype.kind != "f":
            raise RunsTableError(
                f'runs table "{self.name}": column {column} holds text such as '
                f"{str(values[0])!r}, not numbers."
            )
        return values

    def labels(self, column: str) -> np.ndarray:
        """Return a column as text, empty where missing; 8192.0 becomes ``8192``.

        Raises
        ------
        RunsTableError
            When the column is missing.
        """
        values = self._column(column)
        return values if values.dtype.kind != "f" else as_labels(values.tolist())

    def require(self, *columns: str) -> None:
        """Check that columns exist and hold values.

        Raises
        ------
        RunsTableError
            Naming the first column that does not, the nearest present one and the way out.
        """
        for column in columns:
            if not self._column(column).size or not self.has(column):
                raise RunsTableError(
                    f'runs table "{self.name}": column {column} has no value in {len(self)} rows.',
                    f"Fill it, or map another one: {map_hint(column)}.",
                )

    def select(self, mask: np.ndarray) -> RunsTable:
        """Return the rows where `mask` is true; they may be none.

        Raises
        ------
        RunsTableError
            When `mask` is not one boolean a row.
        """
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != (len(self),):
            raise RunsTableError(
                f'runs table "{self.name}": the mask is {mask.dtype} of shape {mask.shape}, '
                f"expected one boolean for each of {len(self)} rows."
            )
        return self._take(mask)

    def where(self, expression: str | Sequence[str]) -> RunsTable:
        """Return the rows that meet conditions such as ``loss_kind=c4 and n_params>1e8``.

        Parameters
        ----------
        expression : str or sequence of str
            Conditions with ``= != < <= > >=``, all of which must hold.

        Raises
        ------
        UnknownNameError
            When a column does not exist.
        RunsTableError
            When a condition cannot be read or a value matches no row.
        """
        return self.select(matching(expression, self.data, self.name))

    def groups(self, columns: Sequence[str]) -> dict[tuple[str, ...], RunsTable]:
        """Return the table cut by the values of `columns`, sorted; one group () for no columns.

        Raises
        ------
        UnknownNameError
            When a column does not exist.
        """
        return {key: self._take(rows) for key, rows in self.group_rows(columns).items()}

    def group_rows(self, columns: Sequence[str]) -> dict[tuple[str, ...], np.ndarray]:
        """Return the positions of each group's rows, under the keys of `groups`."""
        labels = [self.labels(resolve(c, self.data, self.name)).tolist() for c in columns]
        rows: dict[tuple[str, ...], list[int]] = {}
        for row, key in enumerate(zip(*labels, strict=True) if labels else [()] * len(self)):
            rows.setdefault(key, []).append(row)
        return {key: np.array(rows[key]) for key in sorted(rows)}

    def split_by_compute(self, flops: float) -> tuple[RunsTable, RunsTable]:
        """Return the runs with 6 N D at most `flops`, and the larger ones."""
        small = self.compute_6nd <= flops
        return self.select(small), self.select(~small)

    def hide_largest(self, factor: float) -> tuple[RunsTable, RunsTable]:
        """Return the runs a backtest fits and those it predicts.

        Parameters
        ----------
        factor : float
            Above 1. Runs with 6 N D at most the largest one divided by `factor` are fitted.

        Returns
        -------
        tuple of RunsTable
            The fitted runs, and those above 1.5 times the largest fitted compute. Both are
            empty when no run is small enough.

        Raises
        ------
        RunsTableError
            When `factor` is not above 1.
        """
        if not factor > 1:
            raise RunsTableError(f"hide_largest: factor is {factor}, expected a number above 1.")
        compute = self.compute_6nd
        fitted = compute <= compute.max(initial=0.0) / factor
        edge = 1.5 * compute[fitted].max(initial=0.0)
        return self.select(fitted), self.select((compute > edge) & fitted.any())

    def usable(self) -> tuple[RunsTable, tuple[str, ...]]:
        """Return the runs that can be fitted, and one sentence for each reason to leave some out.

        Runs whose ``status`` is not finished are left out, and runs with fewer tokens than
        parameters, which lie off every known loss surface. A run that diverged is no bound on the
        loss of one that does not: given its settings, whether it diverged depends on no coefficient
        of a law, so that the likelihood of the others is the whole likelihood. The check
        ``diverged`` says at which learning rates it happened.
        """
        out = np.zeros(len(self), dtype=bool)
        said = []
        for reason, mask in self._reasons().items():
            if (mask & ~out).any():
                said.append(f"{self.name}: left out {rows_text(mask & ~out)}, because {reason}.")
            out |= mask
        return self.select(~out), tuple(said)

    def unusable(self) -> np.ndarray:
        """Return the mask of the rows that `usable` leaves out."""
        return np.logical_or.reduce([np.zeros(len(self), dtype=bool), *self._reasons().values()])

    def check_groups(self, group: Sequence[str]) -> None:
        """Check that every row has a group, and that none mixes what has a loss surface of its own.

        Datasets, architectures, kinds of loss and tokenizers have one.

        Raises
        ------
        RunsTableError
            With the values found and the ways out.
        """
        names = tuple(resolve(column, self.data, self.name) for column in group)
        for column in names:
            empty = self.labels(column) == ""
            if empty.any():
                raise RunsTableError(
                    f'runs table "{self.name}": {rows_text(empty)}, no {column} is given, so that'
                    " their group is not known.",
                    f"Fill it, or leave them out with {where_hint(f'{column}!=')}.",
                )
        for key, rows in self.group_rows(names).items():
            inside = {c: self.data[c][rows] for c in SEPARATING if c in self.data}
            mixed = {c: v for c, v in inside.items() if np.unique(v).size > 1}
            if mixed:
                raise mixed_error(self.name, mixed, names, key)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as ``.csv``, ``.csv.gz`` or ``.parquet``, whole or not at all.

        Raises
        ------
        RunsTableError
            When the ending is none of these.
        """
        check_arguments("save", RunsTableError, path=(path, PATH))
        return save_table(self.data, Path(path))

    def _reasons(self) -> dict[str, np.ndarray]:
        """Return why rows are left out of a fit, and which."""
        reasons: dict[str, np.ndarray] = {}
        if STATUS in self.data:
            for value in np.unique(self.data[STATUS]).tolist():
                if value != "finished":
                    reasons[f"status is {value}"] = self.data[STATUS] == value
        if self.has(N_PARAMS) and self.has(N_TOKENS):
            reasons["D/N < 1"] = self.data[N_TOKENS] < self.data[N_PARAMS]
        return reasons

    def _take(self, rows: np.ndarray) -> RunsTable:
        return replace(self, data={c: v[rows] for c, v in self.data.items()})

    def _column(self, column: str) -> np.ndarray:
        if column in self.data:
            return self.data[column]
        raise RunsTableError(
            f'runs table "{self.name}": no column {column}.',
            f"{nearest(column, self.columns)} If one of them is meant:"
            f" {map_hint(column, suggestion(column, self.columns) or 'your column')}.",
        )
