"""How often intervals like this one have held: counts from the backtest on public tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from bayescale.forecasts.tasks import BINS
from bayescale.registry import shipped


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """What happened at one extrapolation factor.

    Parameters
    ----------
    cell : str
        Key of `BINS`.
    tables : str
        What they are: public ones, or our own for a model of runs unlike any public table.
    n_tables : int
        Tables (groups) with larger runs there.
    held, predicted : int
        Predictions of larger runs whose nominal 90 % interval held, and all of them: a run that was
        predicted from several cuts of its table, or measured twice, counts as often. A model with a
        corpus prior was fitted with the prior learned without the table's family.
    """

    cell: str
    tables: str
    n_tables: int
    held: int
    predicted: int

    def __str__(self) -> str:
        """Return one sentence for a reader."""
        return (
            f"on {self.n_tables} {self.tables}, at a factor near {self.cell}, 90 % intervals like"
            f" this one held in {self.held} of {self.predicted} predictions of larger runs"
        )


def reliability(model: str, factor: float) -> Reliability | None:
    """Return how intervals of a model have done at an extrapolation factor.

    Parameters
    ----------
    model : str
        Name of a shipped model.
    factor : float
        Compute of the forecast run over the largest fitted one.

    Returns
    -------
    Reliability or None
        None where no table reached, or the model was not backtested.
    """
    counts = _counts().get(model, {})
    for cell, (low, high) in BINS.items():
        if low <= factor < high and cell in counts:
            tables = _content()["tables"].get(model, "public tables")
            return Reliability(cell=cell, tables=tables, **counts[cell])
    return None


def reliability_sentence(model: str, factor: float) -> str:
    """Return what is known of a model's intervals at a factor, also where nothing is."""
    found = reliability(model, factor)
    if found is not None:
        return str(found)
    nearest = min(low for low, _ in BINS.values())
    if factor < nearest:
        return f"below {nearest:g} times the fitted compute this is hardly an extrapolation"
    times = f"{factor:,.0f}" if factor >= 10.0 else f"{factor:.2g}"
    return f"no table tells how intervals of {model} do at {times} times the fitted compute"


def corpus_scores(model: str) -> dict[str, float]:
    """Return a model's mean ``crps`` and ``coverage_90`` over families of public tables.

    Every family was predicted by a prior learned without it. Empty for a model nobody backtested.
    """
    return dict(_content()["overall"].get(model, {}))


def _counts() -> dict[str, dict[str, Any]]:
    return dict(_content()["models"])


@cache
def _content() -> dict[str, Any]:
    content = json.loads(shipped("models", "reliability.json").read_text(encoding="utf-8"))
    return dict(content)
