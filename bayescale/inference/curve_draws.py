"""Draws of one law on one group of curves: importance sampling, else tempered ensembles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescale.inference.amis import EFFORTS as WEIGHINGS
from bayescale.inference.amis import Effort
from bayescale.inference.curve_fit import CurveFit
from bayescale.inference.fit import RHAT_MAX
from bayescale.inference.importance import ESS_MIN, fails, importance_sample
from bayescale.inference.tempered import EFFORTS, TemperedEffort, agreed
from bayescale.models.curve_model import reads_schedule
from bayescale.models.curve_problem import CurveProblem
from bayescale.models.density import Density

WALKED = 500
"""Most points of a group for which ensembles take over: they then take up to a minute."""

WALKS = (TemperedEffort(members=96, climbs=32, moves=4, sweeps=48), EFFORTS[0])
"""Smaller ensembles first: 500 draws are wanted, and the larger take half a minute."""

MANY = 30
"""Coordinates beyond which rounds are `LARGE` from the start: of fewer draws the covariance that a
proposal takes is mostly noise."""

LARGE = Effort(rounds=12, size=8000, target_ess=1500.0)


def draw_curves(problem: CurveProblem, draws: int, seed: Sequence[int]) -> CurveFit:
    """Return draws of a law's coefficients on one group.

    Where importance weights miss their gates, as with many siblings of few points each, tempered
    ensembles take over; for laws of the learning rate and groups of more than `WALKED` points that
    would take many minutes.

    Parameters
    ----------
    problem : CurveProblem
        The group.
    draws : int
        Draws returned.
    seed : sequence of int
        Seed of the fit, index of the group, index of the law.
    """
    efforts = (LARGE,) if len(problem.coordinates) > MANY else WEIGHINGS
    weighted = importance_sample(problem, seed[0], 1000 * seed[1] + seed[2], efforts)
    rng = np.random.default_rng([*seed, 1])
    if fails(weighted) and len(problem) <= WALKED and not reads_schedule(problem.law):
        return _tempered(problem, draws, rng)
    return CurveFit(
        problem=problem,
        x=weighted.resample(draws, rng),
        khat=weighted.khat,
        ess=weighted.ess,
        trusted=not fails(weighted),
    )


def _tempered(problem: CurveProblem, draws: int, rng: np.random.Generator) -> CurveFit:
    found = agreed(Density(problem), rng, RHAT_MAX, WALKS)
    return CurveFit(
        problem=problem,
        x=found.pick(draws, rng),
        ess=found.ess,
        rhat=found.rhat,
        trusted=found.rhat <= RHAT_MAX and found.ess >= ESS_MIN,
    )
