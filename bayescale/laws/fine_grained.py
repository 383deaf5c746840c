"""The law of fine-grained mixtures of experts: granularity makes parameters count for more."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.chinchilla import Chinchilla
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity

_CHINCHILLA = Chinchilla()


class FineGrained(Law):
    """L = E + (g / G^gamma + a) / N^alpha + B / D^beta, with G the granularity.

    Coefficients are Chinchilla's at G = 1, the share g / (g + a) of its parameter term that finer
    experts remove, and their exponent.

    References
    ----------
    Krajewski et al. (2024), arXiv:2402.07871, equation 9 and table 1 (64 times more expert than
    active parameters; the paper calls the floor c and the token term b).
    """

    name = "fine_grained"
    inputs = ("n_params", "n_tokens", "granularity")
    columns = (
        Quantity(
            name="granularity",
            unit="1",
            meaning="width of the dense feed-forward layer over an expert's",
            enters="plain",
            typical=(1.0, 16.0),
        ),
    )
    coefficients = (
        *Chinchilla.coefficients,
        Coefficient(
            symbol="G_share",
            unit="1",
            support="unit",
            meaning="share of the parameter term at G = 1 that granularity removes",
            prior=Prior("LogitNormal", {"mu": -2.0, "sigma": 1.0}, "published .10"),
        ),
        Coefficient(
            symbol="gamma",
            unit="1",
            support="positive",
            meaning="exponent of granularity",
            prior=Prior("LogNormal", {"mu": -0.5, "sigma": 0.5}, "published .58"),
        ),
    )
    citation = ("krajewski2024scaling",)
    derived = {"E": "E_share"}
    needs_chains = True
    published = (
        Published(
            source="krajewski2024scaling",
            textbook={
                "E": 0.47,
                "a": 18.1,
                "g": 2.1,
                "gamma": 0.58,
                "B": 30.8,
                "alpha": 0.115,
                "beta": 0.147,
            },
            at={"n_params": 1e9, "n_tokens": 1e10, "granularity": 8.0},
            value=3.241494,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        q = coefficients["G_share"]
        left = 1.0 - q + q * exp(-coefficients["gamma"] * log(inputs["granularity"]))
        effective = inputs["n_params"] * exp(-log(left) / coefficients["alpha"])
        return _CHINCHILLA.evaluate({**inputs, "n_params": effective}, coefficients)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, a, g, gamma, B, alpha, beta for N in parameters and D in tokens."""
        plain = _CHINCHILLA.textbook(coefficients, reference)
        size, q = plain.pop("A"), coefficients["G_share"]
        return {**plain, "a": size * (1.0 - q), "g": size * q, "gamma": coefficients["gamma"]}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        size = textbook["a"] + textbook["g"]
        plain = _CHINCHILLA.from_textbook({**textbook, "A": size}, reference)
        return {**plain, "G_share": textbook["g"] / size, "gamma": textbook["gamma"]}
