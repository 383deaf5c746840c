"""Whether a table is one that a corpus prior may speak about, and which model to use if not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescale.models.catalog import (
    DEFAULT_MODEL,
    POOLED_MODEL,
    WEAK_MODEL,
    list_models,
    load_model,
)
from bayescale.models.spec import ModelSpec, Pooling
from bayescale.runs import schema
from bayescale.runs.table import RunsTable

MARGIN = 10.0
"""A table may lie this factor outside what the corpus held before its prior is mistrusted."""


def default_spec(
    table: RunsTable, columns: Sequence[str], pooling: Pooling | None = None
) -> tuple[ModelSpec, list[str]]:
    """Return the recommended model for a table, and what its reader must know of the choice.

    One column that tells groups apart is pooled over, several are crossed, where the model has
    such a version and nobody asked for another pooling.

    Parameters
    ----------
    table : RunsTable
        Usable runs.
    columns : sequence of str
        Columns that tell groups apart.
    pooling : {"complete", "none", "partial", "crossed"}, optional
        What was asked for.

    Returns
    -------
    spec : ModelSpec
        The model with a corpus prior, or the weak one for a table unlike the corpus.
    notes : list of str
        Why the weak one, if so.
    """
    weak = pooled_name(WEAK_MODEL, table, columns, pooling)
    pooled = pooled_name(POOLED_MODEL, table, columns, pooling)
    name = DEFAULT_MODEL if pooled == POOLED_MODEL else pooled
    outside = outside_corpus(load_model(DEFAULT_MODEL), table, columns)
    if not outside:
        return load_model(name), []
    return load_model(weak), [f"model {weak} instead of {name}: {outside}"]


def pooled_name(
    name: str, table: RunsTable, columns: Sequence[str], pooling: Pooling | None
) -> str:
    """Return a model's version for as many columns as vary, or its own name where there is none."""
    levels = zip(*table.group_rows(columns), strict=True)
    varying = sum(len(set(found)) > 1 for found in levels)
    wanted = {0: "none", 1: "partial"}.get(varying, "crossed")
    pooled = f"{name}_{pooling or wanted}"
    return pooled if pooled in list_models() else name


def outside_corpus(spec: ModelSpec, table: RunsTable, columns: Sequence[str]) -> str:
    """Return how a table leaves the range of a model's corpus prior, empty when it does not.

    Parameters
    ----------
    spec : ModelSpec
        The model; one without a corpus prior has no range to leave.
    table : RunsTable
        Usable runs.
    columns : sequence of str
        Columns that tell groups apart; every group is looked at.
    """
    learned = spec.corpus_prior
    if learned is None or not (table.has(schema.N_PARAMS) and table.has(schema.N_TOKENS)):
        return ""
    for part in table.groups(columns).values() if columns else [table]:
        ratio = part.numbers(schema.N_TOKENS) / part.numbers(schema.N_PARAMS)
        found = {
            "largest compute": (float(part.compute_6nd.max()), learned.largest_flops),
            "median D/N": (float(np.median(ratio)), learned.median_tokens_per_param),
        }
        for what, (value, (low, high)) in found.items():
            if not low / MARGIN <= value <= high * MARGIN:
                return f"{what} {value:.3g} is far outside {low:.3g} to {high:.3g} of the corpus"
    return ""
