"""Farseer: the exponent of data, its amplitude and the floor all move with the network's size."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity
from bayescale.laws.shares import E_SHARE, LOSS_REF, exponent

N_REF, D_REF = 1e9, 2e10
"""The run at which coefficients are sampled. Fixed, because the formula is not the same at another
unit of D: its exponent depends on N."""


def _curvature(symbol: str, of: str) -> Coefficient:
    prior = Prior("LogNormal", {"mu": -2.0, "sigma": 0.3}, "published .10 to .17: .08 to .22, 90 %")
    return Coefficient(
        symbol=symbol, unit="1", support="positive", meaning=f"curvature of {of}", prior=prior
    )


def _slope(symbol: str, of: str, mu: float, sigma: float, reason: str) -> Coefficient:
    prior = Prior("Normal", {"mu": mu, "sigma": sigma}, reason)
    return Coefficient(
        symbol=symbol, unit="1", support="real", meaning=f"slope of {of} in log N", prior=prior
    )


class Farseer(Law):
    """L = exp(a3 N^g + b3) + exp(a2 N^b + b2) D^-exp(a1 N^a + b1).

    Coefficients are the loss at 1e9 parameters and 2e10 tokens, its share that no data removes, and
    for the log of that floor, of the data term and of the data exponent: slope in log N there, and
    curvature. The nine printed ones are derived.

    Notes
    -----
    Curvatures are told apart only by tables that span decades of N: elsewhere they keep their
    prior. N and D enter plain, in parameters and tokens.

    References
    ----------
    Li et al. (2025), arXiv:2506.10972 (Farseer), equation and fitted values; the loss is in bits
    per character there.
    """

    name = "farseer"
    inputs = ("n_params", "n_tokens")
    columns = (
        Quantity(
            name="n_params",
            unit="parameters",
            meaning="trainable parameters",
            enters="plain",
            typical=(1e8, 1e10),
        ),
        Quantity(
            name="n_tokens",
            unit="tokens",
            meaning="training tokens seen",
            enters="plain",
            typical=(2e9, 5e11),
        ),
    )
    costs = ("n_params", "n_tokens")
    coefficients = (
        LOSS_REF,
        E_SHARE,
        _slope("floor_slope", "the log floor", -0.1, 0.1, "published -.12; Chinchilla .0 to -.2"),
        _curvature("floor_curvature", "the floor"),
        _slope(
            "data_slope", "the log data term", 0.2, 0.25, "published .34; 0 where N is no matter"
        ),
        _curvature("data_curvature", "the data term's amplitude"),
        exponent("beta", "exponent of tokens at 1e9 parameters"),
        _slope("beta_slope", "beta", -0.05, 0.08, "published -.06; 0 is Chinchilla"),
        _curvature("beta_curvature", "the data exponent"),
    )
    citation = ("li2025farseer",)
    needs_chains = True
    published = (
        Published(
            source="li2025farseer",
            textbook={
                "a3": -0.021,
                "g": 0.169,
                "b3": -0.091,
                "a2": 88.01,
                "b": -0.1,
                "b2": -6.287,
                "a1": -0.124,
                "a": 0.123,
                "b1": 0.424,
            },
            at={"n_params": 1e9, "n_tokens": 2e10},
            value=0.527224,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss, in the unit of the table."""
        c = coefficients
        n, d = log(inputs["n_params"] / N_REF), log(inputs["n_tokens"] / D_REF)
        low = c["E_share"] * exp(c["floor_slope"] * _rise(n, c["floor_curvature"]))
        beta = c["beta"] * exp(c["beta_slope"] / c["beta"] * _rise(n, c["beta_curvature"]))
        amplitude = _amplitude_slope(c) * _fall(n, c["data_curvature"])
        data = amplitude - (beta - c["beta"]) * log(D_REF) - beta * d
        return c["loss_ref"] * (low + (1.0 - c["E_share"]) * exp(data))

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return the nine printed coefficients, for N in parameters and D in tokens."""
        c = coefficients
        g, b, a = (c[f"{part}_curvature"] for part in ("floor", "data", "beta"))
        low = log(c["loss_ref"] * c["E_share"])
        data = log(c["loss_ref"] * (1.0 - c["E_share"])) + c["beta"] * log(D_REF)
        return {
            "a3": c["floor_slope"] / g * N_REF**-g,
            "g": g,
            "b3": low - c["floor_slope"] / g,
            "a2": -_amplitude_slope(c) / b * N_REF**b,
            "b": -b,
            "b2": data + _amplitude_slope(c) / b,
            "a1": c["beta_slope"] / c["beta"] / a * N_REF**-a,
            "a": a,
            "b1": log(c["beta"]) - c["beta_slope"] / c["beta"] / a,
        }

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        t = textbook
        low = exp(t["a3"] * N_REF ** t["g"] + t["b3"])
        beta = exp(t["a1"] * N_REF ** t["a"] + t["b1"])
        data = exp(t["a2"] * N_REF ** t["b"] + t["b2"] - beta * log(D_REF))
        beta_slope = beta * t["a1"] * t["a"] * N_REF ** t["a"]
        return {
            "loss_ref": float(low + data),
            "E_share": float(low / (low + data)),
            "floor_slope": t["a3"] * t["g"] * N_REF ** t["g"],
            "floor_curvature": t["g"],
            "data_slope": float(t["a2"] * t["b"] * N_REF ** t["b"] - beta_slope * log(D_REF)),
            "data_curvature": -t["b"],
            "beta": float(beta),
            "beta_slope": float(beta_slope),
            "beta_curvature": t["a"],
        }


def _rise(n: Array, power: Array) -> Array:
    """Return (N^power - 1) / power for n = log N: a bent log N."""
    return (exp(power * n) - 1.0) / power


def _fall(n: Array, power: Array) -> Array:
    """Return (1 - N^-power) / power for n = log N: a log N that flattens."""
    return (1.0 - exp(-power * n)) / power


def _amplitude_slope(c: Mapping[str, Array]) -> Array:
    """Return the slope of the amplitude exp(a2 N^b + b2) in log N at the reference."""
    return c["data_slope"] + c["beta_slope"] * log(D_REF)
