"""A model's priors as PyMC variables: one value a group, apart or about a common population.

Partial pooling puts a coefficient's population on its sampling coordinate (log, logit or the value
itself, by its support): ``mu_<symbol>`` has the coefficient's own prior there, ``spread_<symbol>``
is the standard deviation over groups, and a group that no run has seen yet is drawn as
``from_unconstrained(mu + spread z, support)`` with z standard normal. The level is never pooled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayescale.errors import ModelError
from bayescale.laws import Law, Prior
from bayescale.laws.base import Support
from bayescale.laws.ops import from_unconstrained
from bayescale.laws.prior import DISTRIBUTIONS, LEVEL
from bayescale.models.spec import ModelSpec

GROUP = "group"
"""Name of the dimension over groups."""

NORMAL = {"positive": "LogNormal", "unit": "LogitNormal", "real": "Normal"}
"""The distribution that is normal on the sampling coordinate of each support."""

Variable = Any
"""A PyTensor variable of shape (group,)."""


def pooled_symbols(spec: ModelSpec, law: Law) -> tuple[str, ...]:
    """Return the coefficients whose groups share a population; none unless pooling is partial.

    Raises
    ------
    ModelError
        When a pooled coefficient's prior is replaced by one on a derived quantity, or moved by
        covariates: a population has one mean.
    """
    if spec.pooling != "partial":
        return ()
    pooled = tuple(spec.spreads or {})
    clashes = {law.derived[q]: f"a prior on {q!r} replaces" for q in spec.derived_priors or {}}
    clashes.update(dict.fromkeys(spec.slopes or {}, "covariates move"))
    for symbol in pooled:
        if symbol in clashes:
            raise ModelError(
                f"model {spec.name!r}: {clashes[symbol]} the prior of {symbol!r}, but its groups"
                " share a population.",
                f"Leave {symbol!r} out of spreads, or use pooling='none'.",
            )
    return pooled


def declare(
    name: str, prior: Prior, level: Variable, dims: str | None = GROUP, **moved: Variable
) -> Variable:
    """Declare a prior as PyMC's own distribution in the model context.

    Parameters
    ----------
    name : str
        Name of the variable.
    prior : Prior
        Distribution and arguments; the word ``level`` becomes `level`.
    level : variable, shape (group,)
        Constant about which each group's loss level is centred.
    dims : str, optional
        Dimension; None for a scalar.
    **moved : variable
        Arguments that replace the prior's own.
    """
    arguments = {**_arguments(prior, level), **moved}
    transform = _transform(prior.distribution)
    return getattr(pm, prior.distribution)(name, **arguments, **transform, dims=dims)


def declare_product(quantity: str, prior: Prior, whole: Variable, level: Variable) -> Variable:
    """Declare a prior on `quantity` = share x `whole`, truncated to (0, whole); return the share.

    Parameters
    ----------
    quantity : str
        Textbook quantity, such as ``E``.
    prior : Prior
        Its prior before truncation.
    whole : variable, shape (group,)
        The first coefficient.
    level : variable, shape (group,)
        As in `declare`.

    Notes
    -----
    PyMC's interval transform on (0, whole) is the logit of the share, so the unconstrained
    coordinate is that of `models.density.product_prior`, and so is the density.
    """
    untruncated = getattr(pm, prior.distribution).dist(**_arguments(prior, level))
    return pm.Truncated(quantity, untruncated, lower=0.0, upper=whole, dims=GROUP) / whole


def declare_pooled(symbol: str, support: Support, spec: ModelSpec) -> Variable:
    """Declare one coefficient's population and its value in every group.

    Parameters
    ----------
    symbol : str
        The coefficient.
    support : {"positive", "unit", "real"}
        Where it lives.
    spec : ModelSpec
        Holds the prior of the population mean, of the spread, and which symbols are centred.

    Raises
    ------
    ModelError
        When the coefficient's prior is not normal on its sampling coordinate.
    """
    prior, spread_prior = spec.priors[symbol], (spec.spreads or {})[symbol]
    normal = NORMAL[support]
    if prior.distribution != normal or prior.arguments["mu"] == LEVEL:
        raise ModelError(
            f"model {spec.name!r}: coefficient {symbol!r} is pooled, but its prior is"
            f" {prior.distribution}({_written(prior)}).",
            f"Give it a {normal} with numbers for mu and sigma, or take {symbol!r} off spreads.",
        )
    mean = declare(f"mu_{symbol}", Prior("Normal", prior.arguments), 0.0, dims=None)
    spread = declare(f"spread_{symbol}", spread_prior, 0.0, dims=None)
    if symbol in spec.centred:
        return getattr(pm, normal)(symbol, mu=mean, sigma=spread, **_transform(normal), dims=GROUP)
    offset = pm.Normal(f"offset_{symbol}", dims=GROUP)
    value = from_unconstrained(mean + spread * offset, support)
    return pm.Deterministic(symbol, value, dims=GROUP)


def _arguments(prior: Prior, level: Variable) -> dict[str, Any]:
    names = DISTRIBUTIONS[prior.distribution].arguments
    # PyTensor keeps 100.0 in single precision unless told otherwise, and then 1 / 100.0 too.
    numbers = [np.float64(v) if isinstance(v, int | float) else v for v in prior.resolved(level)]
    return dict(zip(names, numbers, strict=True))


def _transform(distribution: str) -> dict[str, Any]:
    # PyMC gives LogitNormal no default transform: a sampler would walk out of (0, 1).
    if distribution != "LogitNormal":
        return {}
    return {"default_transform": pm.distributions.transforms.logodds}


def _written(prior: Prior) -> str:
    return ", ".join(f"{name}={value}" for name, value in prior.arguments.items())
