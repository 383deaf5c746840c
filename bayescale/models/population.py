"""What groups share under pooling: means, effects of factors, and how far groups depart from them.

On the sampling coordinate of each pooled coefficient, group g lies at

    theta_g = mu + sum over columns of effect[level of g] + own_g

with normal effects and own_g, whose standard deviations are the spreads. Partial pooling has no
columns; crossed pooling has every group column. The level of the loss is never pooled: where others
follow it, it has a population whose spread is as wide as its prior. The logs of the scales
``sigma`` and ``tau`` may be pooled, for few runs tell little of them.

Effects and own_g of a coefficient may follow those of others: where groups differ in an exponent,
their shares at the reference run differ with it. They are then a regression,

    own_kg = sum over j of slope_kj own_jg + what is left,

with normal slopes, and the spread is that of what is left: the modified Cholesky form of a
covariance matrix (Pourahmadi 1999, Joint mean-covariance models, Biometrika 86).

Some coefficients may have equal spreads: one number that the departures of all of them tell of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from bayescale.errors import ModelError
from bayescale.laws import Law, Prior
from bayescale.laws.prior import LEVEL
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem
from bayescale.models.shared_discrepancy import Anchors
from bayescale.models.spec import ModelSpec


@dataclass(frozen=True)
class Factor:
    """One column under crossed pooling.

    Parameters
    ----------
    column : str
        Its name.
    levels : tuple of str
        Its values, sorted.
    of_group : array of int, shape (G,)
        Position in `levels` of each group's value.
    """

    column: str
    levels: tuple[str, ...]
    of_group: np.ndarray


@dataclass(frozen=True)
class Regression:
    """One coefficient's departures on another's.

    Parameters
    ----------
    of, on : int
        Positions among the population's symbols; `on` follows nothing itself.
    mean, sd : float
        Normal prior of the slope, on the sampling coordinates.
    """

    of: int
    on: int
    mean: float
    sd: float


@dataclass(frozen=True)
class Population:
    """The population of the groups of one fit.

    Parameters
    ----------
    symbols : tuple of str
        Pooled coefficients, and last the scales ``sigma`` and ``tau`` where they are pooled.
    factors : tuple of Factor
        Columns that have effects; none under partial pooling.
    n_groups : int
        Groups.
    mean, sd : array, shape (p,)
        Prior of each coefficient's mean on its sampling coordinate.
    own : tuple of Prior
        Prior of each coefficient's spread of groups about the sum of effects.
    spreads : tuple of tuple of Prior
        By factor: prior of each coefficient's spread of effects.
    regressions : tuple of Regression
        Departures that follow others; none where coefficients depart independently.
    equal : tuple of tuple of int
        Positions, in order, of coefficients whose spreads are equal; every other has its own.
    """

    symbols: tuple[str, ...]
    factors: tuple[Factor, ...]
    n_groups: int
    mean: Floats
    sd: Floats
    own: tuple[Prior, ...]
    spreads: tuple[tuple[Prior, ...], ...]
    regressions: tuple[Regression, ...] = ()
    equal: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def by_spread(self) -> tuple[tuple[int, ...], ...]:
        """Positions of all coefficients, those of equal spreads together."""
        shared = {k for together in self.equal for k in together}
        alone = ((k,) for k in range(len(self.symbols)) if k not in shared)
        return tuple(sorted((*self.equal, *alone)))

    @property
    def differ(self) -> tuple[int, ...]:
        """Positions of one coefficient for each of the spreads that differ."""
        return tuple(together[0] for together in self.by_spread)

    def equals(self, k: int) -> tuple[int, ...]:
        """Return the positions of the coefficients that have the spread of coefficient k."""
        return next(together for together in self.by_spread if k in together)

    @cached_property
    def belongs(self) -> Floats:
        """Matrix (p, spreads) of which coefficient has which of the spreads that differ."""
        rows = [[k in together for together in self.by_spread] for k in range(len(self.symbols))]
        return np.array(rows, dtype=float).reshape(len(self.symbols), -1)

    @property
    def design(self) -> Floats:
        """Matrix (G, 1 + levels) that adds the mean and a group's effects."""
        blocks = [np.ones((self.n_groups, 1))]
        blocks += [np.eye(len(f.levels))[f.of_group] for f in self.factors]
        return np.concatenate(blocks, axis=1)

    @property
    def blocks(self) -> tuple[slice, ...]:
        """Columns of `design` that belong to each factor."""
        ends = np.cumsum([1, *(len(factor.levels) for factor in self.factors)]).tolist()
        return tuple(slice(a, b) for a, b in pairwise(ends))

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions of both ends of each regression: of what, and on what."""
        pairs = [(regression.of, regression.on) for regression in self.regressions]
        of, on = np.array(pairs, dtype=int).reshape(-1, 2).T
        return of, on

    @property
    def linked(self) -> tuple[tuple[int, int], ...]:
        """Pairs of coefficients whose departures are correlated given all others, or the same."""
        rows = np.eye(len(self.symbols))
        rows[self.ends] = 1.0
        return tuple(zip(*(k.tolist() for k in np.nonzero(rows.T @ rows)), strict=True))


def spread_name(symbol: str, column: str = "") -> str:
    """Return the name of a spread among a posterior's population: of groups, or of a column."""
    return f"spread_{column}_{symbol}" if column else f"spread_{symbol}"


def effect_name(symbol: str, column: str) -> str:
    """Return the name of a column's effects among a posterior's population."""
    return f"effect_{column}_{symbol}"


def slope_name(symbol: str, on: str) -> str:
    """Return the name of the slope of a coefficient's departures on another's."""
    return f"slope_{symbol}_on_{on}"


def population_names(population: Population, anchors: Anchors) -> tuple[str, ...]:
    """Return the names under which a posterior keeps the population, in order.

    Parameters
    ----------
    population : Population
        Of the groups.
    anchors : tuple of tuple of float
        Of the shared discrepancy; with any, its ``weights`` are kept too.
    """
    names = []
    for symbol in population.symbols:
        names += [f"mu_{symbol}", spread_name(symbol)]
        for factor in population.factors:
            names += [spread_name(symbol, factor.column), effect_name(symbol, factor.column)]
    symbols = population.symbols
    names += [slope_name(symbols[r.of], symbols[r.on]) for r in population.regressions]
    return (*names, "weights") if anchors else tuple(names)


def pooled_symbols(spec: ModelSpec, law: Law) -> tuple[str, ...]:
    """Return the coefficients whose groups share a population; none unless the model pools.

    Raises
    ------
    ModelError
        When a prior on a derived quantity replaces that of a pooled coefficient.
    """
    if not spec.pools:
        return ()
    replaced = {law.derived[q]: q for q in spec.derived_priors or {}}
    for symbol in spec.spreads or {}:
        if symbol in replaced:
            _refuse(spec, symbol, f"a prior on {replaced[symbol]!r} replaces")
    return tuple(s for s in (*law.symbols, *spec.scale_priors) if s in (spec.spreads or {}))


def population_of(problems: Sequence[Problem]) -> Population:
    """Return the population that the groups of a fit share.

    Raises
    ------
    ModelError
        When a pooled coefficient's prior is not normal on its sampling coordinate, or differs
        between groups.
    """
    first = problems[0]
    spec, symbols = first.spec, pooled_symbols(first.spec, first.law)
    normal = [_mean_prior(problems, symbol) for symbol in symbols]
    factors = factors_of([problem.levels for problem in problems]) if _crossed(spec) else ()
    own = (spec.interaction if factors else spec.spreads) or {}
    return Population(
        symbols=symbols,
        factors=factors,
        n_groups=len(problems),
        mean=np.array([mean for mean, _ in normal]),
        sd=np.array([sd for _, sd in normal]),
        own=tuple(own[symbol] for symbol in symbols),
        spreads=tuple(
            tuple(factor_spread(spec, factor.column, symbol) for symbol in symbols)
            for factor in factors
        ),
        regressions=_regressions(spec, symbols),
        equal=_equal(spec, symbols),
    )


def _regressions(spec: ModelSpec, symbols: Sequence[str]) -> tuple[Regression, ...]:
    if not symbols:
        return ()  # one group alone departs from nothing
    found = []
    for symbol, slopes in (spec.regressions or {}).items():
        for on, prior in slopes.items():
            normal = prior.normal_on_coordinate()
            assert normal is not None  # the spec takes normal slopes only
            found.append(Regression(symbols.index(symbol), symbols.index(on), *normal))
    return tuple(found)


def _equal(spec: ModelSpec, symbols: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    if not symbols:
        return ()
    return tuple(tuple(sorted(map(symbols.index, named))) for named in spec.equal_spreads)


def factor_spread(spec: ModelSpec, column: str, symbol: str) -> Prior:
    """Return the prior of the spread of a column's effects on one coefficient."""
    own = (spec.factors or {}).get(column, {})
    return own.get(symbol) or (spec.spreads or {})[symbol]


def factors_of(levels: Sequence[Mapping[str, str]]) -> tuple[Factor, ...]:
    """Return the columns of groups with the level of each group."""
    found = []
    for column in levels[0] if levels else ():
        values = [group[column] for group in levels]
        known, of_group = np.unique(values, return_inverse=True)
        found.append(Factor(column, tuple(known.tolist()), of_group))
    return tuple(found)


def levels_of(problems: Sequence[Problem], column: str) -> tuple[str, ...]:
    """Return the levels of a column in the order of a posterior's effects.

    Those of groups with runs come first, sorted; then those of newcomers as they came.
    """
    fitted = sorted({problem.levels[column] for problem in problems if len(problem)})
    arrived = [problem.levels[column] for problem in problems]
    return tuple(dict.fromkeys([*fitted, *arrived]))


def _crossed(spec: ModelSpec) -> bool:
    return spec.pooling == "crossed"


def _mean_prior(problems: Sequence[Problem], symbol: str) -> tuple[float, float]:
    spec = problems[0].spec
    priors = [{**problem.priors, **spec.scale_priors}[symbol] for problem in problems]
    prior = priors[0]
    if any(other.arguments != prior.arguments for other in priors[1:]):
        _refuse(spec, symbol, "covariates move")
    normal = prior.normal_on_coordinate(problems[0].constants.level)
    is_level = symbol == problems[0].law.symbols[0]
    if normal is None or (prior.arguments["mu"] == LEVEL and not is_level):
        written = ", ".join(f"{name}={value}" for name, value in prior.arguments.items())
        raise ModelError(
            f"model {spec.name!r}: coefficient {symbol!r} is pooled, but its prior is"
            f" {prior.distribution}({written}).",
            f"Give it a {_normal_for(problems[0].law, symbol)} with numbers for mu and sigma, or"
            f" take {symbol!r} off spreads.",
        )
    return normal


def _normal_for(law: Law, symbol: str) -> str:
    supports = {c.symbol: c.support for c in law.coefficients}
    return NORMAL[supports.get(symbol, "positive")]


NORMAL = {"positive": "LogNormal", "unit": "LogitNormal", "real": "Normal"}
"""The distribution that is normal on the sampling coordinate of each support."""


def _refuse(spec: ModelSpec, symbol: str, why: str) -> None:
    raise ModelError(
        f"model {spec.name!r}: {why} the prior of {symbol!r}, but its groups share a population.",
        f"Leave {symbol!r} out of spreads, or use pooling='none'.",
    )
