"""The numbers of a learned model: what a search moves, and the model that they make."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from bayescale.errors import ModelError
from bayescale.laws import Prior, load_law
from bayescale.laws.prior import LEVEL
from bayescale.models.corpus_prior import CorpusPrior, load_corpus_prior
from bayescale.models.discrepancy import Discrepancy, Floats
from bayescale.models.spec import LearnedFrom, ModelSpec, Noise
from bayescale.registry import shipped

REFERENCE = {"n_params": 1e9, "n_tokens": 2e10}
"""The run at which a corpus prior's shares are shares."""


@dataclass(frozen=True, kw_only=True)
class Hyper:
    """One number of the prior that is learned.

    Parameters
    ----------
    name : str
        What it is.
    start, step : float
        Where the search begins, and its first spread, on the transformed scale.
    log : bool
        Whether it is searched and averaged as its logarithm.
    """

    name: str
    start: float
    step: float
    log: bool = False


_STEPS = {
    "E_share_mu": 0.5,
    "E_share_over_training": 0.4,
    "E_share_compute_scale": 0.25,
    "E_share_sigma": 0.5,
    "N_share_mu": 0.3,
    "N_share_sigma": 0.3,
    "alpha_mu": 0.2,
    "alpha_sigma": 0.3,
    "beta_mu": 0.2,
    "beta_sigma": 0.3,
    "gamma_mu": 0.25,
    "gamma_sigma": 0.3,
    "sigma_mu": 0.4,
    "tau_mu": 0.4,
    "tau_sigma": 0.4,
    "length": 0.35,
    "rho": 0.5,
    "rho_tokens": 0.5,
    "rho_ratio": 0.6,
    "kappa": 0.6,
}
"""Everything that may be learned, in the order of a design; the level and the noise's spread are
left weak."""

_LOGGED = ("length", "rho", "rho_tokens", "rho_ratio", "kappa")
"""Searched as logarithms, with every sd; means of exponents and scales are logarithms already."""

STARTS: Mapping[str, Mapping[str, float]] = {
    "coupled_gp": {
        "E_share_mu": 0.3,
        "E_share_over_training": 0.0,
        "E_share_compute_scale": 0.0,
        "E_share_sigma": 0.6,
        "N_share_mu": 0.0,
        "N_share_sigma": 0.6,
        "alpha_mu": np.log(0.35),
        "alpha_sigma": 0.3,
        "beta_mu": np.log(0.35),
        "beta_sigma": 0.3,
        "gamma_mu": -0.2,
        "gamma_sigma": 0.35,
        "sigma_mu": -5.0,
        "tau_mu": -4.2,
        "tau_sigma": 0.5,
        "length": 3.5,
        "rho": 0.15,
        "kappa": 0.08,
    },
    "coupled_growing_gp": {
        "E_share_mu": 0.38,
        "E_share_over_training": -0.56,
        "E_share_compute_scale": -0.29,
        "E_share_sigma": 0.28,
        "N_share_mu": -0.08,
        "N_share_sigma": 0.61,
        "alpha_mu": np.log(0.33),
        "alpha_sigma": 0.3,
        "beta_mu": np.log(0.31),
        "beta_sigma": 0.32,
        "gamma_mu": -0.19,
        "gamma_sigma": 0.32,
        "sigma_mu": -4.83,
        "tau_mu": -4.1,
        "tau_sigma": 0.53,
        "length": 3.0,
        "rho_tokens": 0.33,
        "rho_ratio": 0.15,
        "kappa": 0.058,
    },
}
"""By learned model, the numbers that its search moves and where it begins.

The first began at the weak model's numbers and slopes of zero; the second at what the first had
learned, with two growth rates instead of one, the best of eight pairs tried.
"""


CAUTION: Mapping[str, Mapping[str, float]] = {"coupled_growing_gp": {"tau_mu": 0.45}}
"""By learned model, what is added to a number that was learned, on the scale of the search.

Not learned: half as large a discrepancy again holds as much of the corpus, and more of tables that
are unlike it (benchmarks/NOTES.md).
"""


def hypers(model: str) -> tuple[Hyper, ...]:
    """Return what is learned of a model, in the order of a design."""
    starts = STARTS[model]
    found = []
    for name, step in _STEPS.items():
        if name in starts:
            log = name in _LOGGED or name.endswith("_sigma")
            start = float(np.log(starts[name])) if log else starts[name]
            found.append(Hyper(name=name, start=start, step=step, log=log))
    return tuple(found)


def numbers(design: Floats, model: str) -> dict[str, float]:
    """Return a design (on the transformed scale) as the numbers of a model, by name.

    Rounded to four digits after the point, so that a model file holds exactly what was learned.
    """
    pairs = zip(hypers(model), design, strict=True)
    return {h.name: round(float(np.exp(x) if h.log else x), 4) for h, x in pairs}


def cautious(design: Floats, model: str) -> Floats:
    """Return a design with the model's caution added."""
    added = CAUTION.get(model, {})
    return np.asarray(design + np.array([added.get(h.name, 0.0) for h in hypers(model)]))


def without_families(spec: ModelSpec, families: Collection[str]) -> ModelSpec:
    """Return a learned model with the numbers that it has when families are left out.

    Parameters
    ----------
    spec : ModelSpec
        A model with a corpus prior.
    families : collection of str
        Families of the corpus that must not have a say.

    Raises
    ------
    ModelError
        When the model has no corpus prior, or not the one that is shipped.
    UnknownNameError
        For a family that the corpus does not hold.
    """
    return taught(spec, corpus_prior_of(spec), spec.corpus_prior, families)


def taught(
    spec: ModelSpec,
    prior: CorpusPrior,
    source: LearnedFrom | None,
    families: Collection[str] = (),
) -> ModelSpec:
    """Return a learned model, or a pooled version of one, with the numbers of a corpus prior.

    Parameters
    ----------
    spec : ModelSpec
        Its name, title, hedge and pooling are kept.
    prior : CorpusPrior
        What a search found for the model or the one whose numbers it shares.
    source : LearnedFrom, optional
        What the model says of that search.
    families : collection of str
        Families of the corpus that must not have a say.
    """
    base = base_of(spec.name)
    # A line and caution are for tables that are fitted alone.
    design = (
        replace(prior, line=None).average(families)
        if spec.spreads
        else cautious(prior.average(families), base)
    )
    learned = numbers(design, base)
    trunk = spec.noise.trunk_correlation
    alone = spec_of(learned, spec.name, spec.title, trunk, source)
    return _pooled_as(alone, spec) if spec.spreads else replace(alone, hedge=spec.hedge)


def _pooled_as(alone: ModelSpec, spec: ModelSpec) -> ModelSpec:
    """Return a learned model with the pooling, spreads and level prior of another one."""
    if alone.discrepancy is None or spec.discrepancy is None:
        return alone
    first = load_law(spec.law).symbols[0]
    return replace(
        alone,
        pooling=spec.pooling,
        priors={**alone.priors, first: spec.priors[first]},
        discrepancy=replace(alone.discrepancy, shared=spec.discrepancy.shared),
        spreads=spec.spreads,
        interaction=spec.interaction,
        factors=spec.factors,
        regressions=spec.regressions,
        equal_spreads=spec.equal_spreads,
        centred=spec.centred,
        hedge=spec.hedge,
    )


def corpus_prior_of(spec: ModelSpec) -> CorpusPrior:
    """Return the shipped corpus prior that a model names by its hash.

    Raises
    ------
    ModelError
        When the model has no corpus prior, or not the one that is shipped.
    """
    if spec.corpus_prior is None:
        raise ModelError(
            f"model {spec.name!r} has no corpus prior: it learned from no family.",
            "There is nothing to leave out.",
        )
    prior = _shipped_prior(base_of(spec.name))
    if prior.hash != spec.corpus_prior.hash:
        raise ModelError(
            f"model {spec.name!r} names corpus prior {spec.corpus_prior.hash!r},"
            f" but the one shipped is {prior.hash!r}.",
            "Use the model file that came with this version.",
        )
    return prior


def base_of(name: str) -> str:
    """Return the model whose numbers a pooled version shares."""
    for suffix in ("_partial", "_crossed", "_correlated", "_siblings"):
        name = name.removesuffix(suffix)
    return name


@cache
def _shipped_prior(name: str) -> CorpusPrior:
    return load_corpus_prior(shipped("models", "priors", f"{name}.json"))


def spec_of(
    design: Mapping[str, float],
    name: str,
    title: str,
    trunk: float,
    corpus_prior: LearnedFrom | None = None,
) -> ModelSpec:
    """Return the coupled model with a discrepancy whose prior has these numbers.

    Parameters
    ----------
    design : mapping of str to float
        By name, as `numbers` gives them.
    name, title : str
        Of the model.
    trunk : float
        Correlation of the noise within a trunk.
    corpus_prior : LearnedFrom, optional
        What the numbers were learned from.
    """

    def prior(distribution: str, symbol: str) -> Prior:
        pair = {"mu": design[f"{symbol}_mu"], "sigma": design[f"{symbol}_sigma"]}
        return Prior(distribution, pair, "learned on public tables by extrapolating")

    return ModelSpec(
        name=name,
        title=title,
        law="coupled",
        pooling="none",
        reference=REFERENCE,
        priors={
            "loss_ref": Prior("LogNormal", {"mu": LEVEL, "sigma": 1.5}, "left weak"),
            "E_share": prior("LogitNormal", "E_share"),
            "N_share": prior("LogitNormal", "N_share"),
            "alpha": prior("LogNormal", "alpha"),
            "beta": prior("LogNormal", "beta"),
            "gamma": prior("LogNormal", "gamma"),
        },
        noise=Noise(
            sigma=Prior("LogNormal", {"mu": design["sigma_mu"], "sigma": 1.0}, "left weak"),
            floor=4e-4,
            trunk_correlation=trunk,
        ),
        discrepancy=Discrepancy(
            tau=prior("LogNormal", "tau"),
            length=design["length"],
            rho=design.get("rho", 0.0),
            kappa=design["kappa"],
            rho_tokens=design.get("rho_tokens", 0.0),
            rho_ratio=design.get("rho_ratio", 0.0),
        ),
        references=("kaplan2020scaling", "hoffmann2022training"),
        slopes={
            "E_share": {
                "over_training": design["E_share_over_training"],
                "compute_scale": design["E_share_compute_scale"],
            }
        },
        corpus_prior=corpus_prior,
    )
