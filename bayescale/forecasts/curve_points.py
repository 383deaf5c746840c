"""A curve as a few points with their noise: averaged within bins of the log of training done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.models.discrepancy import Floats

FIRST = 0.02
"""Share of a run before which a curve says more of its warm-up than of its end."""

FLOOR = 1e-3
"""Standard deviation of log loss that no averaging removes."""

UNKNOWN_NOISE = 3e-3
"""Of one value, where there are too few to tell."""

FEW = 6
NEIGHBOURS = 5
SPIKE = 3.0
"""Noises off the median of its `NEIGHBOURS` beyond which a value counts as a spike."""

MEDIAN_COST = np.pi / 2
"""Variance of a median over that of a mean."""


def _edges() -> Floats:
    """Return where bins of -log(share) end: narrow at the end of the run, where a decay is steep.

    They are counted from the end, so that a longer curve does not move the earlier ones.
    """
    ends = [0.0]
    while ends[-1] < -np.log(FIRST):
        ends.append(ends[-1] + min(0.1, 0.01 + 0.15 * ends[-1]))
    return np.array(ends[1:])


EDGES = _edges()


@dataclass(frozen=True)
class CurvePoints:
    """What has been measured of a run.

    Parameters
    ----------
    share : array, shape (T,)
        Share of the planned run at each point, rising.
    log_loss, noise : array, shape (T,)
        Log loss, and its standard deviation.
    """

    share: Floats
    log_loss: Floats
    noise: Floats

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.share)


def curve_points(share: Floats, loss: Floats) -> CurvePoints:
    """Return the medians of a curve within bins, from `FIRST` of the run on.

    Parameters
    ----------
    share : array, shape (n,)
        Share of the planned run, rising.
    loss : array, shape (n,)
        Nats per token.
    """
    late = (share >= FIRST) & (share <= 1.0 + 1e-9) & np.isfinite(loss) & (loss > 0)
    share, log_loss = share[late], np.log(loss[late])
    noise = np.maximum(one_value_noise(share, log_loss), _spikes(share, log_loss))
    number = np.digitize(-np.log(np.minimum(share, 1.0)), EDGES)
    bins = [np.flatnonzero(number == k) for k in np.unique(number)[::-1]]
    averaged = [MEDIAN_COST if len(rows) > 2 else 1.0 for rows in bins]
    variance = [
        cost * np.median(noise[rows]) ** 2 / len(rows)
        for cost, rows in zip(averaged, bins, strict=True)
    ]
    return CurvePoints(
        share=np.array([np.exp(np.log(share[rows]).mean()) for rows in bins]),
        log_loss=np.array([np.median(log_loss[rows]) for rows in bins]),
        noise=np.sqrt(np.array(variance) + FLOOR**2),
    )


def _spikes(share: Floats, log_loss: Floats) -> Floats:
    """Return how far each value lies off the line through its neighbours, where that is very far.

    A loss of one batch, or a run that stumbles and recovers, says little of the end.
    """
    n = len(share)
    if n < NEIGHBOURS:
        return np.zeros(n)
    first = np.clip(np.arange(n) - NEIGHBOURS // 2, 0, n - NEIGHBOURS)
    rows = first[:, None] + np.arange(NEIGHBOURS)
    x = np.log(share)
    off = np.abs(log_loss - line_at(x, x[rows], log_loss[rows]))
    return np.where(off > SPIKE * one_value_noise(share, log_loss), off, 0.0)


def line_at(x: Floats, at: Floats, values: Floats) -> Floats:
    """Return lines through a few points each: medians of slopes, and of what these leave.

    Parameters
    ----------
    x : array, shape (n,)
        Where the lines are wanted.
    at, values : array, shape (n, m)
        Points of each line.

    Returns
    -------
    array, shape (n,)
        The lines at x.
    """
    i, j = np.triu_indices(at.shape[1], 1)
    apart = at[:, j] - at[:, i]
    rise = values[:, j] - values[:, i]
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(apart > 0, rise / apart, 0.0)
    slope = np.median(slopes, axis=1)
    return np.asarray(np.median(values - slope[:, None] * (at - x[:, None]), axis=1))


def one_value_noise(share: Floats, log_loss: Floats) -> float:
    """Return the sd of one value about its neighbours, from how far it lies off their chord."""
    if len(share) < FEW:
        return UNKNOWN_NOISE
    x = np.log(share)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(x[2:] > x[:-2], (x[1:-1] - x[:-2]) / (x[2:] - x[:-2]), 0.5)
    off = log_loss[1:-1] - (1.0 - weight) * log_loss[:-2] - weight * log_loss[2:]
    scale = np.sqrt(1.0 + weight**2 + (1.0 - weight) ** 2)
    return float(np.median(np.abs(off / scale)) / 0.6745)
