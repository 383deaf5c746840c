"""The law of pruned networks: zeroed weights help the remaining ones."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.chinchilla import Chinchilla
from bayescale.laws.ops import Array, exp, log, log1p
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity

_CHINCHILLA = Chinchilla()


class WeightSparsity(Law):
    """L = E + (a (1 - S)^b + c) / N^alpha + B / D^beta, N the weights that are not zero.

    Coefficients are Chinchilla's for a dense network, the share a / (a + c) of its parameter term
    that sparsity removes, and its exponent.

    References
    ----------
    Frantar et al. (2023), arXiv:2309.08520, equation 1 (its a_D to the power b_D is B here);
    coefficients of the authors' notebook, image networks on JFT: D counts images.
    """

    name = "weight_sparsity"
    inputs = ("n_params_nonzero", "n_tokens", "sparsity")
    columns = (
        Quantity(
            name="n_params_nonzero",
            unit="parameters",
            meaning="weights that are not zero",
            typical=(1e6, 1e9),
        ),
        Quantity(
            name="sparsity",
            unit="1",
            meaning="share of the weights that are zero; below 1",
            domain="unit",
            enters="plain",
            typical=(0.0, 0.9),
        ),
    )
    coefficients = (
        *Chinchilla.coefficients,
        Coefficient(
            symbol="S_share",
            unit="1",
            support="unit",
            meaning="share of the dense parameter term that sparsity removes",
            prior=Prior("LogitNormal", {"mu": -0.5, "sigma": 1.0}, "a quarter to a half or so"),
        ),
        Coefficient(
            symbol="b",
            unit="1",
            support="positive",
            meaning="exponent of the share of weights left",
            prior=Prior("LogNormal", {"mu": -0.3, "sigma": 0.5}, "near linear in what is left"),
        ),
    )
    citation = ("frantar2023scaling",)
    derived = {"E": "E_share"}
    published = (
        Published(
            source="frantar2023scaling",
            textbook={
                "E": 4.51669257,
                "a": 294.3895962,
                "b": 0.82101251,
                "c": 468.1573829,
                "alpha": 0.39222675,
                "B": 28343184.94,
                "beta": 0.88979104,
            },
            at={"n_params_nonzero": 42467328.0, "n_tokens": 1e9, "sparsity": 0.5},
            value=5.44158,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        q = coefficients["S_share"]
        left = 1.0 - q + q * exp(coefficients["b"] * log1p(-inputs["sparsity"]))
        effective = inputs["n_params_nonzero"] * exp(-log(left) / coefficients["alpha"])
        at = {"n_params": effective, "n_tokens": inputs["n_tokens"]}
        return _CHINCHILLA.evaluate(at, coefficients)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, a, b, c, alpha, B, beta for N in weights and D in tokens."""
        run = {"n_params": reference["n_params_nonzero"], "n_tokens": reference["n_tokens"]}
        plain = _CHINCHILLA.textbook(coefficients, run)
        size, q = plain.pop("A"), coefficients["S_share"]
        return {**plain, "a": size * q, "b": coefficients["b"], "c": size * (1.0 - q)}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        run = {"n_params": reference["n_params_nonzero"], "n_tokens": reference["n_tokens"]}
        size = textbook["a"] + textbook["c"]
        plain = _CHINCHILLA.from_textbook({**textbook, "A": size}, run)
        return {**plain, "S_share": textbook["a"] / size, "b": textbook["b"]}
