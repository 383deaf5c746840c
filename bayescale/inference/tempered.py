"""Tempered ensembles: a thousand chains in NumPy walk to the posterior together.

For posteriors with ridges that bend and with several modes, where importance sampling has no
proposal that covers them and four chains of NUTS each stay in one: a break of a curve that may lie
in several places, terms of a loss that may change theirs. Nothing is compiled. The members of an
ensemble start about the modes that it finds; the posterior over the density that they were drawn
from is raised to a power that grows from 0 to 1, after each step those that it favours are copied
and all move. There they go on until what is kept is long in autocorrelation times, so that tails of
ridges that a few hundred members have left out are found. Several ensembles share nothing, the
search for modes included, so that R-hat between them says whether they agree.

References
----------
Del Moral, Doucet and Jasra (2006), Sequential Monte Carlo samplers, JRSS B 68.
Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Rank-normalization, folding, and
localization, Bayesian Analysis 16: R-hat of distances from the median is that of tails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bayescale.inference.chains import effective_draws, split_rhat
from bayescale.inference.ensemble_conditional import Conditional
from bayescale.inference.ensemble_starts import about, spread_starts
from bayescale.inference.ensembles import Ensembles
from bayescale.inference.posterior import Diagnostics
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem

_FEWEST, _LONG = 16, 5.0
"""Fewest moves at the end, and the least that those kept must be long in autocorrelation times:
as many went before them, in which what starts left out was found."""


@dataclass(frozen=True, kw_only=True)
class TemperedEffort:
    """How hard to try.

    Parameters
    ----------
    ensembles, members : int
        Ensembles that share nothing, and members of each.
    climbs : int
        Randomised climbs that the members of one start about.
    survive : float
        Effective share of the members that a step of the power leaves.
    moves : int
        Moves after each step.
    sweeps : int
        Most moves at the end; those of the second half are kept.
    """

    ensembles: int = 2
    members: int = 512
    climbs: int = 128
    survive: float = 0.5
    moves: int = 8
    sweeps: int = 128


EFFORTS = (
    TemperedEffort(),
    TemperedEffort(ensembles=4, climbs=1024, survive=0.7, moves=24, sweeps=384),
)
"""The default effort, then the larger one that a bad R-hat calls for."""


def tempered_draws(density: Density, effort: TemperedEffort, rng: np.random.Generator) -> Floats:
    """Return draws (member of any ensemble, draw, P) of one group's posterior.

    Parameters
    ----------
    density : Density
        The log posterior.
    effort : TemperedEffort
        How hard to try.
    rng : Generator
        Source of randomness.
    """
    starts = [spread_starts(density, effort.climbs, rng) for _ in range(effort.ensembles)]
    near, conditional = partial(about, density), Conditional.of(density, rng)
    return walked(Ensembles(density, starts, effort.members, near, rng, conditional), effort)


def walked(found: Ensembles, effort: TemperedEffort) -> Floats:
    """Return draws (member of any ensemble, draw, P) where ensembles arrive."""
    while found.power < 1.0:
        found.heat(effort.survive)
        for _ in range(effort.moves):
            found.move()
    path: list[Floats] = []
    for moves in _doubling(effort.sweeps):
        while len(path) < moves:
            found.move(tune=False)
            path.append(found.x.reshape(-1, found.x.shape[2]).copy())
        x = np.stack(path[moves // 2 :], axis=1)
        if effective_draws(x).min() >= _LONG * len(x):
            break
    return x


def _doubling(most: int) -> Iterator[int]:
    """Yield `_FEWEST`, twice as many and so on, and at last `most`."""
    moves = _FEWEST
    while moves < most:
        yield moves
        moves *= 2
    yield most


@dataclass(frozen=True)
class Agreed:
    """Draws of one group's posterior, and how far the ensembles agree on it.

    Parameters
    ----------
    x : array, shape (members, draw, P)
        Unconstrained coordinates.
    rhat : float
        Largest R-hat between ensembles, of coordinates or of their distances from the median.
    ess : float
        Fewest effective draws of any coordinate.
    """

    x: Floats
    rhat: float
    ess: float

    def pick(self, draws: int, rng: np.random.Generator) -> Floats:
        """Return some of the draws, (draws, P)."""
        flat = self.x.reshape(-1, self.x.shape[2])
        return flat[rng.choice(len(flat), draws, replace=len(flat) < draws)]


def agreed(
    density: Density,
    rng: np.random.Generator,
    rhat_max: float,
    efforts: Sequence[TemperedEffort] = EFFORTS,
) -> Agreed:
    """Return draws of one group's posterior, tried harder while the ensembles disagree.

    Parameters
    ----------
    density : Density
        The log posterior.
    rng : Generator
        Source of randomness.
    rhat_max : float
        The gate of R-hat between ensembles.
    efforts : sequence of TemperedEffort
        The first, then those that a miss calls for.
    """
    for effort in efforts:
        x = tempered_draws(density, effort, rng)
        rhat = max(float(split_rhat(z, effort.ensembles).max()) for z in (x, _folded(x)))
        if rhat <= rhat_max:
            break
    return Agreed(x, rhat, float(effective_draws(x).min()))


def _folded(x: Floats) -> Floats:
    return np.abs(x - np.median(x, axis=(0, 1)))


def sample_tempered(
    problems: Sequence[Problem],
    *,
    draws: int,
    seed: int,
    rhat_max: float,
    efforts: Sequence[TemperedEffort] = EFFORTS,
) -> tuple[dict[str, Floats], Diagnostics]:
    """Draw from the posterior of each group, harder while the ensembles disagree.

    Parameters
    ----------
    problems : sequence of Problem
        One a group; none is pooled.
    draws : int
        Draws returned a group.
    seed : int
        Seed of the fit.
    rhat_max : float
        The gate of R-hat between ensembles.
    efforts : sequence of TemperedEffort
        The first, then those that a miss calls for.

    Returns
    -------
    draws : dict of str to array, shape (1, draw, group)
        The law's coefficients, ``sigma`` and, where there is a discrepancy, ``tau``.
    diagnostics : Diagnostics
        Largest R-hat between ensembles and fewest effective draws of any coordinate of any group.
    """
    columns: dict[str, list[Floats]] = {}
    rhats, sizes = [], []
    for group, problem in enumerate(problems):
        density, rng = Density(problem), np.random.default_rng([seed, group, 2])
        walked_to = agreed(density, rng, rhat_max, efforts)
        rhats.append(walked_to.rhat)
        sizes.append(walked_to.ess)
        for symbol, value in density.constrain(walked_to.pick(draws, rng)).items():
            columns.setdefault(symbol, []).append(value)
    found = {symbol: np.concatenate(v, axis=1)[None] for symbol, v in columns.items()}
    return found, Diagnostics(
        engine="tempered",
        khat=(),
        ess=min(sizes),
        rhat=max(rhats),
        divergences=0,
        cpu_seconds=0.0,
    )
