"""The law of continued pre-training on a domain mixed with general text."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity
from bayescale.laws.shares import E_SHARE, LOSS_REF, N_SHARE, exponent, floor


class DomainContinual(Law):
    """L = E + A / N^alpha + B r^eta / D^beta + C / (r + epsilon)^gamma, r the share of the domain.

    Coefficients are the loss at the reference run with r = 1 and the shares of its terms (floor;
    of the rest C; of the rest A), the exponents, and epsilon. For the loss on general text r is
    its share.

    References
    ----------
    Que et al. (2024), arXiv:2406.01375 (D-CPT).
    """

    name = "domain_continual"
    inputs = ("n_params", "n_tokens", "domain_share")
    columns = (
        Quantity(
            name="domain_share",
            unit="1",
            meaning="share of the training tokens that come from the domain of the loss",
            domain="unit",
            enters="plain",
            typical=(0.0, 1.0),
        ),
    )
    coefficients = (
        LOSS_REF,
        E_SHARE,
        Coefficient(
            symbol="C_share",
            unit="1",
            support="unit",
            meaning="share of the rest that the mixture's term holds at r = 1",
            prior=Prior("LogitNormal", {"mu": -1.0, "sigma": 1.0}, "a quarter, 90 % .07 to .65"),
        ),
        N_SHARE,
        exponent("alpha", "exponent of parameters"),
        exponent("beta", "exponent of tokens"),
        exponent("eta", "exponent of the domain's share in the term of tokens"),
        exponent("gamma", "exponent of the domain's share in the mixture's term"),
        Coefficient(
            symbol="epsilon",
            unit="1",
            support="positive",
            meaning="share at which the mixture's term stops rising",
            prior=Prior("LogNormal", {"mu": -2.5, "sigma": 0.7}, "a few per cent to a quarter"),
        ),
    )
    citation = ("que2024dcpt",)
    needs_chains = True
    derived = {"E": "E_share"}

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        r, epsilon = inputs["domain_share"], coefficients["epsilon"]
        c, u = coefficients["C_share"], coefficients["N_share"]
        size = exp(-coefficients["alpha"] * log(inputs["n_params"]))
        # r^eta at r = 0 is 0; its logarithm would make a gradient of 0 times infinity.
        data = exp(coefficients["eta"] * log(r + 1e-300))
        data = data * exp(-coefficients["beta"] * log(inputs["n_tokens"]))
        mixture = exp(-coefficients["gamma"] * log((r + epsilon) / (1.0 + epsilon)))
        rest = c * mixture + (1.0 - c) * (u * size + (1.0 - u) * data)
        e = coefficients["E_share"]
        return coefficients["loss_ref"] * (e + (1.0 - e) * rest)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, A, B, C, the exponents and epsilon for N in parameters and D in tokens."""
        shape = {s: coefficients[s] for s in ("alpha", "beta", "eta", "gamma", "epsilon")}
        c, u = coefficients["C_share"], coefficients["N_share"]
        reducible = coefficients["loss_ref"] - floor(coefficients)
        terms = reducible * (1.0 - c)
        return {
            "E": floor(coefficients),
            "A": terms * u * reference["n_params"] ** shape["alpha"],
            "B": terms * (1.0 - u) * reference["n_tokens"] ** shape["beta"],
            "C": reducible * c * (1.0 + shape["epsilon"]) ** shape["gamma"],
            **shape,
        }

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        size = textbook["A"] * reference["n_params"] ** -textbook["alpha"]
        data = textbook["B"] * reference["n_tokens"] ** -textbook["beta"]
        mixture = textbook["C"] * (1.0 + textbook["epsilon"]) ** -textbook["gamma"]
        loss = textbook["E"] + size + data + mixture
        return {
            "loss_ref": loss,
            "E_share": textbook["E"] / loss,
            "C_share": mixture / (size + data + mixture),
            "N_share": size / (size + data),
            **{s: textbook[s] for s in ("alpha", "beta", "eta", "gamma", "epsilon")},
        }
