"""From what a question is asked of to a posterior: a fit, a saved one, or runs to fit first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayescale.arguments import NAMES, SEED, check_arguments
from bayescale.errors import InferenceError
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior, load_posterior


def fitted(source: Any, *, group: str | Sequence[str] = (), seed: int = 0) -> Posterior:
    """Return the posterior that a source is, holds, or leads to.

    Parameters
    ----------
    source : Posterior, path of a saved one, or anything `fit` takes
        Runs are fitted with the recommended model.
    group : str or sequence of str
        Columns that tell the groups of runs apart; nothing where `source` is fitted already.
    seed : int
        Seed of the fit.

    Raises
    ------
    RunsTableError
        When it is neither a posterior nor a table.
    InferenceError
        When the saved posterior cannot be read.
    """
    check_arguments("fit", InferenceError, group=(group, NAMES), seed=(seed, SEED))
    if isinstance(source, Posterior):
        return source
    if isinstance(source, str | Path) and str(source).endswith(".nc"):
        return load_posterior(source)
    return fit(source, group=group, seed=seed)
