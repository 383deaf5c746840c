"""Compare laws and models by what they would have said of the larger runs of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bayescale.arguments import NAMES, SEED, check_arguments
from bayescale.errors import ForecastError
from bayescale.forecasts.backtest import backtest
from bayescale.forecasts.comparison import TASK, Comparison
from bayescale.forecasts.methods import resolve_method
from bayescale.forecasts.running import Progress
from bayescale.laws import list_laws, load_law
from bayescale.models.catalog import list_models, load_model
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.schema import LOSS
from bayescale.runs.table import read_runs

__all__ = ["Comparison", "compare"]

MEASURES = ["crps", "coverage_90", "abs_error", "width_90"]


def compare(
    runs: Any,
    models: str | Sequence[str] | None = None,
    *,
    group: str | Sequence[str] = (),
    family: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Rank models by a backtest on a table: fit its small runs, predict its larger ones.

    Leaving one run out at a time would ask who interpolates best, which is another question.

    Parameters
    ----------
    runs : RunsTable, DataFrame or path
        One row per finished run.
    models : str or sequence of str, optional
        Models, baselines, model files or laws; a law stands for its model with a discrepancy where
        one is shipped, else for ``<law>_plain_weak``. Default: every shipped model that the table
        has the columns for.
    group : str or sequence of str
        Columns that tell groups apart.
    family : str, optional
        Family of the corpus that the table belongs to: a learned prior then comes without it.
    seed : int
        Seed of every fit and of the intervals.
    progress : callable, optional
        Called with the share done and the task.

    Returns
    -------
    Comparison
        Models by CRPS, with paired differences and what public tables say of each.

    Raises
    ------
    ForecastError
        When fewer than two models are given, or the table yields no task.
    UnknownNameError
        When no model, baseline or law has a given name.
    """
    check_arguments("compare", ForecastError, models=(models, NAMES.or_none), seed=(seed, SEED))
    table = read_runs(runs)
    asked = (models,) if isinstance(models, str) else models
    chosen = list(dict.fromkeys(map(model_of, asked))) if asked else servable(table)
    if len(chosen) < 2:
        raise ForecastError(
            f"compare: one model, {', '.join(chosen)}, was given.", "Give two or more."
        )
    methods = [resolve_method(name, seed) for name in chosen]
    parts = []
    for done, method in enumerate(methods):
        advance = _share(progress, done, len(methods))
        made = backtest(table, method, group=group, family=family, progress=advance)
        parts.append(made.frame.groupby(TASK, sort=False)[MEASURES].mean().reset_index())
        parts[-1].insert(0, "model", made.model)
    scores = pd.concat(parts, ignore_index=True)
    ranked = scores.groupby("model")["crps"].mean().sort_values(kind="stable").index
    return Comparison(table.name, tuple(map(str, ranked)), scores, seed)


def model_of(name: str) -> str:
    """Return the model that a law stands for, and any other name as it is."""
    if name not in list_laws():
        return name
    law = load_law(name)
    if law.output != LOSS:
        raise ForecastError(
            f"compare: law {name!r} predicts {law.output}, but runs are ranked by their loss.",
            f"Laws of loss: {', '.join(each for each in list_laws() if _of_loss(each))}.",
        )
    shipped = (f"{name}_{ending}" for ending in ("growing_gp", "gp", "gp_weak"))
    return next((model for model in shipped if model in list_models()), f"{name}_plain_weak")


def _of_loss(law: str) -> bool:
    return load_law(law).output == LOSS


def servable(table: RunsTable) -> list[str]:
    """Return the shipped models without pooling whose law finds its columns in a table."""
    specs = [load_model(name) for name in list_models()]
    return [
        spec.name
        for spec in specs
        if not spec.pools and all(map(table.has, load_law(spec.law).inputs))
    ]


def _share(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda share, text: progress((done + share) / total, text)
