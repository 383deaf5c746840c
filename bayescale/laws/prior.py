"""Priors as plain data: a distribution's name and its arguments, with a NumPy log density.

`models.build` turns the same data into PyMC distributions, so the argument names are PyMC's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from scipy import special

from bayescale.errors import ModelError, UnknownNameError

LEVEL = "level"
"""Stands for the constant about which a table's loss level is centred; known once runs are."""

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Distribution:
    """A distribution: argument names, where it lives, and its functions of (x, *arguments)."""

    arguments: tuple[str, ...]
    support: str
    logpdf: Callable[..., Any]
    quantile: Callable[..., Any]
    logcdf: Callable[..., Any]
    positive: tuple[str, ...] = ()


def _normal_logpdf(x: Any, mu: Any, sigma: Any) -> Any:
    return -0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * _LOG_2PI


def _gamma_logpdf(x: Any, alpha: Any, beta: Any) -> Any:
    return alpha * np.log(beta) - special.gammaln(alpha) + (alpha - 1) * np.log(x) - beta * x


def _beta_logpdf(x: Any, alpha: Any, beta: Any) -> Any:
    return (alpha - 1) * np.log(x) + (beta - 1) * np.log1p(-x) - special.betaln(alpha, beta)


DISTRIBUTIONS: dict[str, Distribution] = {
    "Normal": Distribution(
        ("mu", "sigma"),
        "real",
        _normal_logpdf,
        lambda p, mu, sigma: mu + sigma * special.ndtri(p),
        lambda x, mu, sigma: special.log_ndtr((x - mu) / sigma),
        positive=("sigma",),
    ),
    "LogNormal": Distribution(
        ("mu", "sigma"),
        "positive",
        lambda x, mu, sigma: _normal_logpdf(np.log(x), mu, sigma) - np.log(x),
        lambda p, mu, sigma: np.exp(mu + sigma * special.ndtri(p)),
        lambda x, mu, sigma: special.log_ndtr((np.log(x) - mu) / sigma),
        positive=("sigma",),
    ),
    "LogitNormal": Distribution(
        ("mu", "sigma"),
        "unit",
        lambda x, mu, sigma: _normal_logpdf(special.logit(x), mu, sigma) - np.log(x) - np.log1p(-x),
        lambda p, mu, sigma: special.expit(mu + sigma * special.ndtri(p)),
        lambda x, mu, sigma: special.log_ndtr((special.logit(x) - mu) / sigma),
        positive=("sigma",),
    ),
    "HalfNormal": Distribution(
        ("sigma",),
        "positive",
        lambda x, sigma: _normal_logpdf(x, 0.0, sigma) + np.log(2.0),
        lambda p, sigma: sigma * special.ndtri(0.5 + 0.5 * np.asarray(p)),
        lambda x, sigma: np.log(special.erf(x / sigma / np.sqrt(2.0))),
        positive=("sigma",),
    ),
    "Gamma": Distribution(
        ("alpha", "beta"),
        "positive",
        _gamma_logpdf,
        lambda p, alpha, beta: special.gammaincinv(alpha, p) / beta,
        lambda x, alpha, beta: np.log(special.gammainc(alpha, beta * x)),
        positive=("alpha", "beta"),
    ),
    "Beta": Distribution(
        ("alpha", "beta"),
        "unit",
        _beta_logpdf,
        lambda p, alpha, beta: special.betaincinv(alpha, beta, p),
        lambda x, alpha, beta: np.log(special.betainc(alpha, beta, x)),
        positive=("alpha", "beta"),
    ),
}


ELSEWHERE = {
    "gaussian": "Normal",
    "norm": "Normal",
    "halfgaussian": "HalfNormal",
    "halfnorm": "HalfNormal",
    "loggaussian": "LogNormal",
    "lognorm": "LogNormal",
    "mean": "mu",
    "loc": "mu",
    "sd": "sigma",
    "std": "sigma",
    "scale": "sigma",
    "shape": "alpha",
    "rate": "beta",
}
"""What other libraries call distributions and arguments, letters only, to our names."""


def _meant(name: Any, known: Collection[str]) -> str:
    """Return the known name of what is called `name` elsewhere; empty where there is none."""
    word = re.sub("[^a-z]", "", str(name).lower())
    same = [each for each in known if each.lower() == word]
    return next((each for each in (*same, ELSEWHERE.get(word, "")) if each in known), "")


@dataclass(frozen=True)
class Prior:
    """A prior distribution on one coefficient.

    Parameters
    ----------
    distribution : str
        One of ``DISTRIBUTIONS``, named as in PyMC.
    arguments : mapping of str to float
        PyMC's arguments. ``mu`` may be the word ``"level"`` (see ``LEVEL``).
    reason : str, optional
        Why these numbers.

    Raises
    ------
    UnknownNameError
        For a distribution or argument that does not exist.
    ModelError
        For an argument that is not a finite number, or not positive where it must be.
    """

    distribution: str
    arguments: Mapping[str, float | str] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        """Check the distribution's name and arguments."""
        if str(self.distribution) not in DISTRIBUTIONS:
            meant = _meant(self.distribution, DISTRIBUTIONS)
            raise UnknownNameError("distribution", self.distribution, DISTRIBUTIONS, "prior", meant)
        wanted = self._distribution.arguments
        for name in self.arguments:
            if name not in wanted:
                where, meant = f"prior {self.distribution}", _meant(name, wanted)
                raise UnknownNameError("argument", name, wanted, where, meant)
        for name in wanted:
            self._check_argument(name)

    def _check_argument(self, name: str) -> None:
        value = self.arguments.get(name)
        if value == LEVEL and name == "mu":
            return
        if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
            raise ModelError(
                f"prior {self.distribution}: argument {name!r} is {value!r},"
                " but a finite number was expected.",
                f"Arguments: {', '.join(self._distribution.arguments)}.",
            )
        if name in self._distribution.positive and value <= 0:
            raise ModelError(
                f"prior {self.distribution}: argument {name!r} is {value!r}, but must be positive."
            )

    @property
    def _distribution(self) -> Distribution:
        return DISTRIBUTIONS[self.distribution]

    @property
    def support(self) -> str:
        """Where the distribution lives: ``"real"``, ``"positive"`` or ``"unit"``."""
        return self._distribution.support

    def shifted(self, amount: float) -> Prior:
        """Return the prior with its ``mu`` moved by `amount`.

        Raises
        ------
        ModelError
            When it has no numeric ``mu``.
        """
        mu = self.arguments.get("mu")
        if not isinstance(mu, int | float):
            raise ModelError(
                f"prior {self.distribution}: mu is {mu!r}, so no covariate can move it.",
                "Use Normal, LogNormal or LogitNormal with a number for mu.",
            )
        return Prior(self.distribution, {**self.arguments, "mu": mu + amount}, self.reason)

    def resolved(self, level: Any = 0.0) -> tuple[Any, ...]:
        """Return the arguments in order, with the word ``level`` replaced by its value."""
        values = (self.arguments[name] for name in self._distribution.arguments)
        return tuple(level if value == LEVEL else value for value in values)

    def normal_on_coordinate(self, level: float = 0.0) -> tuple[float, float] | None:
        """Return mean and sd if the prior is normal on the sampling coordinate, else None."""
        if self.distribution not in ("Normal", "LogNormal", "LogitNormal"):
            return None
        mu, sigma = self.resolved(level)
        return float(mu), float(sigma)

    def logpdf(self, x: Any, level: Any = 0.0) -> Any:
        """Return the log density at `x`, elementwise."""
        return self._distribution.logpdf(x, *self.resolved(level))

    def logcdf(self, x: Any, level: Any = 0.0) -> Any:
        """Return log P(X <= x), elementwise, for x at or above the support's lower end."""
        x = np.minimum(x, 1.0) if self.support == "unit" else x
        return self._distribution.logcdf(x, *self.resolved(level))

    def quantile(self, p: Any, level: Any = 0.0) -> Any:
        """Return the value below which a share `p` of the prior lies."""
        return self._distribution.quantile(p, *self.resolved(level))

    def to_dict(self) -> dict[str, Any]:
        """Return the prior as it is written in a model file."""
        out: dict[str, Any] = {"distribution": self.distribution, **self.arguments}
        return {**out, "reason": self.reason} if self.reason else out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "prior") -> Prior:
        """Read a prior as it is written in a model file.

        Raises
        ------
        ModelError
            When `data` is not a mapping with a ``distribution``.
        """
        if not isinstance(data, Mapping) or "distribution" not in data:
            raise ModelError(
                f"{where}: found {data!r}, but a mapping with 'distribution' was expected.",
                "Write for example {distribution: Normal, mu: 0, sigma: 1}.",
            )
        rest = {k: v for k, v in data.items() if k not in ("distribution", "reason")}
        return cls(str(data["distribution"]), rest, str(data.get("reason", "")))
