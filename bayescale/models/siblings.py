"""Coefficients of runs of one group: each shared wholly, partly or not.

Where a share `c` of a prior's variance is common, a run's coefficient is normal about the prior's
mean on its sampling coordinate, and any two runs are correlated by `c`. The coordinates sampled are
the mean over runs and contrasts between them, which are independent; one run has its mean alone,
and with it the prior of a run fitted alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bayescale.errors import ModelError
from bayescale.laws import Prior
from bayescale.laws.ops import from_unconstrained, to_unconstrained
from bayescale.models.discrepancy import Floats


@dataclass(frozen=True)
class Siblings:
    """How runs of one group share the coefficients of a law.

    Parameters
    ----------
    priors : mapping of str to Prior
        Of one run, by symbol, in the law's order.
    common : mapping of str to float
        Share of the prior's variance that runs have in common, 0 to below 1, of coefficients that
        are not shared wholly.
    runs : int
        How many there are.
    """

    priors: Mapping[str, Prior]
    common: Mapping[str, float]
    runs: int

    @property
    def apart(self) -> bool:
        """Whether any coefficient differs between runs."""
        return self.runs > 1 and bool(self.common)

    def coordinates(self) -> dict[str, Prior]:
        """Return the priors of what is sampled: means over runs, and contrasts.

        Raises
        ------
        ModelError
            When a prior is not normal on its coordinate, so that runs cannot be correlated there.
        """
        found: dict[str, Prior] = {}
        for symbol, prior in self.priors.items():
            if not self._differs(symbol):
                found[symbol] = prior
                continue
            if prior.normal_on_coordinate() is None:
                raise ModelError(
                    f"prior of {symbol!r} is {prior.distribution}, but runs that differ in it need"
                    " one that is normal on its coordinate.",
                    "Take Normal, LogNormal or LogitNormal, or pooling='none'.",
                )
            common, sigma = self.common[symbol], float(prior.arguments["sigma"])
            mean_sd = sigma * np.sqrt(common + (1.0 - common) / self.runs)
            found[symbol] = replace(prior, arguments={**prior.arguments, "sigma": float(mean_sd)})
            between = {"mu": 0.0, "sigma": float(sigma * np.sqrt(1.0 - common))}
            for name in self._contrasts(symbol):
                found[name] = Prior("Normal", between, f"runs differ in {symbol}")
        return found

    def of_runs(self, values: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return coefficients by symbol, (S, runs), or (S, 1) where shared, for `coordinates`."""
        found = {}
        for symbol, prior in self.priors.items():
            value = np.asarray(values[symbol])
            if self._differs(symbol):
                offsets = [np.asarray(values[name]) for name in self._contrasts(symbol)]
                mean = to_unconstrained(value, prior.support)
                apart = np.concatenate(offsets, axis=1) @ contrasts(self.runs).T
                value = np.asarray(from_unconstrained(mean + apart, prior.support))
            found[symbol] = value
        return found

    def with_newcomer(self, x: Floats, level: float, rng: np.random.Generator) -> Floats:
        """Return coordinates of one run more than `x` (S, P) is of, drawn given its siblings.

        Parameters
        ----------
        x : array, shape (S, P)
            Unconstrained coordinates of these runs; those after the law's stay as they are.
        level : float
            As in `Prior.resolved`.
        rng : Generator
            Source of randomness.
        """
        columns, at = [], 0
        for symbol in self.priors:
            size = self.runs if self._differs(symbol) else 1
            own = x[:, at : at + size]
            at += size
            if symbol in self.common:
                runs = own[:, :1] + own[:, 1:] @ contrasts(self.runs).T
                own = _spread(np.column_stack([runs, self._drawn(symbol, runs, level, rng)]))
            columns.append(own)
        return np.column_stack([*columns, x[:, at:]])

    def _drawn(self, symbol: str, runs: Floats, level: float, rng: np.random.Generator) -> Floats:
        """Return one coefficient of a further run, (S,), given those of `runs` (S, K)."""
        normal = self.priors[symbol].normal_on_coordinate(level)
        assert normal is not None, "coordinates saw to it"
        (mu, sigma), common = normal, self.common[symbol]
        pull = common / (1.0 + (self.runs - 1) * common)
        variance = sigma**2 * (1.0 - self.runs * common * pull)
        noise = rng.standard_normal(len(runs))
        return np.asarray(mu + pull * (runs - mu).sum(axis=1) + np.sqrt(variance) * noise)

    def _differs(self, symbol: str) -> bool:
        return self.runs > 1 and symbol in self.common

    def _contrasts(self, symbol: str) -> list[str]:
        return [f"{symbol} contrast {k}" for k in range(1, self.runs)]


def contrasts(runs: int) -> Floats:
    """Return orthonormal contrasts between runs (Helmert's), shape (runs, runs - 1)."""
    found = np.zeros((runs, runs - 1))
    for k in range(1, runs):
        found[:k, k - 1], found[k, k - 1] = 1.0, -k
        found[:, k - 1] /= np.sqrt(k * (k + 1.0))
    return found


def _spread(runs: Floats) -> Floats:
    """Return mean and contrasts of values by run, (S, K) both."""
    return np.column_stack([runs.mean(axis=1), runs @ contrasts(runs.shape[1])])
