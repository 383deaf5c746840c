"""Choose: which of several arms is best at a point, by how much, and in which coefficients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bayescale.decisions.arms import Label
from bayescale.decisions.choice import Choice
from bayescale.decisions.contrast import Contrast, contrast
from bayescale.decisions.crossing import Crossing, crossing
from bayescale.decisions.levels import levels_of
from bayescale.decisions.multiplier import Multiplier, multiplier
from bayescale.decisions.pooled import compared_coefficients
from bayescale.decisions.ranking import Ranking, prob_best
from bayescale.decisions.rays import COMPUTE
from bayescale.errors import DecisionError
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.runs.schema import N_TOKENS

__all__ = [
    "Choice",
    "Contrast",
    "Crossing",
    "Multiplier",
    "Ranking",
    "choose",
    "contrast",
    "crossing",
    "multiplier",
    "prob_best",
]


def choose(
    source: Any, *, group: str | tuple[str, ...] = (), seed: int = 0, **inputs: Any
) -> Choice:
    """Return all that sets several arms apart at one point, each answer with its uncertainty.

    Parameters
    ----------
    source : Posterior, or anything `fit` takes
        A fit of several groups, or runs to fit with the recommended model first.
    group : str or tuple of str
        Columns that tell the arms apart, when `source` is no posterior.
    seed : int
        Seed of the fit and of everything drawn.
    **inputs : float
        The point by name: ``n_params=7e9, n_tokens=1.6e11``. Default: the largest fitted run.

    Returns
    -------
    Choice
        The arms ranked; the best against each other one in compute, in tokens and in where they
        cross; and contrasts of the coefficients between levels of every factor.

    Raises
    ------
    DecisionError
        For a fit of one group, or arms whose losses cannot be compared.
    """
    posterior = fitted(source, group=group, seed=seed)
    point = inputs or largest_run(posterior)
    ranking = prob_best(posterior, seed=seed, **point)
    best, *others = ranking.arms
    rays = (COMPUTE, *([N_TOKENS] if N_TOKENS in posterior.law.inputs else []))
    multipliers = tuple(
        multiplier(posterior, best, other, along=along, seed=seed, **point)
        for other in others
        for along in rays
        if along in posterior.law.inputs or posterior.law.cost_columns
    )
    crossings = tuple(
        crossing(posterior, best, other, seed=seed, **point)
        for other in others
        if posterior.law.cost_columns
    )
    contrasts, inseparable = _contrasts(posterior, best)
    said = [*ranking.caveats, *(c for m in multipliers for c in m.caveats), *inseparable]
    return Choice(ranking, multipliers, crossings, contrasts, tuple(dict.fromkeys(said)))


def largest_run(posterior: Posterior) -> dict[str, float]:
    """Return the inputs of the fitted run with the largest compute, over all groups."""
    problems = [problem for problem in posterior.problems if len(problem)]
    # Excess is measured from each group's own largest run, so it is moved to a common origin.
    tops = [(p.excess(p.positions) + p.constants.log_compute_max) for p in problems]
    group = max(range(len(problems)), key=lambda k: float(tops[k].max()))
    row = int(tops[group].argmax())
    return {name: float(values[row]) for name, values in problems[group].inputs.items()}


def _contrasts(posterior: Posterior, best: Label) -> tuple[tuple[Contrast, ...], list[str]]:
    """Return contrasts of the best arm's levels with others, and why some cannot be had."""
    made, inseparable = [], []
    for factor, level in zip(posterior.group_columns, best, strict=True):
        for other in levels_of(posterior, factor):
            if other == level:
                continue
            try:
                made += list(_of_levels(posterior, level, other, factor))
            except DecisionError as error:
                inseparable.append(error.message)
    return tuple(made), inseparable


def _of_levels(posterior: Posterior, level: str, other: str, factor: str) -> Iterator[Contrast]:
    for coefficient in compared_coefficients(posterior):
        yield contrast(posterior, level, other, coefficient, factor=factor)
