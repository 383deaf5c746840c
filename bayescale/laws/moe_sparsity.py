"""The law of sparse mixtures of experts: inactive parameters count, and sparsity has a price."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import Array, exp, log, log1p
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity
from bayescale.laws.shares import E_SHARE, LOSS_REF, N_SHARE, floor


def _share(symbol: str, meaning: str, mu: float, reason: str) -> Coefficient:
    prior = Prior("LogitNormal", {"mu": mu, "sigma": 1.0}, reason)
    return Coefficient(symbol=symbol, unit="1", support="unit", meaning=meaning, prior=prior)


def _exponent(symbol: str, meaning: str, mu: float, reason: str) -> Coefficient:
    prior = Prior(
        "LogNormal", {"mu": mu, "sigma": 0.3}, f"{reason}; wider, two terms change places"
    )
    return Coefficient(symbol=symbol, unit="1", support="positive", meaning=meaning, prior=prior)


class MoeSparsity(Law):
    """L = E + A / N^alpha + B / D^beta + C / (1 - S)^lambda + D_S / ((1 - S)^delta N^gamma).

    N counts all parameters, S is the share of experts that a token does not use. Coefficients are
    the loss of a dense reference run and the shares of its terms, each of what the ones before
    leave: floor, C term, A term, B term, and the last for the interaction.

    Notes
    -----
    Ten coefficients, of which a table at one sparsity cannot tell E from C: the paper's own fit
    holds 99 % of the variance of its runs, and 68 % of the held-out ones.

    References
    ----------
    Abnar et al. (2025), arXiv:2501.12370, equation 6 and table 3.
    """

    name = "moe_sparsity"
    inputs = ("n_params", "n_tokens", "sparsity")
    columns = (
        Quantity(
            name="sparsity",
            unit="1",
            meaning="share of the experts that one token does not use; below 1",
            domain="unit",
            enters="plain",
            typical=(0.0, 0.98),
        ),
    )
    coefficients = (
        LOSS_REF,
        E_SHARE,
        _share("C_share", "share of the rest in the C term", -0.5, "published .27 at 1e9, 1e11"),
        N_SHARE,
        _share("D_share", "share of what is left in the B term", 0.0, "no preference"),
        _exponent("alpha", "exponent of parameters", -0.6, "published .60"),
        _exponent("beta", "exponent of tokens", -0.9, "published .40"),
        _exponent("gamma", "exponent of parameters in the term of sparsity", -1.8, "published .16"),
        _exponent("delta", "exponent of the active share in that term", -1.8, "published .16"),
        Coefficient(
            symbol="lambda",
            unit="1",
            support="real",
            meaning="exponent of the active share alone; negative where sparsity helps",
            prior=Prior("Normal", {"mu": 0.0, "sigma": 0.2}, "published -.167, either sign"),
        ),
    )
    citation = ("abnar2025parameters",)
    derived = {"E": "E_share"}
    needs_chains = True
    published = (
        Published(
            source="abnar2025parameters",
            textbook={
                "E": 0.94,
                "A": 16612.5,
                "B": 5455.67,
                "C": 0.4598,
                "D_S": 17.26,
                "alpha": 0.5962,
                "beta": 0.3954,
                "gamma": 0.1595,
                "delta": 0.1603,
                "lambda": -0.1666,
            },
            at={"n_params": 1e9, "n_tokens": 1e11, "sparsity": 0.5},
            value=2.372854,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        n, d, active = log(inputs["n_params"]), log(inputs["n_tokens"]), log1p(-inputs["sparsity"])
        c, u, v = (coefficients[symbol] for symbol in ("C_share", "N_share", "D_share"))
        crossed = exp(-coefficients["delta"] * active - coefficients["gamma"] * n)
        data = v * exp(-coefficients["beta"] * d) + (1.0 - v) * crossed
        size = u * exp(-coefficients["alpha"] * n) + (1.0 - u) * data
        e, sparse = coefficients["E_share"], exp(-coefficients["lambda"] * active)
        return coefficients["loss_ref"] * (e + (1.0 - e) * (c * sparse + (1.0 - c) * size))

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return the ten coefficients for N in parameters and D in tokens."""
        n, d = reference["n_params"], reference["n_tokens"]
        c, u, v = (coefficients[symbol] for symbol in ("C_share", "N_share", "D_share"))
        exponents = {s: coefficients[s] for s in ("alpha", "beta", "gamma", "delta", "lambda")}
        reducible = coefficients["loss_ref"] - floor(coefficients)
        rest = reducible * (1.0 - c)
        return {
            "E": floor(coefficients),
            "A": rest * u * n ** exponents["alpha"],
            "B": rest * (1.0 - u) * v * d ** exponents["beta"],
            "C": reducible * c,
            "D_S": rest * (1.0 - u) * (1.0 - v) * n ** exponents["gamma"],
            **exponents,
        }

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        n, d = reference["n_params"], reference["n_tokens"]
        size = textbook["A"] * n ** -textbook["alpha"]
        data = textbook["B"] * d ** -textbook["beta"]
        crossed = textbook["D_S"] * n ** -textbook["gamma"]
        rest = size + data + crossed
        loss = textbook["E"] + textbook["C"] + rest
        return {
            "loss_ref": loss,
            "E_share": textbook["E"] / loss,
            "C_share": textbook["C"] / (textbook["C"] + rest),
            "N_share": size / rest,
            "D_share": data / (data + crossed),
            **{s: textbook[s] for s in ("alpha", "beta", "gamma", "delta", "lambda")},
        }
