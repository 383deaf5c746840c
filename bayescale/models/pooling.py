"""A model's priors as PyMC variables: one value a group, apart or about a common population.

Pooling puts a coefficient's population (`models.population`) on its sampling coordinate (log, logit
or the value itself, by its support): ``mu_<symbol>`` has the coefficient's own prior there,
``spread_<symbol>`` is the standard deviation of groups about the sum of effects, and under crossed
pooling ``effect_<column>_<symbol>`` has standard deviation ``spread_<column>_<symbol>``, sampled as
standard offsets. Of spreads that are equal one is a variable and the others are the same under
their names. Departures and effects may follow those of another coefficient, by
``slope_<symbol>_on_<other>``. Nothing holds effects to sum to zero: moving a mean into its effects
is a ridge as long as their spread over the root of their number, which offsets sample well, and a
new level then needs no correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm

from bayescale.laws import Prior
from bayescale.laws.base import Support
from bayescale.laws.ops import from_unconstrained, to_unconstrained
from bayescale.laws.prior import DISTRIBUTIONS
from bayescale.models.population import (
    NORMAL,
    Factor,
    Population,
    effect_name,
    slope_name,
    spread_name,
)

GROUP = "group"
"""Name of the dimension over groups."""

Variable = Any
"""A PyTensor variable of shape (group,)."""


def level_dim(column: str) -> str:
    """Return the name of the dimension over the levels of a column."""
    return f"level_{column}"


def declare(
    name: str, prior: Prior, level: Variable, dims: str | None = GROUP, **moved: Variable
) -> Variable:
    """Declare a prior as PyMC's own distribution in the model context.

    Parameters
    ----------
    name : str
        Name of the variable.
    prior : Prior
        Distribution and arguments; the word ``level`` becomes `level`.
    level : variable, shape (group,)
        Constant about which each group's loss level is centred.
    dims : str, optional
        Dimension; None for a scalar.
    **moved : variable
        Arguments that replace the prior's own.
    """
    arguments = {**_arguments(prior, level), **moved}
    transform = _transform(prior.distribution)
    return getattr(pm, prior.distribution)(name, **arguments, **transform, dims=dims)


def declare_product(quantity: str, prior: Prior, whole: Variable, level: Variable) -> Variable:
    """Declare a prior on `quantity` = share x `whole`, truncated to (0, whole); return the share.

    Parameters
    ----------
    quantity : str
        Textbook quantity, such as ``E``.
    prior : Prior
        Its prior before truncation.
    whole : variable, shape (group,)
        The first coefficient.
    level : variable, shape (group,)
        As in `declare`.

    Notes
    -----
    PyMC's interval transform on (0, whole) is the logit of the share, so the unconstrained
    coordinate is that of `models.density.product_prior`, and so is the density.
    """
    untruncated = getattr(pm, prior.distribution).dist(**_arguments(prior, level))
    return pm.Truncated(quantity, untruncated, lower=0.0, upper=whole, dims=GROUP) / whole


def declare_pooled(
    population: Population,
    k: int,
    support: Support,
    levels: Mapping[str, Variable],
    mean: Variable,
    centred: bool,
    departures: dict[str, dict[str, Variable]],
) -> Variable:
    """Declare one coefficient's population and its value in every group.

    Parameters
    ----------
    population : Population
        Holds the priors of the mean and of the spreads.
    k : int
        Position of the coefficient among the population's symbols.
    support : {"positive", "unit", "real"}
        Where it lives.
    levels : mapping of str to variable, shape (group,)
        By column: position of each group's level.
    mean : float or variable
        Prior mean of the population's mean.
    centred : bool
        Sample groups about the sum of effects directly: better where each has many runs.
    departures : dict of str to dict of str to variable
        By coefficient: departures of groups, under `GROUP`, and effects by column. Those that this
        one follows stand in it already; its own are added.
    """
    symbol, normal = population.symbols[k], NORMAL[support]
    slopes, mine = _declare_slopes(population, k), departures.setdefault(symbol, {})

    def follows(part: str) -> Variable:
        return sum(slope * departures[on][part] for on, slope in slopes.items())

    about = Prior("Normal", {"mu": 0.0, "sigma": float(population.sd[k])})
    centre = declare(f"mu_{symbol}", about, 0.0, dims=None, mu=mean)
    for factor, priors in zip(population.factors, population.spreads, strict=True):
        spread = _declare_spread(population, k, priors[k], factor.column)
        effects = _declare_effects(factor, symbol, spread, follows(factor.column))
        centre, mine[factor.column] = centre + effects[levels[factor.column]], effects
    spread = _declare_spread(population, k, population.own[k])
    if centred:
        settings = _transform(normal)
        about = centre + follows(GROUP)
        value = getattr(pm, normal)(symbol, mu=about, sigma=spread, **settings, dims=GROUP)
        mine[GROUP] = to_unconstrained(value, support) - centre
        return value
    mine[GROUP] = spread * pm.Normal(f"offset_{symbol}", dims=GROUP) + follows(GROUP)
    return pm.Deterministic(symbol, from_unconstrained(centre + mine[GROUP], support), dims=GROUP)


def _declare_slopes(population: Population, k: int) -> dict[str, Variable]:
    symbols, out = population.symbols, {}
    for regression in population.regressions:
        if regression.of == k:
            about = Prior("Normal", {"mu": regression.mean, "sigma": regression.sd})
            name = slope_name(symbols[k], symbols[regression.on])
            out[symbols[regression.on]] = declare(name, about, 0.0, dims=None)
    return out


def _declare_spread(population: Population, k: int, prior: Prior, column: str = "") -> Variable:
    """Declare a coefficient's spread, or name that of its equals where it is there already."""
    model, symbols = pm.modelcontext(None), population.symbols
    equals = (spread_name(symbols[j], column) for j in population.equals(k))
    known = [name for name in equals if name in model.named_vars]
    name = spread_name(symbols[k], column)
    return pm.Deterministic(name, model[known[0]]) if known else declare(name, prior, 0.0, None)


def _declare_effects(factor: Factor, symbol: str, spread: Variable, follows: Variable) -> Variable:
    dims = level_dim(factor.column)
    offset = pm.Normal(f"offset_{factor.column}_{symbol}", dims=dims)
    effects = spread * offset + follows
    return pm.Deterministic(effect_name(symbol, factor.column), effects, dims=dims)


def _arguments(prior: Prior, level: Variable) -> dict[str, Any]:
    names = DISTRIBUTIONS[prior.distribution].arguments
    # PyTensor keeps 100.0 in single precision unless told otherwise, and then 1 / 100.0 too.
    numbers = [np.float64(v) if isinstance(v, int | float) else v for v in prior.resolved(level)]
    return dict(zip(names, numbers, strict=True))


def _transform(distribution: str) -> dict[str, Any]:
    # PyMC gives LogitNormal no default transform: a sampler would walk out of (0, 1).
    if distribution != "LogitNormal":
        return {}
    return {"default_transform": pm.distributions.transforms.logodds}
