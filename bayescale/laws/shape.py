"""Loss against the shape of a network: width and depth apart."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity
from bayescale.laws.shares import E_SHARE, LOSS_REF, exponent, floor
from bayescale.runs.schema import N_TOKENS

_TERMS = {"width": ("A", "alpha"), "depth": ("B", "beta"), N_TOKENS: ("G", "gamma")}
"""By input: the printed amplitude and exponent."""


def _share(symbol: str, meaning: str, mu: float, reason: str) -> Coefficient:
    prior = Prior("LogitNormal", {"mu": mu, "sigma": 1.0}, reason)
    return Coefficient(symbol=symbol, unit="1", support="unit", meaning=meaning, prior=prior)


class Shape(Law):
    """L = E + A / width^alpha + B / depth^beta + G / D^gamma.

    Coefficients are the loss at a reference run, its irreducible share, the share of the rest that
    belongs to tokens, the share of what is then left that belongs to width, and the exponents.

    References
    ----------
    McLeish et al. (2025), arXiv:2502.06857 (Gemstones), as in the authors' code: the fitted loss is
    the log-sum-exp of these terms.
    """

    name = "shape"
    inputs = ("width", "depth", N_TOKENS)
    columns = (
        Quantity(name="width", unit="1", meaning="hidden size", typical=(256.0, 4096.0)),
        Quantity(name="depth", unit="layers", meaning="layers", typical=(3.0, 80.0)),
    )
    coefficients = (
        LOSS_REF,
        E_SHARE,
        _share("D_share", "share of the reducible loss that tokens remove", 0.0, "as N and D"),
        _share("width_share", "share of the rest that width removes", 0.0, "width and depth equal"),
        exponent("alpha", "exponent of width"),
        exponent("beta", "exponent of depth"),
        exponent("gamma", "exponent of tokens"),
    )
    citation = ("mcleish2025gemstones",)
    derived = {"E": "E_share"}
    needs_chains = True

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        shares, e = _shares(coefficients), coefficients["E_share"]
        terms = sum(
            shares[name] * exp(-coefficients[power] * log(inputs[name]))
            for name, (_, power) in _TERMS.items()
        )
        return coefficients["loss_ref"] * (e + (1.0 - e) * terms)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, A, B, G, alpha, beta, gamma."""
        shares, reducible = _shares(coefficients), coefficients["loss_ref"] - floor(coefficients)
        out = {"E": floor(coefficients)}
        for name, (amplitude, power) in _TERMS.items():
            exponent_of = coefficients[power]
            out[amplitude] = reducible * shares[name] * reference[name] ** exponent_of
            out[power] = exponent_of
        return out

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        width, depth, data = (
            textbook[amplitude] * reference[name] ** -textbook[power]
            for name, (amplitude, power) in _TERMS.items()
        )
        loss = textbook["E"] + width + depth + data
        return {
            "loss_ref": loss,
            "E_share": textbook["E"] / loss,
            "D_share": data / (width + depth + data),
            "width_share": width / (width + depth),
            **{power: textbook[power] for _, power in _TERMS.values()},
        }


def _shares(coefficients: Mapping[str, Array]) -> dict[str, Array]:
    """Return the share of the reducible loss at the reference run that each input removes."""
    data, width = coefficients["D_share"], coefficients["width_share"]
    rest = 1.0 - data
    return {"width": rest * width, "depth": rest * (1.0 - width), N_TOKENS: data}
