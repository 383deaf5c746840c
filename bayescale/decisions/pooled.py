"""What pooling did: how far each group was moved, and which factor the groups differ by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arguments import NAMES, a, check_arguments
from bayescale.decisions.arms import written
from bayescale.decisions.contrast import scale_free
from bayescale.errors import DecisionError, UnknownNameError
from bayescale.inference.posterior import Posterior
from bayescale.models.discrepancy import Floats
from bayescale.models.population import slope_name, spread_name

if TYPE_CHECKING:
    import pandas as pd

COMBINATION = "combination"
"""What a combination of levels adds to their effects under crossed pooling."""

TAILS = (0.05, 0.95)

_POSTERIOR = a(Posterior, "Make one with fit(runs, group=...).")


def compared_coefficients(posterior: Posterior) -> tuple[str, ...]:
    """Return the textbook coefficients worth comparing: the floor and what has no unit.

    Amplitudes trade with exponents: their differences say nothing that a reader could use.
    """
    floors = posterior.law.derived
    return tuple(c for c in posterior.textbook(0) if c in floors or scale_free(posterior, c))


def shrinkage(
    pooled: Posterior, apart: Posterior, coefficients: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return every group's coefficients as fitted apart and as pooled.

    Parameters
    ----------
    pooled, apart : Posterior
        Two fits of the same groups, the second without pooling.
    coefficients : sequence of str, optional
        As the literature writes them. Default: the floor and the exponents.

    Returns
    -------
    DataFrame
        One row a coefficient and group: ``apart``, ``apart_q05``, ``apart_q95``, ``pooled``,
        ``pooled_q05``, ``pooled_q95``, medians and ends of 90 % intervals.

    Raises
    ------
    DecisionError
        When the fits share no group.
    UnknownNameError
        For a coefficient that the law does not have.
    """
    import pandas as pd

    check_arguments(
        "shrinkage",
        DecisionError,
        pooled=(pooled, _POSTERIOR),
        apart=(apart, _POSTERIOR),
        coefficients=(coefficients, NAMES.or_none),
    )
    shared = [label for label in pooled.labels if label in apart.labels]
    if not shared:
        raise DecisionError(
            f"shrinkage: the fits share no group: {', '.join(map(written, pooled.labels))} against"
            f" {', '.join(map(written, apart.labels))}.",
            "Fit the same table with the same group columns.",
        )
    rows = []
    for coefficient in coefficients or compared_coefficients(pooled):
        for label in shared:
            row: dict[str, Any] = {"coefficient": coefficient, "group": written(label)}
            for name, posterior in (("apart", apart), ("pooled", pooled)):
                row |= _summary(name, _draws(posterior, label, coefficient))
            rows.append(row)
    return pd.DataFrame(rows)


def variance_components(posterior: Posterior) -> pd.DataFrame:
    """Return how much of the groups' differences each factor makes, coefficient by coefficient.

    Parameters
    ----------
    posterior : Posterior
        A pooled fit.

    Returns
    -------
    DataFrame
        One row a coefficient and source (a group column, or ``combination`` for what a combination
        of levels adds): ``sd``, the spread on the coefficient's sampling coordinate (log, or logit
        for shares), and ``share``, its part of the summed variance, with ``_q05`` and ``_q95``.
        The level of the loss is nobody's, and what follows it is left out.

    Raises
    ------
    DecisionError
        For a fit that does not pool.
    """
    import pandas as pd

    check_arguments("variance_components", DecisionError, posterior=(posterior, _POSTERIOR))
    symbols = [s for s in posterior.law.symbols[1:] if spread_name(s) in posterior.population]
    if not symbols:
        raise DecisionError(
            f"variance_components: model {posterior.spec.name!r} does not pool groups.",
            "Fit a model whose name holds '_partial' or '_crossed'.",
        )
    rows = []
    for symbol in symbols:
        spreads = _spreads(posterior, symbol)
        total = np.sum([sd**2 for sd in spreads.values()], axis=0)
        for source, sd in spreads.items():
            row: dict[str, Any] = {"coefficient": symbol, "source": source}
            rows.append(row | _summary("sd", sd) | _summary("share", sd**2 / total))
    return pd.DataFrame(rows)


def _spreads(posterior: Posterior, symbol: str) -> dict[str, Floats]:
    known = posterior.population
    columns = [c for c in posterior.group_columns if spread_name(symbol, c) in known]
    found = {column: _spread(posterior, symbol, column) for column in columns}
    rest = COMBINATION if columns else "/".join(posterior.group_columns)
    return {**found, rest: _spread(posterior, symbol, "")}


def _spread(posterior: Posterior, symbol: str, column: str) -> Floats:
    """Return the sd of departures: what follows other coefficients, and what is left."""
    known = posterior.population
    variance = known[spread_name(symbol, column)].reshape(-1) ** 2
    follows = (posterior.spec.regressions or {}).get(symbol, {})
    for on in (on for on in follows if on != posterior.law.symbols[0]):
        slope = known[slope_name(symbol, on)].reshape(-1)
        variance = variance + (slope * known[spread_name(on, column)].reshape(-1)) ** 2
    return np.asarray(np.sqrt(variance))


def _draws(posterior: Posterior, label: tuple[str, ...], coefficient: str) -> Floats:
    known = posterior.textbook(posterior.group_index(label))
    if coefficient not in known:
        raise UnknownNameError("coefficient", coefficient, known, "shrinkage")
    return np.asarray(known[coefficient])


def _summary(name: str, draws: Floats) -> dict[str, float]:
    low, high = np.quantile(draws, TAILS).tolist()
    return {name: float(np.median(draws)), f"{name}_q05": low, f"{name}_q95": high}
