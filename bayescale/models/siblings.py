"""Coefficients of runs of one group: each shared wholly, partly or not, by families of runs.

Where a share of a prior's variance is common, a run's coefficient is normal about the prior's mean
on its sampling coordinate, and any two runs are correlated. The coordinates sampled are the first
run's and what every further run adds to what those before it say, which are independent; one run
has its own alone, and with it the prior of a run fitted alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bayescale.errors import ModelError
from bayescale.laws import Prior
from bayescale.laws.ops import from_unconstrained, to_unconstrained
from bayescale.models.discrepancy import Floats

_NOTHING = 1e-9
"""Share of a variance below which a run adds nothing to those before it."""


@dataclass(frozen=True)
class Siblings:
    """How runs of one group share the coefficients of a law.

    Parameters
    ----------
    priors : mapping of str to Prior
        Of one run, by symbol, in the law's order.
    common : mapping of str to float
        Share of the prior's variance that runs of a family have in common, 0 to below 1, of
        coefficients that they do not share wholly.
    families : tuple of str
        Family of each run.
    across : float
        Share of what a family has in common that families have in common.
    level : float
        As in `Prior.resolved`.
    """

    priors: Mapping[str, Prior]
    common: Mapping[str, float]
    families: tuple[tuple[str, ...], ...]
    across: float
    level: float

    @property
    def apart(self) -> bool:
        """Whether any coefficient differs between runs."""
        return any(self._differs(symbol) for symbol in self.priors)

    def coordinates(self) -> dict[str, Prior]:
        """Return the priors of what is sampled: the first run's, and what each further run adds.

        Raises
        ------
        ModelError
            When a prior is not normal on its coordinate, so that runs cannot be correlated there.
        """
        found: dict[str, Prior] = {}
        for symbol, prior in self.priors.items():
            found[symbol] = prior
            if self._differs(symbol):
                _, sigma = self._normal(symbol)
                for run, added in self._additions(symbol).items():
                    own = {"mu": 0.0, "sigma": float(sigma * added)}
                    found[_added(symbol, run)] = Prior("Normal", own, f"runs differ in {symbol}")
        return found

    def of_runs(self, values: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return coefficients by symbol, (S, runs), or (S, 1) where shared, for `coordinates`."""
        found = {}
        for symbol, prior in self.priors.items():
            value = np.asarray(values[symbol])
            if self._differs(symbol):
                mu, _ = self._normal(symbol)
                added = [np.asarray(values[_added(symbol, k)]) for k in self._additions(symbol)]
                first = np.asarray(to_unconstrained(value, prior.support)) - mu
                of_runs = np.concatenate([first, *added], axis=1) @ self._weights(symbol).T
                value = np.asarray(from_unconstrained(mu + of_runs, prior.support))
            found[symbol] = value
        return found

    def with_newcomer(self, x: Floats, family: tuple[str, ...], rng: np.random.Generator) -> Floats:
        """Return coordinates of one run more than `x` (S, P) is of, drawn given its siblings.

        Parameters
        ----------
        x : array, shape (S, P)
            Unconstrained coordinates of these runs; those after the law's stay as they are.
        family : tuple of str
            That of the further run.
        rng : Generator
            Source of randomness.
        """
        joined = replace(self, families=(*self.families, family))
        before, columns, at = self.coordinates(), [], 0
        for name, prior in joined.coordinates().items():
            if name in before:
                columns.append(x[:, at])
                at += 1
            else:
                columns.append(float(prior.arguments["sigma"]) * rng.standard_normal(len(x)))
        return np.column_stack([*columns, x[:, at:]])

    @cached_property
    def _factors(self) -> dict[str, Floats]:
        """Factors of each coefficient's correlation between runs."""
        same = np.array([[own == other for other in self.families] for own in self.families])
        found = {}
        for symbol in self.priors:
            within = self.common.get(symbol, 1.0)
            correlation = np.where(same, within, within * self.across)
            np.fill_diagonal(correlation, 1.0)
            found[symbol] = factor(correlation)
        return found

    def _differs(self, symbol: str) -> bool:
        return bool(np.diag(self._factors[symbol])[1:].any())

    def _normal(self, symbol: str) -> tuple[float, float]:
        """Return mean and sd of a coefficient on its coordinate."""
        prior = self.priors[symbol]
        normal = prior.normal_on_coordinate(self.level)
        if normal is None:
            raise ModelError(
                f"prior of {symbol!r} is {prior.distribution}, but runs that differ in it need"
                " one that is normal on its coordinate.",
                "Take Normal, LogNormal or LogitNormal, or pooling='none'.",
            )
        return normal

    def _additions(self, symbol: str) -> dict[int, float]:
        """Return the runs after the first that add something, with how much of the sd."""
        added = np.diag(self._factors[symbol])
        return {int(run): float(added[run]) for run in np.flatnonzero(added) if run}

    def _weights(self, symbol: str) -> Floats:
        """Return what each addition does to every run, (runs, additions and the first)."""
        lower = self._factors[symbol]
        own = np.flatnonzero(np.diag(lower))
        return np.asarray(lower[:, own] / np.diag(lower)[own])


def factor(correlation: Floats) -> Floats:
    """Return the lower triangular factor of a correlation, a zero column for runs told by others.

    Parameters
    ----------
    correlation : array, shape (runs, runs)
        Positive semidefinite.
    """
    lower = np.zeros_like(correlation)
    for k in range(len(correlation)):
        left = correlation[:, k] - lower @ lower[k]
        if left[k] > _NOTHING:
            lower[k:, k] = left[k:] / np.sqrt(left[k])
    return lower


def _added(symbol: str, run: int) -> str:
    return f"{symbol} added by run {run}"
