"""A statistical model as data: law, pooling, every prior, discrepancy, noise."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Law, Prior, load_law
from bayescale.laws.from_formula import define_law
from bayescale.models.covariates import COVARIATES
from bayescale.models.discrepancy import OPTIONAL_PARTS, Discrepancy, check_growth
from bayescale.models.hedge import Hedge
from bayescale.models.pooled_spec import check_names, check_pooled, spread_priors

NoiseDistribution = Literal["normal", "student_t"]
NOISE_DISTRIBUTIONS: tuple[NoiseDistribution, ...] = ("normal", "student_t")

Pooling = Literal["complete", "none", "partial", "crossed"]
POOLINGS: tuple[Pooling, ...] = ("complete", "none", "partial", "crossed")

TOP_DECADE = "top_decade"
"""Reference run at the geometric mean of the runs in the table's last decade of compute."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Run-to-run noise on log loss.

    Parameters
    ----------
    sigma : Prior
        Standard deviation, or scale of a Student-t distribution.
    floor : float
        Added to `sigma` in quadrature.
    trunk_correlation : float
        Correlation of two rows of the same group that branch from the same ``trunk``.
    distribution : {"normal", "student_t"}
        Of one run's noise. Student-t noise is independent and takes no discrepancy beside it.
    nu : float, optional
        Degrees of freedom of Student-t noise, above 2; None for normal noise.
    """

    sigma: Prior
    floor: float
    trunk_correlation: float
    distribution: NoiseDistribution = "normal"
    nu: float | None = None


@dataclass(frozen=True, kw_only=True)
class LearnedFrom:
    """The corpus prior that gave a model its numbers, and the tables it has seen.

    Parameters
    ----------
    hash : str
        Of the corpus prior.
    largest_flops : tuple of float
        Smallest and largest of the tables' largest compute, 6 N D.
    median_tokens_per_param : tuple of float
        Smallest and largest of the tables' median D/N.
    """

    hash: str
    largest_flops: tuple[float, float]
    median_tokens_per_param: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A Bayesian hierarchy around a law.

    Parameters
    ----------
    name : str
        A promise: same name, same log density, for ever.
    title : str
        One line for a reader.
    law : str
        Name of a registered law.
    pooling : {"complete", "none", "partial", "crossed"}
        One set of coefficients, one a group, one a group about a common mean, or one a group about
        the sum of an effect of each of its columns (see `models.population`).
    reference : "top_decade" or mapping of str to float
        The run at which shares are shares.
    priors : mapping of str to Prior
        One for every coefficient of the law, all spelled out.
    noise : Noise
        Run-to-run noise.
    discrepancy : Discrepancy, optional
        The law's own error; None for the usual practice.
    spreads : mapping of str to Prior
        For pooling: prior of the standard deviation over groups of each pooled coefficient, or of
        the scales ``sigma`` and ``tau``, on its sampling coordinate; under crossed pooling that
        over the levels of each column. The level of the loss only where others follow it, and then
        so wide that it is as free as without.
    interaction : mapping of str to Prior
        For crossed pooling: the same for what a combination of levels adds to their effects.
    factors : mapping of str to mapping of str to Prior
        For crossed pooling: by column, priors that replace those of `spreads`.
    regressions : mapping of str to mapping of str to Prior
        For pooling: by coefficient, normal priors of the slopes of its departures on those of
        other coefficients, which follow nothing themselves.
    equal_spreads : tuple of tuple of str
        For pooling: coefficients that depart by one spread, all with the same prior of it; every
        other has its own.
    centred : tuple of str
        Pooled coefficients sampled about the population mean directly, for large groups.
    derived_priors : mapping of str to Prior
        A user's priors on textbook quantities such as E; each replaces a coefficient's prior.
    references : tuple of str
        Keys in ``references.bib``.
    slopes : mapping of str to mapping of str to float
        By coefficient: how far its prior's ``mu`` moves per unit of each of `COVARIATES`.
    corpus_prior : LearnedFrom, optional
        What the numbers were learned from; None when they were not learned.
    hedge : Hedge, optional
        The share of every forecast left to another model; pooled groups are not hedged.
    formula : mapping, optional
        What the law is made of (`laws.from_formula.define_law`); None for a registered law.
    """

    name: str
    title: str
    law: str
    pooling: Pooling
    reference: str | Mapping[str, float]
    priors: Mapping[str, Prior]
    noise: Noise
    discrepancy: Discrepancy | None = None
    spreads: Mapping[str, Prior] | None = None
    interaction: Mapping[str, Prior] | None = None
    factors: Mapping[str, Mapping[str, Prior]] | None = None
    centred: tuple[str, ...] = ()
    derived_priors: Mapping[str, Prior] | None = None
    references: tuple[str, ...] = ()
    slopes: Mapping[str, Mapping[str, float]] | None = None
    corpus_prior: LearnedFrom | None = None
    hedge: Hedge | None = None
    formula: Mapping[str, Any] | None = None
    regressions: Mapping[str, Mapping[str, Prior]] | None = None
    equal_spreads: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        """Check that priors and spreads line up with the law's coefficients."""
        self._define_law()
        law = load_law(self.law)
        check_names(self.name, "prior", self.priors, law.symbols)
        check_pooled(self)
        check_names(self.name, "prior", self.derived_priors or {}, law.derived)
        check_names(self.name, "slope", self.slopes or {}, law.symbols[1:])
        for slopes in (self.slopes or {}).values():
            check_names(self.name, "covariate", slopes, COVARIATES)
        for symbol in law.symbols:
            if symbol not in self.priors:
                raise ModelError(
                    f"model {self.name!r}: law {law.name!r} has no prior for {symbol!r}.",
                    "A model file spells out every prior.",
                )
        for coefficient in law.coefficients:
            _check_support(self.name, coefficient.symbol, coefficient.support, self.priors)
        for part, prior in {**self.scale_priors, **spread_priors(self)}.items():
            _check_support(self.name, part, "positive", {part: prior})
        if self.pooling not in POOLINGS:
            raise UnknownNameError("pooling", self.pooling, POOLINGS, f"model {self.name!r}")
        self._check_reference(law)
        self._check_numbers()
        self._check_noise()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Define the law anew in a process that has only unpickled the model."""
        self.__dict__.update(state)
        self._define_law()

    def _define_law(self) -> None:
        if self.formula is not None:
            define_law(self.law, self.formula, self.priors)

    def _check_reference(self, law: Law) -> None:
        if isinstance(self.reference, str):
            if self.reference != TOP_DECADE:
                raise UnknownNameError(
                    "reference", self.reference, [TOP_DECADE], f"model {self.name!r}"
                )
            return
        if not isinstance(self.reference, Mapping) or set(self.reference) != set(law.inputs):
            raise ModelError(
                f"model {self.name!r}: reference is {self.reference!r}, but law {law.name!r} reads"
                f" {sorted(law.inputs)}."
            )
        for name, value in self.reference.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0.0 < value < math.inf:
                raise ModelError(
                    f"model {self.name!r}: reference {name} is {value!r}, but a positive number was"
                    " expected.",
                    "YAML reads 1.0e+9 as a number and 1e9 as text.",
                )

    def _check_numbers(self) -> None:
        limits = {"noise.floor": (self.noise.floor, 0.0, 1.0)}
        limits["noise.trunk_correlation"] = (self.noise.trunk_correlation, 0.0, 0.99)
        if self.discrepancy is not None:
            limits["discrepancy.length"] = (self.discrepancy.length, 0.01, 100.0)
            limits["discrepancy.rho"] = (self.discrepancy.rho, 0.0, 1.0)
            limits["discrepancy.kappa"] = (self.discrepancy.kappa, 0.0, 1.0)
            limits["discrepancy.shared"] = (self.discrepancy.shared, 0.0, 1.0)
            limits["discrepancy.rho_tokens"] = (self.discrepancy.rho_tokens, 0.0, 1.0)
            limits["discrepancy.rho_ratio"] = (self.discrepancy.rho_ratio, 0.0, 1.0)
            check_growth(self.name, self.discrepancy, load_law(self.law))
        for field, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise ModelError(
                    f"model {self.name!r}: {field} is {value!r}, expected {low:g} to {high:g}."
                )

    def _check_noise(self) -> None:
        noise, where = self.noise, f"model {self.name!r}"
        if noise.distribution not in NOISE_DISTRIBUTIONS:
            raise UnknownNameError(
                "noise distribution", noise.distribution, NOISE_DISTRIBUTIONS, where
            )
        has_tails = noise.distribution == "student_t"
        stated = noise.nu is not None and 2.0 < noise.nu <= 100.0
        if stated != has_tails or (noise.nu is not None and not stated):
            raise ModelError(
                f"{where}: noise.nu is {noise.nu!r} beside distribution {noise.distribution!r}.",
                "student_t needs nu above 2 and up to 100; normal noise has none.",
            )
        if has_tails and (self.discrepancy is not None or noise.trunk_correlation):
            raise ModelError(
                f"{where}: Student-t noise stands beside a discrepancy or correlated trunks, and no"
                " rotation makes their sum independent.",
                "Say discrepancy: null and trunk_correlation: 0.0, or take normal noise.",
            )

    @property
    def pools(self) -> bool:
        """Whether groups share a population: partial or crossed pooling."""
        return self.pooling in ("partial", "crossed")

    @property
    def scale_priors(self) -> dict[str, Prior]:
        """Priors of the standard deviations ``sigma`` and, where there is one, ``tau``."""
        scales = {"sigma": self.noise.sigma}
        return {**scales, "tau": self.discrepancy.tau} if self.discrepancy else scales

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of everything that fixes the log density."""
        content = {k: v for k, v in self.to_dict().items() if k not in ("name", "title")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def with_priors(self, priors: Mapping[str, Prior | Mapping[str, Any]]) -> ModelSpec:
        """Return a copy with a user's own priors, on coefficients or textbook quantities.

        Parameters
        ----------
        priors : mapping of str to Prior or mapping
            By coefficient symbol, ``sigma``, ``tau``, or a derived quantity such as ``E``.

        Raises
        ------
        ModelError
            For what is no mapping, or no prior in it.
        UnknownNameError
            For a name that is none of these.
        """
        if not isinstance(priors, Mapping):
            raise ModelError(f"priors: found {type(priors).__name__}, expected a mapping.")
        spec = self
        for symbol, given in priors.items():
            where = f"prior of {symbol!r}"
            prior = given if isinstance(given, Prior) else Prior.from_dict(given, where)
            spec = spec._with_prior(symbol, prior)
        return spec

    def _with_prior(self, symbol: str, prior: Prior) -> ModelSpec:
        law = load_law(self.law)
        known = (*law.symbols, *law.derived, *self.scale_priors)
        if symbol in law.symbols:
            return replace(self, priors={**self.priors, symbol: prior})
        if symbol in law.derived:
            return replace(self, derived_priors={**(self.derived_priors or {}), symbol: prior})
        if symbol == "sigma":
            return replace(self, noise=replace(self.noise, sigma=prior))
        if symbol == "tau" and self.discrepancy is not None:
            return replace(self, discrepancy=replace(self.discrepancy, tau=prior))
        raise UnknownNameError("prior", symbol, known, f"model {self.name!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the resolved model as plain data, nothing left to a default."""
        out: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "law": self.law,
            "pooling": self.pooling,
            "reference": self.reference if isinstance(self.reference, str) else {**self.reference},
            "priors": {k: v.to_dict() for k, v in self.priors.items()},
            "noise": {
                "sigma": self.noise.sigma.to_dict(),
                "floor": self.noise.floor,
                "trunk_correlation": self.noise.trunk_correlation,
            },
            "discrepancy": None,
            "spreads": {k: v.to_dict() for k, v in (self.spreads or {}).items()},
            "centred": list(self.centred),
            "derived_priors": {k: v.to_dict() for k, v in (self.derived_priors or {}).items()},
            "references": list(self.references),
        }
        if self.discrepancy is not None:
            out["discrepancy"] = {
                "tau": self.discrepancy.tau.to_dict(),
                "length": self.discrepancy.length,
                "rho": self.discrepancy.rho,
                "kappa": self.discrepancy.kappa,
            }
            for part in OPTIONAL_PARTS:
                if value := getattr(self.discrepancy, part):
                    out["discrepancy"][part] = value
        if self.interaction:
            out["interaction"] = {k: v.to_dict() for k, v in self.interaction.items()}
        for key, mappings in (("factors", self.factors), ("regressions", self.regressions)):
            if mappings:
                named = mappings.items()
                out[key] = {c: {k: v.to_dict() for k, v in of.items()} for c, of in named}
        if self.equal_spreads:
            out["equal_spreads"] = [list(symbols) for symbols in self.equal_spreads]
        if self.noise.distribution != "normal":
            out["noise"] |= {"distribution": self.noise.distribution, "nu": self.noise.nu}
        if self.formula is not None:
            out["formula"] = dict(self.formula)
        if self.hedge is not None:
            out["hedge"] = self.hedge.to_dict()
        if self.slopes:
            out["slopes"] = {k: dict(v) for k, v in self.slopes.items()}
        if self.corpus_prior:
            out["corpus_prior"] = {
                "hash": self.corpus_prior.hash,
                "largest_flops": list(self.corpus_prior.largest_flops),
                "median_tokens_per_param": list(self.corpus_prior.median_tokens_per_param),
            }
        return out


def _check_support(model: str, symbol: str, support: str, priors: Mapping[str, Prior]) -> None:
    prior = priors[symbol]
    if prior.support != support:
        raise ModelError(
            f"model {model!r}: prior of {symbol!r} is {prior.distribution}, which lives on the"
            f" {prior.support} numbers, but {symbol!r} lives on the {support} ones.",
            "positive: LogNormal, HalfNormal, Gamma; unit: LogitNormal, Beta; real: Normal.",
        )
