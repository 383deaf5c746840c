"""What a model file may say of a population: its spreads, and what departures follow."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Prior, load_law

if TYPE_CHECKING:
    from bayescale.models.spec import ModelSpec


def check_pooled(spec: ModelSpec) -> None:
    """Raise where spreads, regressions and the like do not belong together.

    Raises
    ------
    UnknownNameError
        For a name that is no coefficient, or none that has a spread.
    ModelError
        For a spread that is missing, and for priors that do not fit.
    """
    symbols, spreads = load_law(spec.law).symbols, spec.spreads or {}
    followed = {on for slopes in (spec.regressions or {}).values() for on in slopes}
    poolable = (*(followed & {symbols[0]}), *symbols[1:], *spec.scale_priors)
    check_names(spec.name, "spread", spreads, poolable)
    check_names(spec.name, "interaction", spec.interaction or {}, spreads)
    for priors in (spec.factors or {}).values():
        check_names(spec.name, "factor's spread", priors, spreads)
    _check_crossed(spec)
    _check_regressions(spec)
    _check_equal(spec)
    check_names(spec.name, "centred coefficient", spec.centred, spreads)


def spread_priors(spec: ModelSpec) -> dict[str, Prior]:
    """Return the priors of all spreads of a model, by what to call them in a message."""
    named = {f"spread_{symbol}": prior for symbol, prior in (spec.spreads or {}).items()}
    for symbol, prior in (spec.interaction or {}).items():
        named[f"interaction_{symbol}"] = prior
    for column, priors in (spec.factors or {}).items():
        named.update({f"spread_{column}_{symbol}": p for symbol, p in priors.items()})
    return named


def check_names(model: str, kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise where a name of a model is not among those that are known.

    Raises
    ------
    UnknownNameError
        With the names that would do.
    """
    for name in given:
        if name not in known:
            raise UnknownNameError(kind, name, known, f"model {model!r}")


def _check_crossed(spec: ModelSpec) -> None:
    if spec.pooling != "crossed":
        return
    for symbol in spec.spreads or {}:
        if symbol not in (spec.interaction or {}):
            raise ModelError(
                f"model {spec.name!r}: crossed pooling states no interaction spread of {symbol!r}.",
                "Give every symbol of spreads a prior under interaction too.",
            )


def _check_regressions(spec: ModelSpec) -> None:
    follow = spec.regressions or {}
    known = [symbol for symbol in spec.spreads or {} if symbol not in spec.scale_priors]
    check_names(spec.name, "regression", follow, known)
    for symbol, slopes in follow.items():
        free = [other for other in known if other not in follow]
        check_names(spec.name, f"regression of {symbol!r} on a coefficient", slopes, free)
        for on, prior in slopes.items():
            if prior.distribution != "Normal":
                raise ModelError(
                    f"model {spec.name!r}: the slope of {symbol!r} on {on!r} has a"
                    f" {prior.distribution} prior.",
                    "Give it a Normal with numbers for mu and sigma.",
                )


def _check_equal(spec: ModelSpec) -> None:
    """Raise unless coefficients of equal spreads are two or more, named once, with one prior."""
    known = [symbol for symbol in spec.spreads or {} if symbol not in spec.scale_priors]
    named = [symbol for together in spec.equal_spreads for symbol in together]
    check_names(spec.name, "coefficient of equal spreads", named, known)
    for symbol in named:
        if named.count(symbol) > 1:
            raise ModelError(
                f"model {spec.name!r}: equal_spreads names {symbol!r} {named.count(symbol)} times.",
                "Name it once; all coefficients of one list have one spread.",
            )
    for together in spec.equal_spreads:
        if len(together) < 2:
            raise ModelError(
                f"model {spec.name!r}: equal_spreads holds {list(together)!r}, but two coefficients"
                " or more were expected.",
                "Leave out what has a spread of its own.",
            )
        for symbol, other in combinations(together, 2):
            _check_one_prior(spec, symbol, other)


def _check_one_prior(spec: ModelSpec, symbol: str, other: str) -> None:
    stated = {"spreads": spec.spreads, "interaction": spec.interaction}
    stated |= {f"factors, {column}": priors for column, priors in (spec.factors or {}).items()}
    for part, priors in stated.items():
        one, two = ((priors or {}).get(name) for name in (symbol, other))
        if _written(one) != _written(two):
            raise ModelError(
                f"model {spec.name!r}: {symbol!r} and {other!r} have equal spreads, but under"
                f" {part} the prior of one is {_written(one)}, of the other {_written(two)}.",
                "State the same prior for both.",
            )


def _written(prior: Prior | None) -> str:
    if prior is None:
        return "not stated"
    arguments = ", ".join(f"{name}={value}" for name, value in prior.arguments.items())
    return f"{prior.distribution}({arguments})"
