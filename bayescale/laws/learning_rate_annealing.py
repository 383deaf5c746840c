"""Learning-rate annealing: the loss at any step of any schedule, with an exponential memory."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.prior import Prior
from bayescale.laws.sequence import HISTORY, SequenceLaw
from bayescale.laws.shares import E_SHARE, LOSS_REF, exponent, floor

ANNEAL = Coefficient(
    symbol="anneal",
    unit="1",
    support="positive",
    meaning="what a decay from the peak to zero gains in the end, over the loss at the reference",
    prior=Prior("LogNormal", {"mu": -3.0, "sigma": 0.7}, "full decays gain 1.6 to 16 %, 90 %"),
)


class LearningRateAnnealing(SequenceLaw):
    """L = L_0 + A S_1^-alpha - C S_2.

    S_1 sums the learning rate over steps, S_2 its falls: m_i = lambda m_(i-1) + eta_(i-1) - eta_i
    and S_2 = sum m_i, so that each fall pays off over 1 / (1 - lambda) steps. Coefficients are the
    loss of an unannealed run at the reference area, its floor's share, what a full decay gains,
    and that memory.

    References
    ----------
    Tissue et al. (2024), arXiv:2408.11029; lambda .99 to .999.
    """

    name = "learning_rate_annealing"
    inputs = ("area", "drop", "steps_since")
    columns = tuple(q for q in HISTORY if q.name in ("area", "drop", "steps_since"))
    reads_schedule = True
    coefficients = (
        LOSS_REF,
        E_SHARE,
        exponent("alpha", "exponent of the area"),
        ANNEAL,
        Coefficient(
            symbol="memory",
            unit="steps",
            support="positive",
            meaning="steps over which a fall of the rate pays off",
            prior=Prior("LogNormal", {"mu": 6.2, "sigma": 1.0}, "published 100 to 1000 steps"),
        ),
    )
    citation = ("tissue2024scaling",)
    derived = {"E": "E_share"}

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        c = coefficients
        gain = 0.0
        for drop, since in zip(inputs["drop"], inputs["steps_since"], strict=True):
            gain = gain + drop * (1.0 - exp(-since / c["memory"]))
        return annealed(inputs, c, gain)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return L_0, A, alpha, C and lambda for rates and steps in their own units."""
        c, decay = coefficients, exp(-1.0 / coefficients["memory"])
        out = unannealed(c, reference)
        out["C"] = c["anneal"] * c["loss_ref"] * (1.0 - decay) / reference["peak"]
        return {**out, "lambda": decay}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        t = textbook
        found = from_unannealed(t, reference)
        gain = t["C"] * reference["peak"] / (1.0 - t["lambda"])
        return {
            **found,
            "anneal": gain / found["loss_ref"],
            "memory": float(-1.0 / log(t["lambda"])),
        }


def annealed(inputs: Mapping[str, Array], c: Mapping[str, Array], gain: Array) -> Array:
    """Return loss_ref (E_share + (1 - E_share) area^-alpha - anneal x gain)."""
    e = c["E_share"]
    falling = (1.0 - e) * exp(-c["alpha"] * log(inputs["area"]))
    return c["loss_ref"] * (e + falling - c["anneal"] * gain)


def unannealed(c: Mapping[str, Array], reference: Mapping[str, float]) -> dict[str, Array]:
    """Return L_0, A and alpha: what the laws of annealing have in common."""
    reducible = c["loss_ref"] - floor(c)
    return {
        "L_0": floor(c),
        "A": reducible * reference["area"] ** c["alpha"],
        "alpha": c["alpha"],
    }


def from_unannealed(
    textbook: Mapping[str, float], reference: Mapping[str, float]
) -> dict[str, float]:
    """Return the sampled coefficients for L_0, A and alpha."""
    loss = textbook["L_0"] + textbook["A"] * reference["area"] ** -textbook["alpha"]
    return {"loss_ref": loss, "E_share": textbook["L_0"] / loss, "alpha": textbook["alpha"]}
