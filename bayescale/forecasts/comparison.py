"""Which of several models predicts larger runs best, and whether they can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayescale.forecasts.reliability import corpus_scores
from bayescale.forecasts.summary import RESAMPLES

FEWEST_TASKS = 3
"""Tasks below which no difference between two models is believed."""

CI_PROB = 0.9
"""Probability of the interval of a difference."""

TASK = ["group", "evaluation", "factor"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Backtests of several models on one table, the best first.

    Parameters
    ----------
    table : str
        Name of the table.
    models : tuple of str
        Models by CRPS, the best first.
    scores : DataFrame
        One row a model and task: ``model``, the columns of `TASK`, and the means over cells of
        ``crps``, ``coverage_90``, ``abs_error`` and ``width_90``, all on log loss.
    seed : int
        Seed of the resampling.
    """

    table: str
    models: tuple[str, ...]
    scores: pd.DataFrame
    seed: int = 0

    def __repr__(self) -> str:
        """Return one line: the best model, on how much, and what cannot be told from it."""
        close = [name for name in self.models[1:] if not self.told_apart(name)]
        with_it = f"; not told apart from it: {', '.join(close)}" if close else ""
        score = self._by_model("crps")[self.models[0]].mean()
        return (
            f"Comparison of {len(self.models)} models on {self.n_tasks} task(s) of {self.table!r}:"
            f" {self.models[0]} first, CRPS {score:.4f}{with_it}"
        )

    @property
    def best(self) -> str:
        """The model with the lowest mean CRPS."""
        return self.models[0]

    @property
    def n_tasks(self) -> int:
        """Tasks that every model was put to."""
        return len(self._by_model("crps"))

    def difference(self, model: str) -> tuple[float, float, float]:
        """Return a model's CRPS minus that of the best: mean and ends of the 90 % interval.

        Paired over tasks, with an interval from resampling tasks. Tasks of one table share runs,
        so the interval is if anything too narrow. With one task the ends are infinite.

        Parameters
        ----------
        model : str
            One of `models`.
        """
        paired = self._by_model("crps")
        gap = (paired[model] - paired[self.best]).to_numpy()
        if len(gap) < 2:
            return float(gap.mean()), -np.inf, np.inf
        picks = np.random.default_rng(self.seed).integers(len(gap), size=(RESAMPLES, len(gap)))
        low, high = np.quantile(gap[picks].mean(axis=1), [0.5 - CI_PROB / 2, 0.5 + CI_PROB / 2])
        return float(gap.mean()), float(low), float(high)

    def told_apart(self, model: str) -> bool:
        """Return whether a model is known to predict worse than the best one."""
        return self.n_tasks >= FEWEST_TASKS and self.difference(model)[1] > 0.0

    @property
    def frame(self) -> pd.DataFrame:
        """One row a model, the best first: scores here, paired difference, scores on the corpus."""
        means = self.scores.groupby("model")[
            ["crps", "coverage_90", "abs_error", "width_90"]
        ].mean()
        rows = []
        for rank, model in enumerate(self.models, start=1):
            gap, low, high = self.difference(model)
            corpus = corpus_scores(model)
            rows.append(
                {
                    "rank": rank,
                    "model": model,
                    **means.loc[model].to_dict(),
                    "crps_difference": gap,
                    "difference_q05": low,
                    "difference_q95": high,
                    "told_apart": self.told_apart(model),
                    "corpus_crps": corpus.get("crps", np.nan),
                    "corpus_coverage_90": corpus.get("coverage_90", np.nan),
                }
            )
        return pd.DataFrame(rows)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader may and may not conclude."""
        if self.n_tasks < FEWEST_TASKS:
            few = f"{self.n_tasks} task(s), fewer than {FEWEST_TASKS}"
            alone = [f"The models cannot be told apart on this table: it yields {few}."]
            return (*alone, *self._on_public_tables(self.models))
        close = [name for name in self.models[1:] if not self.told_apart(name)]
        worse = [name for name in self.models[1:] if self.told_apart(name)]
        said: list[str] = []
        if close:
            said.append(
                f"{self.best} scores best, but {', '.join(close)} cannot be told from it on this"
                f" table: the {100 * CI_PROB:g} % interval of the difference covers 0."
            )
            said += self._on_public_tables([self.best, *close])
        if worse:
            said.append(f"{self.best} predicts better than {', '.join(worse)} on this table.")
        return tuple(said)

    def _on_public_tables(self, models: Sequence[str]) -> list[str]:
        known = {name: found["crps"] for name in models if (found := corpus_scores(name))}
        if len(known) < 2:
            return []
        first = min(known, key=lambda name: known[name])
        return [f"On public tables {first} scores best of them (CRPS {known[first]:.4f})."]

    def to_dict(self) -> dict[str, Any]:
        """Return table, ranking and sentences as plain data."""
        return {
            "table": self.table,
            "n_tasks": self.n_tasks,
            "best": self.best,
            "models": self.frame.to_dict("records"),
            "sentences": list(self.sentences),
        }

    def _by_model(self, measure: str) -> pd.DataFrame:
        """Return a score with one row a task and one column a model."""
        return self.scores.pivot(index=TASK, columns="model", values=measure).dropna()
