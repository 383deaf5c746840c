"""The joint law of Kaplan et al.: no floor, and one limit's exponent is the coupling."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Law, Published
from bayescale.laws.coupled import coupled_loss
from bayescale.laws.ops import Array
from bayescale.laws.shares import LOSS_REF, N_SHARE, exponent


class Kaplan(Law):
    """L = ((N_c / N)^(alpha/beta) + D_c / D)^beta.

    Coefficients are the loss at a reference run, the share that belongs to N inside the bracket,
    and the two exponents; N_c and D_c are derived.

    Notes
    -----
    With no floor the law promises a loss of zero in the limit: far extrapolations are optimistic.
    Published with N counted without embeddings. The default priors of the exponents are those of
    laws with a floor, 3 and 4 standard deviations above the published exponents; the model
    `kaplan_plain_weak` has its own, which hold them.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361, equation 1.5.
    """

    name = "kaplan"
    inputs = ("n_params", "n_tokens")
    coefficients = (
        LOSS_REF,
        N_SHARE,
        exponent("alpha", "exponent of parameters where tokens abound"),
        exponent("beta", "exponent of tokens where parameters abound, and the coupling"),
    )
    citation = ("kaplan2020scaling",)
    published = (
        Published(
            source="kaplan2020scaling",
            textbook={"N_c": 6.4e13, "D_c": 1.8e13, "alpha": 0.076, "beta": 0.103},
            at={"n_params": 1e9, "n_tokens": 1e10},
            value=2.4197,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token: the coupled law at e = 0 and gamma = beta."""
        beta = coefficients["beta"]
        return coupled_loss(inputs, coefficients, beta, beta)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return N_c, D_c, alpha, beta for N in parameters and D in tokens."""
        alpha, beta = coefficients["alpha"], coefficients["beta"]
        u, bracket = coefficients["N_share"], coefficients["loss_ref"] ** (1.0 / beta)
        return {
            "N_c": reference["n_params"] * (u * bracket) ** (beta / alpha),
            "D_c": reference["n_tokens"] * (1.0 - u) * bracket,
            "alpha": alpha,
            "beta": beta,
        }

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        alpha, beta = textbook["alpha"], textbook["beta"]
        size = (textbook["N_c"] / reference["n_params"]) ** (alpha / beta)
        data = textbook["D_c"] / reference["n_tokens"]
        return {
            "loss_ref": (size + data) ** beta,
            "N_share": size / (size + data),
            "alpha": alpha,
            "beta": beta,
        }
