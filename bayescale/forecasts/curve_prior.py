"""What curves of training look like before one is seen: a power law, a decay, and a wandering.

At a point of the run where a share u of the summed learning rate is spent and the rate has still to
fall by r of its peak,

    log L(u) - log L(1) = log(e + (1 - e) u^-alpha) + h r + w(-log u) + eps,

with w a Brownian motion that starts at the end of the run, so that what is not known grows with the
distance to it, and eps the noise of what was measured. The power law is the catalogue's
`power_law_tokens`; h is what the decay of the learning rate gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from bayescale.forecasts.schedules import done, to_come
from bayescale.laws import load_law
from bayescale.models.discrepancy import Floats
from bayescale.runs.schedule import Schedule

LAW = "power_law_tokens"


@dataclass(frozen=True, kw_only=True)
class CurvePrior:
    """Normal priors of a curve's coefficients, learned on public curves.

    `benchmarks/watch.py --learn` makes the numbers: mean and standard deviation over families of
    each family's curves, least squares for the first three, predictive score for the wandering.

    Parameters
    ----------
    floor, exponent, decay : tuple of (float, float)
        Mean and sd of logit e, log alpha and log h.
    together : float
        Correlation of logit e with log alpha: a steep curve that soon levels off looks like one
        that is less steep for longer.
    wander : tuple of (float, float)
        Of the log of w's standard deviation over one e-fold of u.
    """

    floor: tuple[float, float]
    exponent: tuple[float, float]
    decay: tuple[float, float]
    together: float
    wander: tuple[float, float]


LEARNED = CurvePrior(
    floor=(2.33, 1.96),
    exponent=(-0.84, 0.80),
    decay=(-3.48, 0.86),
    together=0.83,
    wander=(-3.6, 0.6),
)
"""From the families of `benchmarks/results/watch.json`, whose scores leave each out in turn."""


@dataclass(frozen=True)
class Shapes:
    """Draws of curves relative to their end.

    Parameters
    ----------
    e_share, alpha, decay : array, shape (K,)
        Coefficients by draw.
    wander : array, shape (K,)
        Standard deviation of w over one e-fold, one of a few values.
    schedule : tuple of Schedule
        Those possible; draw k has the one of index k modulo their number.
    """

    e_share: Floats
    alpha: Floats
    decay: Floats
    wander: Floats
    schedule: tuple[Schedule, ...]

    def rows(self, which: int) -> np.ndarray:
        """Return the draws that have a schedule."""
        return np.arange(which, len(self.alpha), len(self.schedule))

    def above_end(self, which: int, share: Floats) -> Floats:
        """Return log L(share) - log L(1) without wandering, for the draws of one schedule.

        Parameters
        ----------
        which : int
            Index of the schedule.
        share : array, shape (T,)
            Shares of the run.

        Returns
        -------
        array, shape (rows, T)
            Log loss above the end of the run.
        """
        rows, plan = self.rows(which), self.schedule[which]
        coefficients = {
            "loss_ref": 1.0,
            "E_share": self.e_share[rows, None],
            "alpha": self.alpha[rows, None],
        }
        fallen = load_law(LAW).evaluate({"n_tokens": done(plan, share)[None]}, coefficients)
        return np.asarray(np.log(fallen) + self.decay[rows, None] * to_come(plan, share))


DECAY_CUT = 2.0
"""Standard deviations at which the prior of log h ends: no decay gains a fifth of a loss."""

N_WANDERS = 5
"""Values of the wandering: each needs a factorisation, which all its draws share."""


def draw_shapes(
    prior: CurvePrior, schedule: Sequence[Schedule], n_draws: int, rng: np.random.Generator
) -> Shapes:
    """Draw curves from the prior.

    Parameters
    ----------
    prior : CurvePrior
        What is known of curves.
    schedule : sequence of Schedule
        The known one, or several that are equally possible.
    n_draws : int
        Draws.
    rng : Generator
        Where the draws come from.
    """
    normal = rng.standard_normal((2, n_draws))
    cut = ndtri(rng.uniform(ndtr(-DECAY_CUT), ndtr(DECAY_CUT), n_draws))
    # Correlated with the first by as much as `together` says.
    steep = prior.together * normal[0] + np.sqrt(1.0 - prior.together**2) * normal[1]
    levels = (np.arange(N_WANDERS) - 0.5 * (N_WANDERS - 1)) / np.sqrt(0.5 * (N_WANDERS - 1))
    wander = np.exp(prior.wander[0] + prior.wander[1] * levels)
    return Shapes(
        e_share=1.0 / (1.0 + np.exp(-(prior.floor[0] + prior.floor[1] * normal[0]))),
        alpha=np.exp(prior.exponent[0] + prior.exponent[1] * steep),
        decay=np.exp(prior.decay[0] + prior.decay[1] * cut),
        wander=rng.choice(wander, n_draws),
        schedule=tuple(schedule),
    )
