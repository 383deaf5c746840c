"""Loss while training: parameters and steps, at a large batch or at any."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import Array, exp, log, log1p, logaddexp, softplus
from bayescale.laws.prior import Prior
from bayescale.laws.shares import LOSS_REF, N_SHARE, exponent_without_floor
from bayescale.runs.schema import BATCH_TOKENS, N_PARAMS, STEP

NEWTON_STEPS = 7
"""The function is convex and falls, and the start lies left of the root: no step overshoots."""

ALPHA = exponent_without_floor("alpha", "exponent of parameters")
ALPHA_STEPS = Coefficient(
    symbol="alpha_S",
    unit="1",
    support="positive",
    meaning="exponent of steps",
    prior=Prior("LogNormal", {"mu": -0.4, "sigma": 0.4}, "published .76: .35 to 1.3, 90 %"),
)
ALPHA_BATCH = Coefficient(
    symbol="alpha_B",
    unit="1",
    support="positive",
    meaning="one over the exponent of loss in the critical batch",
    prior=Prior("LogNormal", {"mu": -1.5, "sigma": 0.3}, "published .21: .14 to .37, 90 %"),
)


class KaplanSteps(Law):
    """L = (N_c / N)^alpha + (S_c / S)^alpha_S.

    S are steps at a batch well above the critical one (S_min). Coefficients are the loss at a
    reference run, the share of it that belongs to N, and the exponents.

    Notes
    -----
    For points of training curves after warm-up at one learning-rate schedule; without a floor.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361, equation 5.6 and table 3.
    """

    name = "kaplan_steps"
    inputs = (N_PARAMS, STEP)
    coefficients = (LOSS_REF, N_SHARE, ALPHA, ALPHA_STEPS)
    citation = ("kaplan2020scaling",)
    published = (
        Published(
            source="kaplan2020scaling",
            textbook={"N_c": 6.5e13, "S_c": 2.1e3, "alpha": 0.077, "alpha_S": 0.76},
            at={N_PARAMS: 1e9, STEP: 1e5},
            value=2.40051,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        size, steps = _log_terms(inputs, coefficients)
        return coefficients["loss_ref"] * exp(logaddexp(size, steps))

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return N_c, S_c, alpha, alpha_S for N in parameters and S in steps."""
        loss, u = coefficients["loss_ref"], coefficients["N_share"]
        alpha, alpha_s = coefficients["alpha"], coefficients["alpha_S"]
        return {
            "N_c": reference[N_PARAMS] * (u * loss) ** (1.0 / alpha),
            "S_c": reference[STEP] * ((1.0 - u) * loss) ** (1.0 / alpha_s),
            "alpha": alpha,
            "alpha_S": alpha_s,
        }

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        alpha, alpha_s = textbook["alpha"], textbook["alpha_S"]
        size = (textbook["N_c"] / reference[N_PARAMS]) ** alpha
        steps = (textbook["S_c"] / reference[STEP]) ** alpha_s
        loss = size + steps
        return {"loss_ref": loss, "N_share": size / loss, "alpha": alpha, "alpha_S": alpha_s}


class KaplanStepsBatch(Law):
    """L = (N_c / N)^alpha + (S_c / S_min)^alpha_S, S_min = S / (1 + B_crit(L) / B).

    B_crit = B_c / L^(1 / alpha_B): the loss stands on both sides and is found by Newton steps.
    Coefficients are the loss at a reference run, the share of it that belongs to N, the exponents,
    and the critical batch there over the batch.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361, equations 5.3 to 5.6; Su et al. (2024),
    arXiv:2403.06563, fit the same formula to networks of 1M to 60M parameters.
    """

    name = "kaplan_steps_batch"
    inputs = (N_PARAMS, STEP, BATCH_TOKENS)
    costs = (N_PARAMS, STEP, BATCH_TOKENS)
    coefficients = (
        LOSS_REF,
        N_SHARE,
        ALPHA,
        ALPHA_STEPS,
        Coefficient(
            symbol="batch_ratio",
            unit="1",
            support="positive",
            meaning="critical batch over the batch, at the reference run",
            prior=Prior("LogNormal", {"mu": 0.0, "sigma": 1.0}, "batches are set near critical"),
        ),
        ALPHA_BATCH,
    )
    citation = ("kaplan2020scaling", "su2024unraveling")
    published = (
        Published(
            source="kaplan2020scaling",
            textbook={
                "N_c": 6.5e13,
                "S_c": 2.1e3,
                "alpha": 0.077,
                "alpha_S": 0.76,
                "B_c": 2.1e8,
                "alpha_B": 0.21,
            },
            at={N_PARAMS: 1e9, STEP: 1e5, BATCH_TOKENS: 524288.0},
            value=2.54605,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the loss in nats per token."""
        c = coefficients
        size, steps = _log_terms(inputs, c)
        at_reference = c["alpha_S"] * log1p(c["batch_ratio"])
        ratio = log(c["batch_ratio"]) - log(inputs[BATCH_TOKENS])
        return c["loss_ref"] * exp(_log_loss(size, steps - at_reference, ratio, c))

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return N_c, S_c, alpha, alpha_S, B_c, alpha_B; B_c in tokens."""
        c = coefficients
        found = _STEPS.textbook(c, reference)
        found["S_c"] = found["S_c"] / (1.0 + c["batch_ratio"])
        critical = c["batch_ratio"] * reference[BATCH_TOKENS] * c["loss_ref"] ** (1 / c["alpha_B"])
        return {**found, "B_c": critical, "alpha_B": c["alpha_B"]}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        t = textbook
        size = t["alpha"] * log(t["N_c"] / reference[N_PARAMS])
        steps = t["alpha_S"] * log(t["S_c"] / reference[STEP])
        ratio = log(t["B_c"] / reference[BATCH_TOKENS])
        loss = float(exp(_log_loss(size, steps, ratio, t)))
        return {
            "loss_ref": loss,
            "N_share": float(exp(size)) / loss,
            "alpha": t["alpha"],
            "alpha_S": t["alpha_S"],
            "batch_ratio": float(exp(ratio)) * loss ** (-1.0 / t["alpha_B"]),
            "alpha_B": t["alpha_B"],
        }


_STEPS = KaplanSteps()


def _log_terms(
    inputs: Mapping[str, Array], coefficients: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Return the logs of the terms of size and of steps, over the loss at the reference run."""
    u = coefficients["N_share"]
    size = log(u) - coefficients["alpha"] * log(inputs[N_PARAMS])
    return size, log1p(-u) - coefficients["alpha_S"] * log(inputs[STEP])


def _log_loss(size: Array, steps: Array, ratio: Array, c: Mapping[str, Array]) -> Array:
    """Return log L of L = exp(size) + exp(steps) (1 + exp(ratio) L^(-1 / alpha_B))^alpha_S."""
    power, per_loss = c["alpha_S"], 1.0 / c["alpha_B"]
    x = logaddexp(size, steps + 0.0 * ratio)
    for _ in range(NEWTON_STEPS):
        excess = ratio - per_loss * x
        noisy = steps + power * softplus(excess)
        total = logaddexp(size, noisy)
        part = exp(noisy - total) / (1.0 + exp(-excess))
        x = x + (total - x) / (1.0 + power * per_loss * part)
    return x
