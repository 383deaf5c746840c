"""The law of floating-point training: exponent bits, mantissa bits and the scaling block."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.chinchilla import Chinchilla
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity

_CHINCHILLA = Chinchilla()

FORMAT_REF = {"exponent_bits": 4.0, "mantissa_bits": 3.0, "block_size": 128.0}
"""Number format at which the cost of precision is sampled: E4M3 in blocks of 128."""


def _plain(name: str, unit: str, meaning: str, typical: tuple[float, float]) -> Quantity:
    return Quantity(
        name=name,
        unit=unit,
        meaning=meaning,
        domain="nonnegative",
        enters="plain",
        typical=typical,
        may_be_constant=True,
    )


def _power(symbol: str, meaning: str) -> Coefficient:
    prior = Prior("LogNormal", {"mu": 1.1, "sigma": 0.4}, "a bit more halves the error, or better")
    return Coefficient(symbol=symbol, unit="1", support="positive", meaning=meaning, prior=prior)


class FloatingPoint(Law):
    """L = E + A/N^alpha + B/D^beta + D^beta / N^alpha log2(K) / (g (X + 1/2)^delta (M + 1/2)^nu).

    X and M are exponent and mantissa bits, K the number of values that share a scale. Coefficients
    are Chinchilla's at full precision, the last term over the loss at the reference run in E4M3
    with blocks of 128, and its two exponents.

    Notes
    -----
    The last term rises with tokens: beyond a critical number more data hurt.

    References
    ----------
    Sun et al. (2025), arXiv:2501.02423, equation 26 and table 2 (its n, d, epsilon and gamma are
    A, B, E and g here).
    """

    name = "floating_point"
    inputs = ("n_params", "n_tokens", *FORMAT_REF)
    columns = (
        _plain("exponent_bits", "bits", "exponent bits in training", (1.0, 5.0)),
        _plain("mantissa_bits", "bits", "mantissa bits in training", (1.0, 7.0)),
        _plain("block_size", "values", "values that share a scale; 2 or more", (32.0, 512.0)),
    )
    coefficients = (
        *Chinchilla.coefficients,
        Coefficient(
            symbol="cost_ref",
            unit="1",
            support="positive",
            meaning="loss that E4M3 in blocks of 128 adds to the reference run, over its loss",
            prior=Prior("LogNormal", {"mu": -6.0, "sigma": 1.5}, "90 % .0002 to .03"),
        ),
        _power("delta", "exponent of exponent bits"),
        _power("nu", "exponent of mantissa bits"),
    )
    citation = ("sun2025scaling",)
    derived = {"E": "E_share"}
    published = (
        Published(
            source="sun2025scaling",
            textbook={
                "E": 1.9061,
                "A": 69.2343,
                "B": 68973.0621,
                "alpha": 0.2368,
                "beta": 0.5162,
                "g": 11334.5197,
                "delta": 3.1926,
                "nu": 2.9543,
            },
            at={
                "n_params": 1e9,
                "n_tokens": 1e11,
                "exponent_bits": 4.0,
                "mantissa_bits": 3.0,
                "block_size": 128.0,
            },
            value=2.563070,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        ray = coefficients["beta"] * log(inputs["n_tokens"])
        ray = ray - coefficients["alpha"] * log(inputs["n_params"])
        cost = exp(ray) * _format(inputs, coefficients) / _format(FORMAT_REF, coefficients)
        rise = coefficients["loss_ref"] * coefficients["cost_ref"] * cost
        return _CHINCHILLA.evaluate(inputs, coefficients) + rise

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, A, B, alpha, beta, g, delta, nu for N in parameters and D in tokens."""
        rise = coefficients["loss_ref"] * coefficients["cost_ref"]
        per_g = _ray(coefficients, reference) * _format(FORMAT_REF, coefficients)
        bits = {symbol: coefficients[symbol] for symbol in ("delta", "nu")}
        return {**_CHINCHILLA.textbook(coefficients, reference), "g": per_g / rise, **bits}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        plain = _CHINCHILLA.from_textbook(textbook, reference)
        rise = _ray(textbook, reference) * _format(FORMAT_REF, textbook) / textbook["g"]
        bits = {symbol: textbook[symbol] for symbol in ("delta", "nu")}
        return {**plain, "cost_ref": float(rise) / plain["loss_ref"], **bits}


def _ray(coefficients: Mapping[str, Array], reference: Mapping[str, float]) -> Array:
    data = reference["n_tokens"] ** coefficients["beta"]
    return data / reference["n_params"] ** coefficients["alpha"]


def _format(inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
    exponent = coefficients["delta"] * log(inputs["exponent_bits"] + 0.5)
    mantissa = coefficients["nu"] * log(inputs["mantissa_bits"] + 0.5)
    return log(inputs["block_size"]) / log(2.0) * exp(-exponent - mantissa)
