"""When pooling must not move a forecast: siblings cut alike, and groups that are no siblings.

Siblings that reach no further than a group repeat its bias, and pooling them with it makes its
intervals narrow about the same error: a nominal 90 % held 54 % of larger runs of the Marin tables.
Then the group's forecast has the centre that it has by itself, and that width or the pooled one,
whichever is wider: of siblings cut alike, pooled centres were worse by 15 and 33 % of CRPS in two
of three families. A model without a discrepancy claims that its law is true, and is not guarded.

Siblings that reach somewhat further are heard as far as they reach, and no further.

A sibling at scale tells a group where it goes, and its forecasts get narrower. Where pooling moves
them without that, runs and siblings disagree: they are no siblings, or nothing was learned. Then
the group is guarded too (`benchmarks/strangers.py`). Draws stay joint, so that contrasts of groups
are paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayescale.inference.amis import EFFORTS, sample
from bayescale.inference.components import components
from bayescale.inference.conditioned import condition
from bayescale.inference.posterior import Posterior
from bayescale.models.delivery import BEYOND, moved_on
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem, choose_constants, log_compute, positions
from bayescale.models.spec import ModelSpec

ALIKE, WELL_BEYOND = 1.5, 3.0
"""Times a group's largest compute below which all are cut alike, and that a sibling must reach to
tell of the group's bias beyond its own runs too."""

FEWEST = 5
"""Runs that a group needs for a width of its own."""

WORTH, WORTH_WEAK = 0.8, 1.0
"""Of the width alone: siblings that leave a group more are not heard. Alone a weak model is so wide
that any narrowing counts."""

FACTORS = (3.0, 10.0, 30.0, 100.0)
"""Times a group's largest compute at which widths are compared, as far as siblings reach."""


def guarded_groups(problems: Sequence[Problem]) -> tuple[int, ...]:
    """Return the positions of the groups that no sibling reaches well beyond.

    Parameters
    ----------
    problems : sequence of Problem
        Groups of one pooled fit.
    """
    reach = [_largest(problem) for problem in problems]
    far = max(reach) - np.log(WELL_BEYOND)
    return tuple(g for g in _with_widths(problems) if reach[g] >= far)


def _with_widths(problems: Sequence[Problem]) -> tuple[int, ...]:
    """Return the positions of the groups that can be guarded."""
    spec = problems[0].spec
    if not spec.pools or spec.discrepancy is None or len(problems) < 2:
        return ()
    return tuple(g for g, problem in enumerate(problems) if len(problem) >= FEWEST)


def _worth(spec: ModelSpec) -> float:
    return WORTH_WEAK if spec.corpus_prior is None else WORTH


def alone(problem: Problem) -> Problem:
    """Return a group's problem as a fit without siblings has it."""
    shape = problem.spec.discrepancy
    spec = replace(
        problem.spec,
        pooling="none",
        discrepancy=None if shape is None else replace(shape, shared=0.0),
    )
    constants = choose_constants(spec, problem.inputs, problem.log_loss)
    return replace(problem, spec=spec, constants=constants)


def guarded(posterior: Posterior, seed: int) -> Posterior:
    """Return a posterior with draws of its guarded groups fitted alone, and notes that name them.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    seed : int
        Seed of the fit.
    """
    problems = posterior.problems
    possible, cut_alike = _with_widths(problems), guarded_groups(problems)
    made = (
        replace(posterior, alone=drawn_alone(posterior, possible, seed)) if possible else posterior
    )
    no_gain = tuple(g for g in possible if g not in cut_alike and not _narrows(made, g))
    kept = np.isin(np.arange(len(problems)), [*cut_alike, *no_gain])
    return replace(
        posterior,
        alone={s: np.where(kept, v, np.nan) for s, v in made.alone.items()} if kept.any() else {},
        notes=(*posterior.notes, *_notes(made, cut_alike, no_gain)),
    )


def drawn_alone(posterior: Posterior, groups: Sequence[int], seed: int) -> dict[str, Floats]:
    """Return draws of some groups fitted alone, NaN for the others.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    groups : sequence of int
        Their positions.
    seed : int
        Seed of the fit.

    Returns
    -------
    dict of str to array, shape (1, draws, groups)
    """
    problems, n_draws = posterior.problems, posterior.n_draws
    out: dict[str, Floats] = {}
    for g in groups:
        rng = np.random.default_rng([seed, g, 2])
        density = Density(alone(problems[g]))
        found = sample(density, rng, EFFORTS[0])
        for symbol, values in density.constrain(found.resample(n_draws, rng)).items():
            empty = np.full((1, n_draws, len(problems)), np.nan)
            out.setdefault(symbol, empty)[0, :, g] = values[:, 0]
    return out


def _narrows(posterior: Posterior, group: int) -> bool:
    """Whether siblings narrow a group's forecasts enough to be heard."""
    return width_kept(posterior, group) <= _worth(posterior.spec)


def width_kept(posterior: Posterior, group: int) -> float:
    """Return what siblings leave of the width that a group's forecasts have alone.

    Parameters
    ----------
    posterior : Posterior
        The fit, with draws of the group fitted alone.
    group : int
        Position of the group.

    Returns
    -------
    float
        Geometric mean over distances beyond the group's runs, as far as its siblings reach.
    """
    problems = posterior.problems
    problem = problems[group]
    beyond = _beyond(problems, group)
    reached = [factor for factor in FACTORS if np.log(factor) <= beyond + BEYOND]
    factors = np.array(reached or [np.exp(beyond)])
    largest = int(np.argmax(log_compute(problem.law, problem.positions)))
    from_there = {name: np.repeat(v[largest], len(factors)) for name, v in problem.inputs.items()}
    at = moved_on(problem.law, from_there, np.log(factors))
    pooled = components(condition(posterior, group), at).sd
    single = components(condition(posterior_alone(posterior, group), 0), at).sd
    return float(np.exp(np.log(pooled / single).mean()))


def share_alone(posterior: Posterior, group: int, inputs: Mapping[str, Floats]) -> Floats:
    """Return how far each point of a guarded group is forecast as it lies alone, from 0 to 1.

    Less than 1 only where siblings reach beyond the group, but not well beyond, and narrow it
    there: none as far as they reach, all from as many e-folds further.

    Parameters
    ----------
    posterior : Posterior
        The fit, with draws of the group fitted alone.
    group : int
        Position of the group.
    inputs : mapping of str to array, shape (P,)
        The law's inputs at the points.

    Returns
    -------
    array, shape (P,)
    """
    problem = posterior.problems[group]
    excess = log_compute(problem.law, positions(problem.law, inputs)) - _largest(problem)
    if not _heard_as_far_as_reached(posterior, group):
        return np.ones(len(excess))
    return np.clip(excess / _beyond(posterior.problems, group) - 1.0, 0.0, 1.0)


def _heard_as_far_as_reached(posterior: Posterior, group: int) -> bool:
    near = np.log(ALIKE) <= _beyond(posterior.problems, group) < np.log(WELL_BEYOND)
    return bool(near) and _narrows(posterior, group)


def posterior_alone(posterior: Posterior, group: int) -> Posterior:
    """Return the posterior of one guarded group fitted alone."""
    problem = alone(posterior.problems[group])
    return replace(
        posterior,
        spec=problem.spec,
        labels=(posterior.labels[group],),
        problems=(problem,),
        draws={symbol: values[:, :, [group]] for symbol, values in posterior.alone.items()},
        population={},
        alone={},
    )


def _notes(posterior: Posterior, cut_alike: Sequence[int], no_gain: Sequence[int]) -> list[str]:
    """Return one sentence for each reason to guard groups, which names them."""
    made = []
    near = [g for g in cut_alike if _heard_as_far_as_reached(posterior, g)]
    not_at_all = [g for g in cut_alike if g not in near]
    if near:
        named = _named(posterior, near)
        made.append(
            f"forecasts of {named} follow siblings as far as these reach, less than"
            f" {WELL_BEYOND:g} times as far; beyond, they go over to where they lie alone and are"
            " at least as wide as without siblings, which would repeat the same bias"
        )
    if not_at_all:
        named = _named(posterior, not_at_all)
        made.append(
            f"forecasts of {named} stay where they lie alone and are at least as wide as without"
            f" siblings, which reach less than {WELL_BEYOND:g} times as far and would repeat the"
            " same bias"
        )
    if no_gain:
        named = _named(posterior, no_gain)
        made.append(
            f"forecasts of {named} stay where they lie alone: siblings at scale leave more than"
            f" {_worth(posterior.spec):.0%} of their width, as groups do that are no siblings"
        )
    return made


def _named(posterior: Posterior, groups: Sequence[int]) -> str:
    named = ", ".join("/".join(posterior.labels[g]) for g in groups[:4])
    return named + (f" and {len(groups) - 4} more" if len(groups) > 4 else "")


def _beyond(problems: Sequence[Problem], group: int) -> float:
    """Return the e-folds of compute by which siblings reach beyond a group."""
    return max(map(_largest, problems)) - _largest(problems[group])


def _largest(problem: Problem) -> float:
    if not len(problem):
        return -np.inf
    return float(log_compute(problem.law, problem.positions).max())
