"""The Chinchilla law: a floor, a term of parameters and a term of tokens, added."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Law, Published
from bayescale.laws.coupled import coupled_loss
from bayescale.laws.ops import Array
from bayescale.laws.shares import E_SHARE, LOSS_REF, N_SHARE, exponent, floor


class Chinchilla(Law):
    """L = E + A / N^alpha + B / D^beta.

    Coefficients are the loss at a reference run, its irreducible share, the share of the rest that
    belongs to N, and the two exponents; E, A and B are derived.

    Notes
    -----
    At one D/N ratio A, B, alpha and beta cannot be told apart. Small sweeps fix a ridge of
    (E, alpha, beta), not a point.

    References
    ----------
    Hoffmann et al. (2022), arXiv:2203.15556, approach 3; Besiroglu et al. (2024),
    arXiv:2404.10102.
    """

    name = "chinchilla"
    inputs = ("n_params", "n_tokens")
    coefficients = (
        LOSS_REF,
        E_SHARE,
        N_SHARE,
        exponent("alpha", "exponent of parameters"),
        exponent("beta", "exponent of tokens"),
    )
    citation = ("hoffmann2022training", "besiroglu2024chinchilla")
    derived = {"E": "E_share"}
    published = (
        Published(
            source="hoffmann2022training",
            textbook={"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28},
            at={"n_params": 70e9, "n_tokens": 1.4e12},
            value=1.9366,
        ),
        Published(
            source="besiroglu2024chinchilla",
            textbook={"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658},
            at={"n_params": 70e9, "n_tokens": 1.4e12},
            value=1.9739,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token: the coupled law at gamma = 1."""
        return coupled_loss(inputs, coefficients, 1.0, coefficients["beta"])

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, A, B, alpha, beta for N in parameters and D in tokens."""
        reducible = coefficients["loss_ref"] - floor(coefficients)
        u, alpha, beta = (coefficients[symbol] for symbol in ("N_share", "alpha", "beta"))
        return {
            "E": floor(coefficients),
            "A": reducible * u * reference["n_params"] ** alpha,
            "B": reducible * (1.0 - u) * reference["n_tokens"] ** beta,
            "alpha": alpha,
            "beta": beta,
        }

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        size = textbook["A"] * reference["n_params"] ** -textbook["alpha"]
        data = textbook["B"] * reference["n_tokens"] ** -textbook["beta"]
        loss = textbook["E"] + size + data
        return {
            "loss_ref": loss,
            "E_share": textbook["E"] / loss,
            "N_share": size / (size + data),
            "alpha": textbook["alpha"],
            "beta": textbook["beta"],
        }
