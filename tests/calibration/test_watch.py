"""Jobs drawn from what is assumed of jobs: intervals hold, and good ones are seldom stopped."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from bayescale.forecasts.curve_points import CurvePoints
from bayescale.forecasts.curve_prior import LEARNED, draw_shapes
from bayescale.forecasts.curve_update import update, with_doubt
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.schedules import done, schedules

pytestmark = pytest.mark.calibration

JOBS = 240
LOOKS = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
STOP_RATE = 0.05
FALSE_ALARM = 1e-3
"""Probability with which each assertion below fails although everything is right."""

SHARE = np.geomspace(0.03, 0.97, 30)
NOISE = 2e-3
FORECAST = Mixture(np.full((20, 1), np.log(2.2)), np.full((20, 1), 0.03**2))


def draw_job(rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Return the end of a job, and its log loss at `SHARE`."""
    prior = with_doubt(FORECAST)
    row = rng.integers(len(prior.mean))
    end = prior.mean[row, 0] + np.sqrt(prior.variance[row, 0]) * rng.standard_normal()
    shapes = draw_shapes(LEARNED, schedules("cosine"), 1, rng)
    distance = -np.log(done(shapes.schedule[0], SHARE))
    pieces = np.diff(distance[::-1], prepend=0.0)
    wandering = np.cumsum(np.sqrt(pieces) * rng.standard_normal(len(SHARE)))[::-1]
    curve = end + shapes.above_end(0, SHARE)[0] + shapes.wander[0] * wandering
    return float(end), curve + NOISE * rng.standard_normal(len(SHARE))


@pytest.fixture(scope="module")
def watched() -> list[tuple[float, list[Mixture]]]:
    """Ends of jobs, and what was expected of them at each look."""
    rng, found = np.random.default_rng(11), []
    for _ in range(JOBS):
        end, curve = draw_job(rng)
        shapes = draw_shapes(LEARNED, schedules("cosine"), 2000, rng)
        looks = []
        for share in LOOKS:
            seen = share >= SHARE
            points = CurvePoints(SHARE[seen], curve[seen], np.full(seen.sum(), NOISE))
            looks.append(update(with_doubt(FORECAST), shapes, points, rng).mixture)
        found.append((end, looks))
    return found


@pytest.mark.parametrize("look", [1, 3, 5])
def test_intervals_of_the_end_hold(look: int, watched: list[tuple[float, list[Mixture]]]) -> None:
    pit = np.array([float(looks[look].cdf(np.array([end]))[0]) for end, looks in watched])
    for prob in (0.5, 0.9):
        inside = int((np.abs(pit - 0.5) <= prob / 2).sum())
        low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], JOBS, prob)
        assert low <= inside <= high, f"{inside} of {JOBS} at {prob}"


@pytest.mark.parametrize("quantile", [0.3, 0.6])
def test_of_jobs_that_meet_their_target_few_are_stopped(
    quantile: float, watched: list[tuple[float, list[Mixture]]]
) -> None:
    """Ville's bound: at most `STOP_RATE` of them, however often one looks."""
    prior = with_doubt(FORECAST)
    target = prior.quantile(np.array([quantile]))[0]
    before = float(prior.cdf(target)[0])
    met = [looks for end, looks in watched if end <= target[0]]
    missed = [looks for end, looks in watched if end > target[0]]

    def stopped(looks: list[Mixture]) -> bool:
        return any(float(look.cdf(target)[0]) <= STOP_RATE * before for look in looks)

    assert sum(map(stopped, met)) <= binom.ppf(1 - FALSE_ALARM, len(met), STOP_RATE)
    # The rule is no use if it stops nothing.
    assert np.mean(list(map(stopped, missed))) > 0.5
