"""Loss against one resource: parameters, tokens or compute."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Law, Published
from bayescale.laws.ops import Array, exp, log
from bayescale.laws.shares import E_SHARE, LOSS_REF, exponent, floor

_COEFFICIENTS = (LOSS_REF, E_SHARE, exponent("alpha", "exponent of the resource"))
_CITATION = ("hestness2017deep", "kaplan2020scaling")


class _PowerLaw(Law):
    """L = E + A / x^alpha for one resource x: what the three laws below share."""

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        e = coefficients["E_share"]
        falling = exp(-coefficients["alpha"] * log(inputs[self.inputs[0]]))
        return coefficients["loss_ref"] * (e + (1.0 - e) * falling)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E, A, alpha for the resource in its own unit."""
        reducible = coefficients["loss_ref"] - floor(coefficients)
        alpha = coefficients["alpha"]
        amplitude = reducible * reference[self.inputs[0]] ** alpha
        return {"E": floor(coefficients), "A": amplitude, "alpha": alpha}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        alpha = textbook["alpha"]
        loss = textbook["E"] + textbook["A"] * reference[self.inputs[0]] ** -alpha
        return {"loss_ref": loss, "E_share": textbook["E"] / loss, "alpha": alpha}


class PowerLawParams(_PowerLaw):
    """L = E + A / N^alpha, for runs that are not short of tokens.

    References
    ----------
    Hestness et al. (2017), arXiv:1712.00409; Kaplan et al. (2020), arXiv:2001.08361, equation 1.1.
    """

    name = "power_law_params"
    inputs = ("n_params",)
    coefficients = _COEFFICIENTS
    citation = _CITATION
    derived = {"E": "E_share"}
    published = (
        Published(
            source="kaplan2020scaling",
            textbook={"E": 0.0, "A": 8.8e13**0.076, "alpha": 0.076},
            at={"n_params": 1e9},
            value=2.3756,
        ),
    )


class PowerLawTokens(_PowerLaw):
    """L = E + A / D^alpha, for networks that are not short of parameters.

    References
    ----------
    Hestness et al. (2017), arXiv:1712.00409; Kaplan et al. (2020), arXiv:2001.08361, equation 1.2.
    """

    name = "power_law_tokens"
    inputs = ("n_tokens",)
    coefficients = _COEFFICIENTS
    citation = _CITATION
    derived = {"E": "E_share"}
    published = (
        Published(
            source="kaplan2020scaling",
            textbook={"E": 0.0, "A": 5.4e13**0.095, "alpha": 0.095},
            at={"n_tokens": 1e10},
            value=2.2624,
        ),
    )


class PowerLawCompute(_PowerLaw):
    """L = E + A / C^alpha along a compute-optimal frontier.

    Notes
    -----
    Fit it to a frontier only: off the frontier loss is no function of compute alone.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361, equation 1.3 (C_c is 3.1e8 PF-days of 8.64e19 FLOP).
    """

    name = "power_law_compute"
    inputs = ("flops",)
    coefficients = _COEFFICIENTS
    citation = _CITATION
    derived = {"E": "E_share"}
    published = (
        Published(
            source="kaplan2020scaling",
            textbook={"E": 0.0, "A": (3.1e8 * 8.64e19) ** 0.050, "alpha": 0.050},
            at={"flops": 8.64e19},
            value=2.6581,
        ),
    )
