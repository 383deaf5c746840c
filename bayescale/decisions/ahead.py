"""Draws of what runs may come to, kept so that a question can be weighed again from them alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.mixture import Mixture
from bayescale.models.discrepancy import Floats

Singles = np.ndarray
"""Arrays of float32."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """Several runs, one a column, in single precision.

    Parameters
    ----------
    losses : array of float32, shape (S, n)
        Joint draws.
    outcomes : array of float32, shape (S, n)
        What they amount to on the plan's yardstick; `losses` itself where the loss counts.
    mean, sd : array of float32, shape (K, n)
        Components of the mixture of log loss.
    sample : array of float32, shape (S, n), or None
        Outcomes that give the probability of a target; None where the mixture does.
    """

    losses: Singles
    outcomes: Singles
    mean: Singles
    sd: Singles
    sample: Singles | None

    @property
    def mixture(self) -> Mixture:
        """Distribution of log loss."""
        return Mixture(self.mean.astype(float), self.sd.astype(float) ** 2)

    def reached(self, level: float) -> Floats:
        """Return the probability that each run's outcome is at most `level`, shape (n,)."""
        if self.sample is not None:
            return np.asarray((self.sample.astype(float) <= level).mean(axis=0))
        return self.mixture.cdf(np.full(self.mean.shape[1], np.log(level)))

    def taking(self, columns: list[int]) -> Ahead:
        """Return some of the runs, in the order of `columns`."""
        sample = None if self.sample is None else self.sample[:, columns]
        return Ahead(
            losses=self.losses[:, columns],
            outcomes=self.outcomes[:, columns],
            mean=self.mean[:, columns],
            sd=self.sd[:, columns],
            sample=sample,
        )

    def between(self, places: Floats, at: float) -> Ahead:
        """Return the one run between columns that lie at rising places, draw by draw.

        Parameters
        ----------
        places : array, shape (n,)
            Log compute of each column.
        at : float
            That of the run wanted; ends are kept.
        """
        k = int(np.clip(np.searchsorted(places, at, side="right") - 1, 0, len(places) - 2))
        weight = float(np.clip((at - places[k]) / (places[k + 1] - places[k]), 0.0, 1.0))

        def mixed(columns: Singles) -> Singles:
            ends = columns[:, k : k + 2].astype(float)
            return ((1.0 - weight) * ends[:, :1] + weight * ends[:, 1:]).astype(np.float32)

        sample = None if self.sample is None else mixed(self.sample)
        return Ahead(
            losses=mixed(self.losses),
            outcomes=mixed(self.outcomes),
            mean=mixed(self.mean),
            sd=mixed(self.sd),
            sample=sample,
        )

    def beside(self, other: Ahead) -> Ahead:
        """Return these runs and others."""

        def joined(name: str) -> Singles:
            return np.concatenate([getattr(self, name), getattr(other, name)], axis=1)

        return Ahead(
            losses=joined("losses"),
            outcomes=joined("outcomes"),
            mean=joined("mean"),
            sd=joined("sd"),
            sample=None if self.sample is None else joined("sample"),
        )


def look_ahead(
    made: Forecast, losses: Floats, outcomes: Floats | None = None, sample: Floats | None = None
) -> Ahead:
    """Keep what a forecast says of its points.

    Parameters
    ----------
    made : Forecast
        One point a run.
    losses : array, shape (S, P)
        Joint draws of them.
    outcomes : array, shape (S, P), optional
        What they amount to; `losses` by default.
    sample : array, shape (S, P), optional
        As in `Ahead`.
    """
    single, parts = losses.astype(np.float32), made.mixture
    return Ahead(
        losses=single,
        outcomes=single if outcomes is None else outcomes.astype(np.float32),
        mean=parts.mean.astype(np.float32),
        sd=np.sqrt(parts.variance).astype(np.float32),
        sample=None if sample is None else sample.astype(np.float32),
    )
