"""Repeated data: tokens seen again, and parameters beyond what the distinct tokens feed, decay."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.chinchilla import Chinchilla
from bayescale.laws.coupled import coupled_loss
from bayescale.laws.ops import Array, exp, log, log1p, maximum, minimum
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity
from bayescale.runs.schema import N_PARAMS, N_TOKENS, N_TOKENS_UNIQUE

_CHINCHILLA = Chinchilla()


def _half_life(symbol: str, meaning: str, mu: float, reason: str) -> Coefficient:
    prior = Prior("LogNormal", {"mu": mu, "sigma": 0.8}, reason)
    return Coefficient(symbol=symbol, unit="1", support="positive", meaning=meaning, prior=prior)


class DataConstrained(Law):
    """L = E + A / N'^alpha + B / D'^beta, where D' = U + U R_D (1 - exp(-(D / U - 1) / R_D)).

    U are the distinct tokens among D, and D' what the repeated ones are worth in fresh tokens.
    N' is the same with U_N for U and R_N for R_D, where U_N is the network that a compute-optimal
    run on U tokens would have, or N if that is smaller. With U = D it is the Chinchilla law.

    Notes
    -----
    R_D and R_N are seen only by tables that repeat their data a few times.

    References
    ----------
    Muennighoff et al. (2023), arXiv:2305.16264, equation 5 and appendix A.
    """

    name = "data_constrained"
    inputs = (N_PARAMS, N_TOKENS, N_TOKENS_UNIQUE)
    columns = (
        Quantity(
            name=N_TOKENS_UNIQUE,
            unit="tokens",
            meaning="distinct training tokens available",
            typical=(1e9, 1e11),
            may_be_constant=True,
            shares=N_TOKENS,
        ),
    )
    costs = (N_PARAMS, N_TOKENS)
    coefficients = (
        *Chinchilla.coefficients,
        _half_life(
            "R_D", "repetitions after which data decays", 2.0, "published 15: 2 to 28, 90 %"
        ),
        _half_life(
            "R_N", "excess size after which it decays", 1.5, "published 5.3: 1.2 to 17, 90 %"
        ),
    )
    citation = ("muennighoff2023scaling",)
    derived = {"E": "E_share"}
    needs_chains = True
    published = (
        Published(
            source="muennighoff2023scaling",
            textbook={
                "E": 1.8691423,
                "A": 520.8242,
                "B": 1487.7039,
                "alpha": 0.3526596,
                "beta": 0.3526596,
                "R_D": 15.387756,
                "R_N": 5.309743,
            },
            at={N_PARAMS: 2.8e9, N_TOKENS: 5.5e10, N_TOKENS_UNIQUE: 1.25e9},
            value=2.701199,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        c, n, d = coefficients, inputs[N_PARAMS], inputs[N_TOKENS]
        distinct = minimum(inputs[N_TOKENS_UNIQUE], d)
        fed = minimum(_optimal_size(distinct, c), n)
        effective = {
            N_PARAMS: _effective(n, fed, c["R_N"]),
            N_TOKENS: _effective(d, distinct, c["R_D"]),
        }
        return coupled_loss(effective, c, 1.0, c["beta"])

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, A, B, alpha, beta, R_D, R_N for N in parameters and D in tokens."""
        found = _CHINCHILLA.textbook(coefficients, reference)
        return {**found, "R_D": coefficients["R_D"], "R_N": coefficients["R_N"]}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        found = _CHINCHILLA.from_textbook(textbook, reference)
        return {**found, "R_D": textbook["R_D"], "R_N": textbook["R_N"]}


def _effective(total: Array, distinct: Array, decay: Array) -> Array:
    """Return what `total` is worth when only `distinct` of it is new."""
    repeated = maximum(total / distinct - 1.0, 0.0)
    return distinct * (1.0 + decay * (1.0 - exp(-repeated / decay)))


def _optimal_size(tokens: Array, c: Mapping[str, Array]) -> Array:
    """Return the size at which alpha A / N^alpha = beta B / D^beta, both over their references."""
    terms = log(c["alpha"] / c["beta"]) + log(c["N_share"]) - log1p(-c["N_share"])
    return exp((terms + c["beta"] * log(tokens)) / c["alpha"])
