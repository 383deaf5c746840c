"""The learning curves M1, M3 and M4 of Alabdulmohsin et al.; M2 is `power_law_tokens`."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import (
    Array,
    exp,
    held,
    log,
    log1p,
    logaddexp,
    logit,
    one_node,
    sigmoid,
    softplus,
)
from bayescale.laws.prior import Prior
from bayescale.laws.shares import E_SHARE, LOSS_REF, exponent, exponent_without_floor, floor

NEWTON_STEPS = 5
"""Enough for rounding: the function bends one way, and its slope stays between 1 and the shape."""


class LearningCurveM1(Law):
    """L = b x^-c.

    References
    ----------
    Hestness et al. (2017), arXiv:1712.00409: 11.9 D^-0.066 for word language models;
    Alabdulmohsin et al. (2022), arXiv:2209.06640, M1.
    """

    name = "learning_curve_m1"
    inputs = ("n_tokens",)
    coefficients = (LOSS_REF, exponent_without_floor("c", "exponent of tokens"))
    citation = ("alabdulmohsin2022revisiting", "hestness2017deep")
    published = (
        Published(
            source="hestness2017deep",
            textbook={"b": 11.9, "c": 0.066},
            at={"n_tokens": 1e9},
            value=3.03073,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        return coefficients["loss_ref"] * exp(-coefficients["c"] * log(inputs["n_tokens"]))

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return b and c for x in tokens."""
        c = coefficients["c"]
        return {"b": coefficients["loss_ref"] * reference["n_tokens"] ** c, "c": c}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        c = textbook["c"]
        return {"loss_ref": textbook["b"] * reference["n_tokens"] ** -c, "c": c}


class LearningCurveM3(Law):
    """L = b (1 / x + g)^c.

    Coefficients are the loss at a reference run, the share of g in 1 / x + g there, and c.

    References
    ----------
    Alabdulmohsin et al. (2022), arXiv:2209.06640, M3, as in the authors' code.
    """

    name = "learning_curve_m3"
    inputs = ("n_tokens",)
    coefficients = (
        LOSS_REF,
        Coefficient(
            symbol="saturation",
            unit="1",
            support="unit",
            meaning="share of g in 1 / x + g at the reference run",
            prior=Prior("LogitNormal", {"mu": -1.0, "sigma": 1.5}, "90 % between .03 and .81"),
        ),
        exponent("c", "exponent of tokens"),
    )
    citation = ("alabdulmohsin2022revisiting",)

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        q, x = coefficients["saturation"], log(inputs["n_tokens"])
        bracket = logaddexp(log(q), log1p(-q) - x)
        return coefficients["loss_ref"] * exp(coefficients["c"] * bracket)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return b, g, c for x in tokens."""
        q, c = coefficients["saturation"], coefficients["c"]
        whole = 1.0 / reference["n_tokens"] / (1.0 - q)
        return {"b": coefficients["loss_ref"] * whole**-c, "g": q * whole, "c": c}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        whole = 1.0 / reference["n_tokens"] + textbook["g"]
        loss = textbook["b"] * whole ** textbook["c"]
        return {"loss_ref": loss, "saturation": textbook["g"] / whole, "c": textbook["c"]}


class LearningCurveM4(Law):
    """(L - E) / (L0 - L)^a = b x^-c: from random guessing L0 to the floor E.

    Coefficients are the loss at a reference run, its irreducible share, how far random guessing
    lies above it, c, and the shape a. The loss itself is the root of the equation, found by Newton
    steps on the logit of (L - E) / (L0 - E).

    References
    ----------
    Alabdulmohsin et al. (2022), arXiv:2209.06640, M4.
    """

    name = "learning_curve_m4"
    inputs = ("n_tokens",)
    coefficients = (
        LOSS_REF,
        E_SHARE,
        Coefficient(
            symbol="headroom",
            unit="1",
            support="positive",
            meaning="random guessing over the loss at the reference run, less 1",
            prior=Prior("LogNormal", {"mu": 0.7, "sigma": 0.7}, "guessing costs 1.6 to 7.4 times"),
        ),
        exponent("c", "exponent of tokens"),
        Coefficient(
            symbol="shape",
            unit="1",
            support="positive",
            meaning="how soon the curve leaves random guessing: a",
            prior=Prior("LogNormal", {"mu": 0.0, "sigma": 0.4}, "centred on a symmetric curve"),
        ),
    )
    citation = ("alabdulmohsin2022revisiting",)
    derived = {"E": "E_share"}

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        a, fall = coefficients["shape"], coefficients["c"] * log(inputs["n_tokens"])
        low, span = floor(coefficients), _span(coefficients)
        share = _solved(_excess(logit(_share(coefficients)), a) - fall, a)
        return low + span * sigmoid(share)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, L0, b, c, a for x in tokens."""
        loss, c, a = (coefficients[symbol] for symbol in ("loss_ref", "c", "shape"))
        start = loss * (1.0 + coefficients["headroom"])
        b = (loss - floor(coefficients)) / (start - loss) ** a * reference["n_tokens"] ** c
        return {"E": floor(coefficients), "L0": start, "b": b, "c": c, "a": a}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        a, span = textbook["a"], textbook["L0"] - textbook["E"]
        level = log(textbook["b"]) - textbook["c"] * log(reference["n_tokens"])
        share = _solved(level + (a - 1.0) * log(span), a)
        loss = textbook["E"] + span * sigmoid(share)
        return {
            "loss_ref": float(loss),
            "E_share": float(textbook["E"] / loss),
            "headroom": float(textbook["L0"] / loss - 1.0),
            "c": textbook["c"],
            "shape": a,
        }


def _span(coefficients: Mapping[str, Array]) -> Array:
    """Return L0 - E."""
    return coefficients["loss_ref"] * (1.0 + coefficients["headroom"]) - floor(coefficients)


def _share(coefficients: Mapping[str, Array]) -> Array:
    """Return (L - E) / (L0 - E) at the reference run."""
    return (coefficients["loss_ref"] - floor(coefficients)) / _span(coefficients)


def _excess(z: Array, shape: Array) -> Array:
    """Return log(y / (1 - y)^shape) for y the sigmoid of z."""
    return shape * softplus(z) - softplus(-z)


def _solved(level: Array, shape: Array) -> Array:
    """Return z with `_excess(z, shape)` at `level`, elementwise."""
    return one_node(_root, level, shape)


def _root(level: Array, shape: Array) -> Array:
    """Return z by Newton steps, of which the last alone has a gradient: the implicit one."""
    known = held(level), held(shape)
    z = known[0] / _slope(*known)
    for _ in range(NEWTON_STEPS - 1):
        z = _newton_step(z, *known)
    return _newton_step(z, level, shape)


def _newton_step(z: Array, level: Array, shape: Array) -> Array:
    return z - (_excess(z, shape) - level) / _slope(z, shape)


def _slope(z: Array, shape: Array) -> Array:
    """Return how fast `_excess` rises with z."""
    return 1.0 + (shape - 1.0) * sigmoid(z)
