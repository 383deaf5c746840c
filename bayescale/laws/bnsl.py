"""Broken neural scaling laws: power laws that bend once, twice or three times."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import Array, exp, log, logaddexp
from bayescale.laws.prior import Prior
from bayescale.laws.shares import E_SHARE, LOSS_REF, floor

_SLOPE = Coefficient(
    symbol="c0",
    unit="1",
    support="real",
    meaning="slope before the first break, downwards",
    prior=Prior("Normal", {"mu": 0.2, "sigma": 0.2}, "flat to .5: what early curves show"),
)


_FIRST = Coefficient(
    symbol="break_1",
    unit="1",
    support="real",
    meaning="log of the first break over the reference",
    prior=Prior("Normal", {"mu": -2.0, "sigma": 1.5}, "inside a table of two decades or so"),
)


def _gap(k: int) -> Coefficient:
    """Return how far the k-th break lies from the one before."""
    return Coefficient(
        symbol=f"gap_{k}",
        unit="1",
        support="positive",
        meaning=f"log of break {k} over the one before",
        prior=Prior("LogNormal", {"mu": 0.7, "sigma": 0.5}, "breaks a factor of 2.5 to 100 apart"),
    )


def _break(k: int) -> tuple[Coefficient, ...]:
    """Return where the k-th break lies, how much the slope changes there, and how sharply."""
    change = Coefficient(
        symbol=f"c{k}",
        unit="1",
        support="real",
        meaning=f"change of slope at break {k}",
        prior=Prior("Normal", {"mu": 0.0, "sigma": 0.7}, "slopes steepen, flatten or turn"),
    )
    width = Coefficient(
        symbol=f"f{k}",
        unit="1",
        support="positive",
        meaning=f"width of break {k}; near zero is a corner",
        prior=Prior("LogNormal", {"mu": -1.2, "sigma": 0.6}, "published .05 to 1.4"),
    )
    return _FIRST if k == 1 else _gap(k), change, width


class _Broken(Law):
    """L = a + b x^-c0 prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i): what the laws below share."""

    breaks = 0
    inputs = ("n_tokens",)
    citation = ("caballero2023broken",)
    derived = {"E": "E_share"}
    needs_chains = True

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        e, x = coefficients["E_share"], log(inputs["n_tokens"])
        bent = -coefficients["c0"] * x
        for k, place in enumerate(self._places(coefficients), start=1):
            change, width = coefficients[f"c{k}"], coefficients[f"f{k}"]
            bent = bent - change * width * (
                _softplus((x - place) / width) - _softplus(-place / width)
            )
        return coefficients["loss_ref"] * (e + (1.0 - e) * exp(bent))

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E (the paper's a), b, c_i, d_i, f_i for x in tokens."""
        x, c0 = reference["n_tokens"], coefficients["c0"]
        log_b = log(coefficients["loss_ref"] - floor(coefficients)) + c0 * log(x)
        out = {"E": floor(coefficients), "b": log_b, "c0": c0}
        for k, place in enumerate(self._places(coefficients), start=1):
            change, width = coefficients[f"c{k}"], coefficients[f"f{k}"]
            out["b"] = out["b"] + change * width * _softplus(-place / width)
            out.update({f"c{k}": change, f"d{k}": x * exp(place), f"f{k}": width})
        return {**out, "b": exp(out["b"])}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        x, before = reference["n_tokens"], reference["n_tokens"]
        out = {"loss_ref": 0.0, "E_share": 0.0, "c0": textbook["c0"]}
        bent = log(textbook["b"]) - textbook["c0"] * log(x)
        for k in range(1, self.breaks + 1):
            d, change, width = (textbook[f"{symbol}{k}"] for symbol in "dcf")
            bent = bent - change * width * _softplus((log(x) - log(d)) / width)
            gap = float(log(d) - log(before))
            out.update({"break_1" if k == 1 else f"gap_{k}": gap, f"c{k}": change, f"f{k}": width})
            before = d
        loss = float(textbook["E"] + exp(bent))
        return {**out, "loss_ref": loss, "E_share": textbook["E"] / loss}

    def _places(self, coefficients: Mapping[str, Array]) -> list[Array]:
        """Return the log of each break over the reference, in order."""
        places = [coefficients["break_1"]]
        for k in range(2, self.breaks + 1):
            places.append(places[-1] + coefficients[f"gap_{k}"])
        return places


def _softplus(x: Array) -> Array:
    return logaddexp(0.0 * x, x)


class BrokenOnce(_Broken):
    """L = E + b x^-c0 (1 + (x / d1)^(1 / f1))^(-c1 f1).

    References
    ----------
    Caballero et al. (2023), arXiv:2210.14891; coefficients of the authors' four-digit addition.
    """

    name = "broken_once"
    breaks = 1
    coefficients = (LOSS_REF, E_SHARE, _SLOPE, *_break(1))
    published = (
        Published(
            source="caballero2023broken",
            textbook={
                "E": 0.41388453071629455,
                "b": 2.2772722897737556,
                "c0": 0.055077348404973955,
                "c1": 5.662903816010331,
                "d1": 612.5836172918001,
                "f1": 0.059193036393742314,
            },
            at={"n_tokens": 700.0},
            value=1.135173,
        ),
    )


class BrokenTwice(_Broken):
    """L = E + b x^-c0 times two breaks (1 + (x / d_i)^(1 / f_i))^(-c_i f_i).

    References
    ----------
    Caballero et al. (2023), arXiv:2210.14891.
    """

    name = "broken_twice"
    breaks = 2
    coefficients = (LOSS_REF, E_SHARE, _SLOPE, *_break(1), *_break(2))


class BrokenThrice(_Broken):
    """L = E + b x^-c0 times three breaks (1 + (x / d_i)^(1 / f_i))^(-c_i f_i).

    Notes
    -----
    Thirteen coordinates with the noise: sampled by NUTS.

    References
    ----------
    Caballero et al. (2023), arXiv:2210.14891; coefficients of the authors' figure 1.
    """

    name = "broken_thrice"
    breaks = 3
    coefficients = (LOSS_REF, E_SHARE, _SLOPE, *_break(1), *_break(2), *_break(3))
    published = (
        Published(
            source="caballero2023broken",
            textbook={
                "E": 1e-3,
                "b": 4.66e3,
                "c0": 0.05,
                "c1": 0.49,
                "d1": 3e6,
                "f1": 1.1,
                "c2": -0.811,
                "d2": 1e14,
                "f2": 1.425,
                "c3": 2.1,
                "d3": 2e20,
                "f3": 0.05,
            },
            at={"n_tokens": 1e10},
            value=27.72211,
        ),
    )
