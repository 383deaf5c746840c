"""What pooling did: which groups there are, how they differ, and where pooling moved them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bayescale.decisions.pooled import shrinkage, variance_components
from bayescale.errors import BayescaleWarning, InferenceError
from bayescale.forecasts.sensitivity import fitted_runs
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior
from bayescale.reports import pictures, sentences, tables
from bayescale.reports.content import Block, Rows, Text
from bayescale.reports.gathered import Gathered

if TYPE_CHECKING:
    import pandas as pd

MOST_GROUPS = 16
"""Groups up to which every coefficient of each is drawn."""


def blocks(made: Gathered) -> Iterator[Block]:
    """Yield the section on groups; one sentence where there is one group.

    Parameters
    ----------
    made : Gathered
        What the report shows.
    """
    posterior = made.posterior
    yield Text(sentences.pooling(posterior))
    if len(posterior.labels) == 1:
        return
    yield Rows(tables.groups(posterior))
    if not posterior.population:
        return
    if posterior.alone:
        yield Text(sentences.GUARD)
    yield pictures.variance_components(variance_components(posterior))
    moved = shrunk(posterior) if len(posterior.labels) <= MOST_GROUPS else None
    if moved is not None:
        yield Text(sentences.SHRINKAGE)
        yield pictures.shrinkage(moved)


def shrunk(posterior: Posterior) -> pd.DataFrame | None:
    """Return where pooling moved every group that can be fitted by itself, None without any.

    Parameters
    ----------
    posterior : Posterior
        A pooled fit.
    """
    with warnings.catch_warnings():
        # That groups are fitted apart is the point here.
        warnings.simplefilter("ignore", BayescaleWarning)
        try:
            table = fitted_runs(posterior)
            columns = posterior.group_columns
            apart = fit(table, posterior.spec, group=columns, pooling="none", engine="amis")
        except InferenceError:
            return None
    return shrinkage(posterior, apart)
