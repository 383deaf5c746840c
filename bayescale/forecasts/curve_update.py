"""The final loss of a running job: what was forecast, and what its curve has shown so far.

Given a shape of the curve everything else is normal, so each pair of a component of the forecast
and a draw of the shape has its weight and its updated mean and variance in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from bayescale.forecasts.curve_points import CurvePoints
from bayescale.forecasts.curve_prior import Shapes
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.schedules import done
from bayescale.models.discrepancy import Floats

DOUBT, DOUBT_SD = 0.05, 0.15
"""Share of a forecast that is given to its being of another run than the one that is running (other
data, a fault in the code), and how far off, in log loss, it then is. Without it a curve that
contradicts its forecast is explained by whatever is left to explain it with."""

COMPONENTS = 200
"""Components of the forecast that are paired with every shape."""

PAIRS = 4000
"""Pairs kept of all, by weight."""


@dataclass(frozen=True)
class Update:
    """Distribution of the log of the final loss.

    Parameters
    ----------
    mixture : Mixture
        Of `PAIRS` normals at one point; the forecast itself before the first point.
    n_shapes : float
        Effective number of shapes that the curve leaves.
    surprise : float
        Mean squared residual of the best shapes, in units of what was expected; about 1.
    """

    mixture: Mixture
    n_shapes: float
    surprise: float


@dataclass(frozen=True)
class _Seen:
    """What a curve says of its end, for each shape: a normal, and how well the shape fits."""

    end: Floats
    variance: Floats
    log_fit: Floats
    misfit: Floats


def update(
    forecast: Mixture, shapes: Shapes, points: CurvePoints, rng: np.random.Generator
) -> Update:
    """Return the final loss given the curve so far.

    Parameters
    ----------
    forecast : Mixture
        Log of the final loss before the run, at one point; components of equal weight.
    shapes : Shapes
        Draws of what curves look like.
    points : CurvePoints
        The curve; none leaves the forecast as it is.
    rng : Generator
        Where the kept pairs come from.
    """
    if not len(points):
        return Update(forecast, float(len(shapes.alpha)), 1.0)
    mean, variance = _components(forecast)
    seen = _seen(shapes, points)
    total = variance[:, None] + seen.variance
    gap = seen.end - mean[:, None]
    log_weight = seen.log_fit - 0.5 * (gap**2 / total + np.log(total))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    by_shape = weight.sum(axis=0)
    pair = _systematic(weight.ravel(), PAIRS, rng)
    component, shape = np.divmod(pair, len(seen.end))
    gain = variance[component] / total[component, shape]
    kept_mean = mean[component] + gain * gap[component, shape]
    kept_variance = gain * seen.variance[shape]
    surprise = float(by_shape @ seen.misfit) / max(len(points) - 1, 1)
    return Update(
        Mixture(kept_mean[:, None], kept_variance[:, None]),
        float(1.0 / (by_shape**2).sum()),
        surprise,
    )


def with_doubt(forecast: Mixture) -> Mixture:
    """Return a forecast at one point of which a share `DOUBT` is wider by `DOUBT_SD`.

    Parameters
    ----------
    forecast : Mixture
        Log of the final loss.
    """
    mean, variance = _components(forecast)
    n_doubted = max(round(DOUBT * len(mean)), 1)
    doubted = ((np.arange(n_doubted) + 0.5) * len(mean) / n_doubted).astype(int)
    wide = variance.copy()
    wide[doubted] += DOUBT_SD**2
    return Mixture(mean[:, None], wide[:, None])


def band(
    forecast: Mixture, shapes: Shapes, share: Floats, levels: Floats, rng: np.random.Generator
) -> Floats:
    """Return quantiles of the curve that a forecast expects, shape (levels, shares).

    Parameters
    ----------
    forecast, shapes, rng
        As for `update`.
    share : array, shape (T,)
        Shares of the run, rising.
    levels : array
        Probabilities.
    """
    mean, variance = _components(forecast)
    curves = []
    for which, plan in enumerate(shapes.schedule):
        rows = shapes.rows(which)
        component = rng.integers(len(mean), size=len(rows))
        end = mean[component] + np.sqrt(variance[component]) * rng.standard_normal(len(rows))
        # Brownian from the end of the run backwards.
        pieces = np.diff(-np.log(done(plan, share[::-1])), prepend=0.0)
        steps = rng.standard_normal((len(rows), len(share))) * np.sqrt(np.maximum(pieces, 0.0))
        wandering = shapes.wander[rows, None] * np.cumsum(steps, axis=1)[:, ::-1]
        curves.append(end[:, None] + shapes.above_end(which, share) + wandering)
    return np.asarray(np.exp(np.quantile(np.concatenate(curves), levels, axis=0)))


def _components(forecast: Mixture) -> tuple[Floats, Floats]:
    """Return evenly spaced components in the order of their means."""
    order = np.argsort(forecast.mean[:, 0])
    n_kept = min(COMPONENTS, len(order))
    kept = order[((np.arange(n_kept) + 0.5) * len(order) / n_kept).astype(int)]
    variance = np.broadcast_to(forecast.variance, forecast.mean.shape)
    return forecast.mean[kept, 0], variance[kept, 0]


def _seen(shapes: Shapes, points: CurvePoints) -> _Seen:
    n = len(shapes.alpha)
    seen = _Seen(np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    for which, plan in enumerate(shapes.schedule):
        rows = shapes.rows(which)
        left = points.log_loss - shapes.above_end(which, points.share)
        distance = -np.log(done(plan, points.share))
        common = np.minimum(distance[:, None], distance[None])
        for wander in np.unique(shapes.wander[rows]):
            own = shapes.wander[rows] == wander
            covariance = wander**2 * common + np.diag(points.noise**2)
            _fill(seen, rows[own], left[own], covariance)
    return seen


def _fill(seen: _Seen, rows: np.ndarray, left: Floats, covariance: Floats) -> None:
    """Set what shapes of one covariance say: generalised least squares for a constant."""
    factor = cho_factor(covariance, lower=True)
    ones = cho_solve(factor, np.ones(len(covariance)))
    precision = ones.sum()
    end = left @ ones / precision
    off = left - end[:, None]
    misfit = np.einsum("kt,kt->k", off, cho_solve(factor, off.T).T)
    log_det = 2.0 * np.log(np.diag(factor[0])).sum()
    seen.end[rows], seen.variance[rows] = end, 1.0 / precision
    seen.misfit[rows] = misfit
    seen.log_fit[rows] = -0.5 * (misfit + log_det + np.log(precision))


def _systematic(weight: Floats, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n indices, each as often as its weight says, to within one."""
    at = (rng.uniform() + np.arange(n)) / n
    return np.searchsorted(np.cumsum(weight) / weight.sum(), at).clip(max=len(weight) - 1)
