"""Broken neural scaling laws: power laws that bend once, twice or three times."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import Array, exp, log, softplus
from bayescale.laws.prior import Prior
from bayescale.laws.shares import E_SHARE, LOSS_REF, floor

_SLOPES = (
    Prior("Normal", {"mu": 0.1, "sigma": 0.15}, "flat before the first break: published .05"),
    Prior("Normal", {"mu": 0.5, "sigma": 0.4}, "steep after a first break: published .5 and 5.7"),
    Prior("Normal", {"mu": 0.1, "sigma": 0.4}, "flatter or upwards after a second: published -.3"),
    Prior("Normal", {"mu": 0.5, "sigma": 0.4}, "steep again after a third: published 1.8"),
)
"""By segment. Their medians differ, so that a break which nothing shows is not expected."""


def _slope(k: int) -> Coefficient:
    """Return the slope of segment `k`, of which the first is 0."""
    return Coefficient(
        symbol=f"slope_{k}",
        unit="1",
        support="real",
        meaning=f"slope after break {k}, downwards" if k else "slope before any break, downwards",
        prior=_SLOPES[k],
    )


def _place(k: int, last: int) -> Coefficient:
    """Return where break `k` lies: the last one itself, others as how far before the next."""
    if k == last:
        return Coefficient(
            symbol=f"break_{k}",
            unit="1",
            support="real",
            meaning="log of the last break over the reference",
            prior=Prior("Normal", {"mu": -1.0, "sigma": 1.0}, "in a table's upper two decades"),
        )
    return Coefficient(
        symbol=f"gap_{k}",
        unit="1",
        support="positive",
        meaning=f"log of break {k + 1} over break {k}",
        prior=Prior("LogNormal", {"mu": 0.6, "sigma": 0.4}, "breaks a factor of 2.6 to 34 apart"),
    )


def _width(k: int) -> Coefficient:
    """Return how wide break `k` is."""
    prior = Prior(
        "LogNormal",
        {"mu": -1.0, "sigma": 0.5},
        "published .05 to 1.4; sharper than .16 is a corner between the runs of most tables",
    )
    return Coefficient(
        symbol=f"f{k}",
        unit="1",
        support="positive",
        meaning=f"width of break {k}; near zero is a corner",
        prior=prior,
    )


def _coefficients(last: int) -> tuple[Coefficient, ...]:
    """Return what a law with breaks 1 to `last` samples."""
    breaks = ((_place(k, last), _slope(k), _width(k)) for k in range(1, last + 1))
    return LOSS_REF, E_SHARE, _slope(0), *chain.from_iterable(breaks)


def _linear(last: int) -> tuple[str, ...]:
    """Return the slopes: given the breaks, the log of the reducible loss is linear in them."""
    return tuple(f"slope_{k}" for k in range(last + 1))


class _Broken(Law):
    """L = a + b x^-c0 prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i): what the laws below share.

    Coefficients are the loss at a reference run, its irreducible share, the slope of each segment,
    the width of each break, the last break's place and the gaps before it: slopes of segments are
    seen in the runs each alone, changes of slope are not; and the reference lies at the table's
    upper end, wherever its lower end is.
    """

    breaks = 0
    inputs = ("n_tokens",)
    citation = ("caballero2023broken",)
    derived = {"E": "E_share"}
    needs_chains = True

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        parts = self.parts(inputs, coefficients)
        return self.combine(sum(coefficients[s] * parts[s] for s in self.linear), coefficients)

    def parts(
        self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]
    ) -> dict[str, Array]:
        """Return minus how much of the way from the reference lies in each segment, in logs."""
        x = log(inputs["n_tokens"])
        beyond = [
            width * (softplus((x - place) / width) - softplus(-place / width))
            for place, _, width in self._breaks(coefficients)
        ]
        edges = zip([x, *beyond], [*beyond, 0.0], strict=True)
        return {f"slope_{k}": after - before for k, (before, after) in enumerate(edges)}

    def combine(self, combined: Array, coefficients: Mapping[str, Array]) -> Array:
        """Return the loss for the log of its reducible part over that at the reference."""
        e = coefficients["E_share"]
        return coefficients["loss_ref"] * (e + (1.0 - e) * exp(combined))

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return E (the paper's a), b, c_i, d_i, f_i for x in tokens."""
        x, c0 = reference["n_tokens"], coefficients["slope_0"]
        log_b = log(coefficients["loss_ref"] - floor(coefficients)) + c0 * log(x)
        out = {"E": floor(coefficients), "b": log_b, "c0": c0}
        for k, (place, change, width) in enumerate(self._breaks(coefficients), start=1):
            out["b"] = out["b"] + change * width * softplus(-place / width)
            out.update({f"c{k}": change, f"d{k}": x * exp(place), f"f{k}": width})
        return {**out, "b": exp(out["b"])}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        x, slope = reference["n_tokens"], textbook["c0"]
        sampled = {"slope_0": slope}
        bent = log(textbook["b"]) - slope * log(x)
        for k in range(1, self.breaks + 1):
            d, change, width = (textbook[f"{symbol}{k}"] for symbol in "dcf")
            bent = bent - change * width * softplus((log(x) - log(d)) / width)
            slope = slope + change
            after = textbook.get(f"d{k + 1}", d)
            sampled |= {f"slope_{k}": slope, f"f{k}": width, f"gap_{k}": float(log(after / d))}
        sampled[f"break_{self.breaks}"] = float(log(textbook[f"d{self.breaks}"] / x))
        loss = float(textbook["E"] + exp(bent))
        sampled |= {"loss_ref": loss, "E_share": textbook["E"] / loss}
        return {symbol: sampled[symbol] for symbol in self.symbols}

    def _breaks(self, coefficients: Mapping[str, Array]) -> list[tuple[Array, Array, Array]]:
        """Return log place over the reference, change of slope and width of each break in order."""
        place, found = coefficients[f"break_{self.breaks}"], []
        for k in range(self.breaks, 0, -1):
            place = place if k == self.breaks else place - coefficients[f"gap_{k}"]
            change = coefficients[f"slope_{k}"] - coefficients[f"slope_{k - 1}"]
            found.append((place, change, coefficients[f"f{k}"]))
        return found[::-1]


class BrokenOnce(_Broken):
    """L = E + b x^-c0 (1 + (x / d1)^(1 / f1))^(-c1 f1).

    References
    ----------
    Caballero et al. (2023), arXiv:2210.14891; coefficients of the authors' four-digit addition.
    """

    name = "broken_once"
    breaks = 1
    coefficients = _coefficients(1)
    linear = _linear(1)
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
    coefficients = _coefficients(2)
    linear = _linear(2)


class BrokenThrice(_Broken):
    """L = E + b x^-c0 times three breaks (1 + (x / d_i)^(1 / f_i))^(-c_i f_i).

    References
    ----------
    Caballero et al. (2023), arXiv:2210.14891; coefficients of the authors' figure 1.
    """

    name = "broken_thrice"
    breaks = 3
    coefficients = _coefficients(3)
    linear = _linear(3)
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
