"""The law of vocabularies: network, vocabulary and characters, each with a term."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.prior import LEVEL, Prior
from bayescale.laws.quantity import Quantity
from bayescale.laws.shares import N_SHARE, exponent

_TERMS = (
    ("A_1", "alpha_1", "n_params_nonembedding"),
    ("A_2", "alpha_2", "n_params_vocabulary"),
    ("B", "beta", "n_characters"),
)
"""Amplitude, exponent and input of each term."""


class Vocabulary(Law):
    """L_u = -E + A_1 / N^alpha_1 + A_2 / V^alpha_2 + B / H^beta, H the training characters.

    L_u is the loss relative to a unigram model, so that vocabularies compare; it is negative. V
    counts the parameters of the vocabulary, N the others. Coefficients are the loss at the
    reference run, the sum of the three terms there, their shares (N of the whole, V of what N
    leaves), and the exponents.

    References
    ----------
    Tao et al. (2024), arXiv:2407.13623, which sets alpha_1 = beta and counts N and V in millions,
    H in billions.
    """

    name = "vocabulary"
    inputs = tuple(name for _, _, name in _TERMS)
    output = "loss_over_unigram"
    columns = (
        Quantity(
            name="n_params_vocabulary",
            unit="parameters",
            meaning="parameters of the vocabulary: entries times width",
            typical=(2e6, 2e8),
        ),
        Quantity(
            name="n_characters",
            unit="characters",
            meaning="training characters seen",
            typical=(1e9, 5e11),
        ),
        Quantity(
            name="loss_over_unigram",
            unit="nats per token",
            meaning="loss minus that of a unigram model with the same vocabulary",
            domain="real",
            typical=(-6.0, -2.0),
        ),
    )
    coefficients = (
        Coefficient(
            symbol="loss_ref",
            unit="nats per token",
            support="real",
            meaning="loss over the unigram model at the reference run",
            prior=Prior("Normal", {"mu": LEVEL, "sigma": 1.0}, "the table fixes its level"),
        ),
        Coefficient(
            symbol="reducible",
            unit="nats per token",
            support="positive",
            meaning="sum of the three terms at the reference run",
            prior=Prior("LogNormal", {"mu": -0.7, "sigma": 0.7}, "published .4 to .8 at 1e9"),
        ),
        N_SHARE,
        Coefficient(
            symbol="V_share",
            unit="1",
            support="unit",
            meaning="share of the vocabulary's term in what the network's leaves",
            prior=Prior("LogitNormal", {"mu": -1.5, "sigma": 1.0}, "published .05 to .3"),
        ),
        exponent("alpha_1", "exponent of parameters without the vocabulary"),
        exponent("alpha_2", "exponent of parameters of the vocabulary"),
        exponent("beta", "exponent of characters"),
    )
    noise = Prior("LogNormal", {"mu": -3.5, "sigma": 1.0}, "median .03 nats, .006 to .16")
    citation = ("tao2024scaling",)
    needs_chains = True
    published = (
        Published(
            source="tao2024scaling",
            textbook={
                "E": 5.533,
                "A_1": 1.831 * 1e6**0.447,
                "A_2": 0.196 * 1e6**0.671,
                "B": 2.124 * 1e9**0.447,
                "alpha_1": 0.447,
                "alpha_2": 0.671,
                "beta": 0.447,
            },
            at={"n_params_nonembedding": 1e9, "n_params_vocabulary": 1e8, "n_characters": 1e11},
            value=-5.169466,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss over the unigram model in nats per token."""
        size, entries, data = (
            exp(-coefficients[symbol] * log(inputs[name])) for _, symbol, name in _TERMS
        )
        u, v = coefficients["N_share"], coefficients["V_share"]
        terms = u * size + (1.0 - u) * (v * entries + (1.0 - v) * data)
        return coefficients["loss_ref"] + coefficients["reducible"] * (terms - 1.0)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E and the amplitudes for parameters and characters counted one by one."""
        u, v = coefficients["N_share"], coefficients["V_share"]
        shares = (u, (1.0 - u) * v, (1.0 - u) * (1.0 - v))
        out = {"E": coefficients["reducible"] - coefficients["loss_ref"]}
        for share, (amplitude, symbol, name) in zip(shares, _TERMS, strict=True):
            scale = reference[name] ** coefficients[symbol]
            out[amplitude] = coefficients["reducible"] * share * scale
        return {**out, **{symbol: coefficients[symbol] for _, symbol, _ in _TERMS}}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        size, entries, data = (
            textbook[amplitude] * reference[name] ** -textbook[symbol]
            for amplitude, symbol, name in _TERMS
        )
        reducible = size + entries + data
        return {
            "loss_ref": reducible - textbook["E"],
            "reducible": reducible,
            "N_share": size / reducible,
            "V_share": entries / (entries + data),
            **{symbol: textbook[symbol] for _, symbol, _ in _TERMS},
        }
