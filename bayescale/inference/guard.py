"""When pooling must not narrow a forecast: siblings that were all cut at the same compute.

Siblings that reach no further than a group repeat its bias, and pooling them with it makes its
intervals narrow about the same error: a nominal 90 % held 54 % of larger runs of the Marin tables.
Then the group's forecast has the centre that it has by itself, and that width or the pooled one,
whichever is wider: of siblings cut alike, pooled centres were worse by 15 and 33 % of CRPS in two
of three families. Draws stay joint, so that contrasts of groups are paired. A sibling at scale
turns the guard off. A model without a discrepancy claims that its law is true, and is not guarded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayescale.inference.amis import EFFORTS, sample
from bayescale.inference.posterior import Posterior
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem, choose_constants, log_compute

WELL_BEYOND = 3.0
"""Times a group's largest compute that a sibling must reach to tell of the group's bias."""

FEWEST = 5
"""Runs that a group needs for a width of its own."""


def guarded_groups(problems: Sequence[Problem]) -> tuple[int, ...]:
    """Return the positions of the groups whose width alone is kept.

    Parameters
    ----------
    problems : sequence of Problem
        Groups of one pooled fit.
    """
    spec = problems[0].spec
    if not spec.pools or spec.discrepancy is None or len(problems) < 2:
        return ()
    reach = [_largest(problem) for problem in problems]
    far = max(reach) - np.log(WELL_BEYOND)
    return tuple(
        g for g, problem in enumerate(problems) if len(problem) >= FEWEST and reach[g] >= far
    )


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
    """Return a posterior with draws of its guarded groups fitted alone; NaN for the others.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    seed : int
        Seed of the fit.
    """
    problems, n_draws = posterior.problems, posterior.n_draws
    out: dict[str, Floats] = {}
    for g in guarded_groups(problems):
        rng = np.random.default_rng([seed, g, 2])
        density = Density(alone(problems[g]))
        found = sample(density, rng, EFFORTS[0])
        for symbol, values in density.constrain(found.resample(n_draws, rng)).items():
            empty = np.full((1, n_draws, len(problems)), np.nan)
            out.setdefault(symbol, empty)[0, :, g] = values[:, 0]
    return replace(posterior, alone=out)


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


def note_of(problems: Sequence[Problem], labels: Sequence[tuple[str, ...]]) -> list[str]:
    """Return one sentence that names the guarded groups, if there are any."""
    guarded = guarded_groups(problems)
    if not guarded:
        return []
    named = ", ".join("/".join(labels[g]) for g in guarded[:4])
    more = f" and {len(guarded) - 4} more" if len(guarded) > 4 else ""
    return [
        f"forecasts of {named}{more} stay where they lie alone and are at least as wide as without"
        f" siblings, which reach less than {WELL_BEYOND:g} times as far and would repeat the same"
        " bias"
    ]


def _largest(problem: Problem) -> float:
    if not len(problem):
        return -np.inf
    return float(log_compute(problem.law, problem.positions).max())
