"""Scores of one method on runs that it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayescale.errors import ForecastError
from bayescale.forecasts.scores import MEASURES
from bayescale.forecasts.summary import family_scores, overall
from bayescale.forecasts.tasks import BINS
from bayescale.inference.fit import ESS_MIN, KHAT_MAX
from bayescale.runs.save import write_atomically

KEY = ("model", "table", "family", "group", "evaluation", "factor", "cell")
COLUMNS = (*KEY, "n_points", "n_train", *MEASURES, "khat", "ess", "cpu_seconds")
"""Columns of `Backtest.frame`."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """Scores of one method on larger runs that it did not see.

    Parameters
    ----------
    frame : DataFrame
        One row a task and cell, columns `COLUMNS`. Scores are means over the cell's points, on log
        loss; ``cpu_seconds`` is of the whole task and repeats in each of its cells.
    """

    frame: pd.DataFrame

    def __repr__(self) -> str:
        """Return one line: the method, how much was predicted, coverage, CRPS and bad khat."""
        scores = self.summary().set_index("measure")["mean"]
        gates = f", khat or ESS bad in {100 * self.bad_share:.1f} % of tasks"
        return (
            f"Backtest of {self.model}: {self.n_tasks} task(s), {len(self.frame)} cells,"
            f" {int(self.frame['n_points'].sum())} predicted runs in"
            f" {self.frame['family'].nunique()} family(ies); 90 % intervals held"
            f" {scores['coverage_90']:.2f}, CRPS {scores['crps']:.4f}"
            + ("" if np.isnan(self.bad_share) else gates)
        )

    @property
    def model(self) -> str:
        """Name of the method."""
        return str(self.frame["model"].iloc[0])

    @property
    def tasks(self) -> pd.DataFrame:
        """One row a task: its key without the cell, ``n_train``, ``khat``, ``ess``, CPU seconds."""
        columns = [*KEY[:-1], "n_train", "khat", "ess", "cpu_seconds"]
        return self.frame[columns].drop_duplicates(list(KEY[:-1])).reset_index(drop=True)

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return len(self.tasks)

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of fitting and predicting, over all tasks."""
        return float(self.tasks["cpu_seconds"].sum())

    @property
    def bad_share(self) -> float:
        """Share of tasks with khat above .7 or under 300 effective draws; NaN without either."""
        tasks = self.tasks.dropna(subset=["khat", "ess"], how="all")
        return float(((tasks["khat"] > KHAT_MAX) | (tasks["ess"] < ESS_MIN)).mean())

    def summary(self, by: str | None = None) -> pd.DataFrame:
        """Return averaged scores.

        Parameters
        ----------
        by : {None, "family", "cell"}
            Means over families with 90 % intervals from resampling families, one row a family, or
            one row a bin of extrapolation, nearest first (families weighted equally).

        Raises
        ------
        ForecastError
            For another `by`.
        """
        if by is None:
            return overall(self.frame)
        if by == "family":
            return family_scores(self.frame)
        if by == "cell":
            bins = family_scores(self.frame, by_cell=True)
            means = bins.groupby("cell", sort=False)[list(MEASURES)].mean()
            return means.loc[[cell for cell in BINS if cell in means.index]].reset_index()
        raise ForecastError(f"summary: by is {by!r}, expected None, 'family' or 'cell'.")

    def save(self, path: str | Path) -> Path:
        """Write the frame as CSV, whole or not at all. It holds scores, never an observed row."""
        return write_atomically(Path(path), lambda part: self.frame.to_csv(part, index=False))


def load_backtest(path: str | Path) -> Backtest:
    """Read a backtest that `Backtest.save` wrote.

    Raises
    ------
    ForecastError
        When the file cannot be read or is no backtest.
    """
    try:
        frame = pd.read_csv(path, keep_default_na=False, na_values={"khat": "", "ess": ""})
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ForecastError(f"{path} cannot be read as a backtest: {error}.") from error
    if tuple(frame.columns) != COLUMNS or frame.empty:
        raise ForecastError(
            f"{path} holds columns {', '.join(map(str, frame.columns))}, but a backtest has"
            f" {', '.join(COLUMNS)}."
        )
    return Backtest(frame)
