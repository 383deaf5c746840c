"""The loss of a token by its position in the sequence: more context, less loss."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient
from bayescale.laws.ops import Array
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity
from bayescale.laws.sequence import SequenceLaw
from bayescale.laws.shares import E_SHARE, LOSS_REF, floor


class TokenPosition(SequenceLaw):
    """L_i = a_0 / (1 + a_1 i) + a_2 for the token at position i of one checkpoint.

    Coefficients are the loss at the reference position, the share of it that no context removes,
    and a_1 times that position.

    Notes
    -----
    The paper lets a_0, a_1, a_2 move with training; here a checkpoint is a curve of its own, and
    each coefficient can be followed from checkpoint to checkpoint. The formula was not seen
    printed: it comes from notes on the paper, of which the abstract alone could be read.

    References
    ----------
    Xiong et al. (2024), arXiv:2404.17785: the hyperbolic law.
    """

    name = "token_position"
    inputs = ("position",)
    columns = (
        Quantity(
            name="position",
            unit="tokens",
            meaning="position of the token in its sequence, from 1",
            typical=(1.0, 2048.0),
        ),
    )
    coefficients = (
        LOSS_REF,
        E_SHARE,
        Coefficient(
            symbol="reach",
            unit="1",
            support="positive",
            meaning="a_1 at the reference position: how far beyond the first gains it lies",
            prior=Prior("LogNormal", {"mu": 2.0, "sigma": 1.5}, "half of the gain by 1 to 90 %"),
        ),
    )
    citation = ("xiong2024temporal",)
    derived = {"E": "E_share"}

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        e, reach = coefficients["E_share"], coefficients["reach"]
        falling = (1.0 + reach) / (1.0 + reach * inputs["position"])
        return coefficients["loss_ref"] * (e + (1.0 - e) * falling)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return a_0, a_1, a_2 for positions in tokens."""
        reach, low = coefficients["reach"], floor(coefficients)
        a_0 = (coefficients["loss_ref"] - low) * (1.0 + reach)
        return {"a_0": a_0, "a_1": reach / reference["at"], "a_2": low}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        reach = textbook["a_1"] * reference["at"]
        loss = textbook["a_2"] + textbook["a_0"] / (1.0 + reach)
        return {"loss_ref": loss, "E_share": textbook["a_2"] / loss, "reach": reach}
