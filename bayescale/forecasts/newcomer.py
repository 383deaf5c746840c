"""A group with no runs, drawn from the population of a pooled posterior.

Under crossed pooling a label may combine known levels, whose effects are then known, or bring a new
level, whose effect is drawn from its column's spread; what a combination adds is always drawn. The
level of the loss is never pooled: it is drawn about the mean of the known groups' levels, by the
spread that the model gives a level, and where coefficients follow it like one of them, as wide or
wider. What siblings share of the discrepancy holds for the new group, its own part comes from the
prior.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayescale.errors import ForecastError
from bayescale.inference.posterior import Posterior
from bayescale.laws.ops import from_unconstrained, to_unconstrained
from bayescale.models.discrepancy import Floats
from bayescale.models.population import effect_name, levels_of, slope_name, spread_name
from bayescale.models.problem import Problem


def with_new_group(posterior: Posterior, label: tuple[str, ...], seed: int = 0) -> Posterior:
    """Return the posterior with one more group, known only through the population.

    Parameters
    ----------
    posterior : Posterior
        A pooled fit.
    label : tuple of str
        The new group's label.
    seed : int
        Seed of the group's departure from the population.

    Raises
    ------
    ForecastError
        When the model does not pool, so that it knows nothing of a new group.
    """
    if not posterior.group_columns:
        raise ForecastError(
            f"group {'/'.join(label)!r} was named, but the fit has no groups.",
            "Leave it out, or fit with group=... .",
        )
    if not posterior.population:
        raise ForecastError(
            f"group {'/'.join(label)!r} has no runs, and model {posterior.spec.name!r} does not"
            f" pool groups; fitted: {', '.join('/'.join(known) for known in posterior.labels)}.",
            "Fit a model whose name holds '_partial' or '_crossed' to forecast a new group.",
        )
    rng = np.random.default_rng([seed, len(posterior.labels)])
    problem = _empty_problem(posterior, label)
    posterior = _with_levels(posterior, problem, rng)
    departures = _departures(posterior, "", rng)
    draws = {
        symbol: np.concatenate(
            [values, _new_values(posterior, problem, symbol, departures, rng)], axis=2
        )
        for symbol, values in posterior.draws.items()
    }
    note = (
        f"group {'/'.join(label)!r} has no runs: it is drawn from the population, and how high its"
        " losses lie from a wide prior, which one run of it would narrow most"
    )
    return replace(
        posterior,
        notes=(*posterior.notes, note),
        labels=(*posterior.labels, label),
        problems=(*posterior.problems, problem),
        draws=draws,
    )


def _empty_problem(posterior: Posterior, label: tuple[str, ...]) -> Problem:
    constants = [problem.constants for problem in posterior.problems]
    return Problem(
        spec=posterior.spec,
        inputs={name: np.empty(0) for name in posterior.law.inputs},
        log_loss=np.empty(0),
        trunks=np.empty(0, dtype=str),
        constants=replace(
            constants[0],
            level=float(np.mean([c.level for c in constants])),
            log_compute_max=max(c.log_compute_max for c in constants),
        ),
        levels=dict(zip(posterior.group_columns, label, strict=False)),
    )


def _new_values(
    posterior: Posterior,
    problem: Problem,
    symbol: str,
    departures: dict[str, Floats],
    rng: np.random.Generator,
) -> Floats:
    shape = (*next(iter(posterior.draws.values())).shape[:2], 1)
    supports = {c.symbol: c.support for c in posterior.law.coefficients}
    if symbol in departures:
        value = (_centre(posterior, problem, symbol) + departures[symbol])[:, :, None]
        return np.asarray(from_unconstrained(value, supports.get(symbol, "positive")))
    prior = {**posterior.spec.priors, **posterior.spec.scale_priors}[symbol]
    if symbol == posterior.law.symbols[0] and (about := prior.normal_on_coordinate()) is not None:
        known = to_unconstrained(posterior.draws[symbol], supports[symbol])
        value = known.mean(axis=2, keepdims=True) + about[1] * rng.standard_normal(shape)
        return np.asarray(from_unconstrained(value, supports[symbol]))
    return np.asarray(prior.quantile(rng.uniform(size=shape), problem.constants.level))


def _with_levels(posterior: Posterior, problem: Problem, rng: np.random.Generator) -> Posterior:
    """Return the posterior with effects of the new group's levels, drawn where they are new."""
    population = dict(posterior.population)
    for column in _factors(posterior):
        if problem.levels[column] in levels_of(posterior.problems, column):
            continue
        for symbol, drawn in _departures(posterior, column, rng).items():
            name = effect_name(symbol, column)
            population[name] = np.concatenate([population[name], drawn[:, :, None]], axis=2)
    return replace(posterior, population=population)


def _departures(posterior: Posterior, column: str, rng: np.random.Generator) -> dict[str, Floats]:
    """Return draws (chain, draw) by coefficient of a new level's effects, or a group's own part."""
    population, follow = posterior.population, posterior.spec.regressions or {}
    drawn: dict[str, Floats] = {}
    pooled = [symbol for symbol in posterior.draws if f"mu_{symbol}" in population]
    for symbol in sorted(pooled, key=lambda s: s in follow):
        spread = population[spread_name(symbol, column)]
        drawn[symbol] = spread * rng.standard_normal(spread.shape)
        for on in follow.get(symbol, {}):
            drawn[symbol] = drawn[symbol] + population[slope_name(symbol, on)] * drawn[on]
    return drawn


def _factors(posterior: Posterior) -> tuple[str, ...]:
    return posterior.group_columns if posterior.spec.pooling == "crossed" else ()


def _centre(posterior: Posterior, problem: Problem, symbol: str) -> Floats:
    """Return draws (chain, draw) of the mean plus the effects of the new group's levels."""
    centre = posterior.population[f"mu_{symbol}"]
    for column in _factors(posterior):
        levels = levels_of([*posterior.problems, problem], column)
        effects = posterior.population[effect_name(symbol, column)]
        centre = centre + effects[:, :, levels.index(problem.levels[column])]
    return centre
