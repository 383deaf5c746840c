"""The multi-power law: the loss at any step of any schedule, falls of the rate paying as powers."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient
from bayescale.laws.learning_rate_annealing import (
    ANNEAL,
    annealed,
    from_unannealed,
    unannealed,
)
from bayescale.laws.ops import Array, exp, log, log1p
from bayescale.laws.prior import Prior
from bayescale.laws.sequence import HISTORY, SequenceLaw
from bayescale.laws.shares import E_SHARE, LOSS_REF, exponent


class MultiPower(SequenceLaw):
    """L = L_0 + A S_1^-alpha - B sum_k (eta_(k-1) - eta_k) G(eta_k^-gamma S_k).

    G(x) = 1 - (C x + 1)^-beta; S_1 is the area under the learning rate, S_k that since the k-th
    change, the rises of the warm-up among them. Coefficients are the loss of a run that keeps its
    peak rate at the reference area, its floor's share, what a full decay gains, and how soon: the
    speed at the peak rate.

    Notes
    -----
    The paper sums over changes after the warm-up, the authors' program over the warm-up too, and
    the printed coefficients are the program's: with its sum they err by .0047, .0059 and .0073 on
    the public schedules of 25M, 100M and 400M, as printed; without, by .11 to .16.

    References
    ----------
    Luo et al. (2025), arXiv:2503.12811; 400M: L_0 2.375, A .654, alpha .429, B 523.4, C 2.025,
    beta .594, gamma .635.
    """

    name = "multi_power"
    inputs = ("area", "drop", "rate", "area_since")
    columns = tuple(q for q in HISTORY if q.name != "steps_since")
    reads_schedule = True
    counts_warmup = True
    coefficients = (
        LOSS_REF,
        E_SHARE,
        exponent("alpha", "exponent of the area"),
        ANNEAL,
        Coefficient(
            symbol="speed",
            unit="1",
            support="positive",
            meaning="C eta^-gamma S at the peak rate and the reference area",
            prior=Prior("LogNormal", {"mu": 7.0, "sigma": 1.5}, "published 2500 for 24k steps"),
        ),
        Coefficient(
            symbol="beta",
            unit="1",
            support="positive",
            meaning="exponent with which a fall pays off",
            prior=Prior("LogNormal", {"mu": -0.5, "sigma": 0.4}, "published .59"),
        ),
        Coefficient(
            symbol="gamma",
            unit="1",
            support="positive",
            meaning="how much sooner a fall pays off at a lower rate",
            prior=Prior("LogNormal", {"mu": -0.5, "sigma": 0.4}, "published .64"),
        ),
    )
    citation = ("luo2025multi",)
    derived = {"E": "E_share"}

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        c = coefficients
        gain = 1.0  # The warm-up's rise, had it taken full effect: `loss_ref` holds it already.
        changes = (inputs["drop"], inputs["rate"], inputs["area_since"])
        for drop, rate, since in zip(*changes, strict=True):
            reached = c["speed"] * exp(-c["gamma"] * log(rate)) * since
            gain = gain + drop * (1.0 - exp(-c["beta"] * log1p(reached)))
        return annealed(inputs, c, gain)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return L_0, A, alpha, B, C, beta, gamma for rates and steps in their own units."""
        c, found = coefficients, unannealed(coefficients, reference)
        decay = c["anneal"] * c["loss_ref"]
        return {
            **found,
            "L_0": found["L_0"] - decay,
            "B": decay / reference["peak"],
            "C": c["speed"] * reference["peak"] ** c["gamma"] / reference["area"],
            "beta": c["beta"],
            "gamma": c["gamma"],
        }

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        t, decay = textbook, textbook["B"] * reference["peak"]
        found = from_unannealed({**t, "L_0": t["L_0"] + decay}, reference)
        return {
            **found,
            "anneal": decay / found["loss_ref"],
            "speed": t["C"] * reference["peak"] ** -t["gamma"] * reference["area"],
            "beta": t["beta"],
            "gamma": t["gamma"],
        }
