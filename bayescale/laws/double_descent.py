"""Double descent in closed form: ridge regression on isotropic features."""

from __future__ import annotations

from collections.abc import Mapping

from bayescale.laws.base import Coefficient, Law, Published
from bayescale.laws.ops import Array, maximum
from bayescale.laws.prior import LEVEL, Prior
from bayescale.laws.quantity import Quantity


class DoubleDescent(Law):
    """error = s^2 (1 + g (m - r m') + h r^2 m'), where g = k N / n.

    g is features per sample, m(r) = (sqrt((1 - g + r)^2 + 4 g r) - (1 - g + r)) / (2 g r) the
    Stieltjes transform of the Marchenko-Pastur law at minus the ridge r, m' its derivative.
    The error peaks where g = 1. Coefficients are the noise s^2, the signal over it h, the ridge r,
    and k, features a parameter: where the peak lies.

    Notes
    -----
    Exact for linear regression; for networks a shape with a peak and two descents. A curve that
    only bends is better served by `broken_once`. A table may hold a single n.

    References
    ----------
    Hastie et al. (2022), arXiv:1903.08560, theorem 5; Nakkiran et al. (2020), arXiv:1912.02292.
    """

    name = "double_descent"
    inputs = ("n_params", "n_samples")
    output = "error"
    columns = (
        Quantity(name="error", unit="1", meaning="squared or other error", typical=(0.1, 10.0)),
        Quantity(
            name="n_params",
            unit="parameters",
            meaning="trainable parameters",
            typical=(1e4, 1e7),
        ),
        Quantity(
            name="n_samples",
            unit="samples",
            meaning="training samples",
            typical=(1e5, 1e6),
            may_be_constant=True,
        ),
    )
    coefficients = (
        Coefficient(
            symbol="noise_error",
            unit="1",
            support="positive",
            meaning="error that no network avoids, s^2",
            prior=Prior("LogNormal", {"mu": LEVEL, "sigma": 1.0}, "the table fixes its level"),
        ),
        Coefficient(
            symbol="signal",
            unit="1",
            support="positive",
            meaning="signal over noise, h",
            prior=Prior("LogNormal", {"mu": 1.0, "sigma": 1.0}, "a peak needs more than 1"),
        ),
        Coefficient(
            symbol="ridge",
            unit="1",
            support="positive",
            meaning="regularisation, explicit or not, r",
            prior=Prior("LogNormal", {"mu": -3.0, "sigma": 1.5}, "weak: a peak shows below .1"),
        ),
        Coefficient(
            symbol="threshold",
            unit="1",
            support="positive",
            meaning="features per sample at the reference run",
            prior=Prior("LogNormal", {"mu": 0.5, "sigma": 1.5}, "the peak lies among the runs"),
        ),
    )
    citation = ("hastie2022surprises", "nakkiran2020deep")
    needs_chains = True
    noise = Prior("LogNormal", {"mu": -3.0, "sigma": 1.0}, "curves with label noise: 1 % to 26 %")
    published = (
        Published(
            source="hastie2022surprises",
            textbook={"noise": 1.0, "signal": 5.0, "ridge": 1e-5, "k": 1.0},
            at={"n_params": 2e5, "n_samples": 1e5},
            value=4.49996,
        ),
    )

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the expected error on new samples, their own noise included."""
        g = coefficients["threshold"] * inputs["n_params"] / inputs["n_samples"]
        variance, bias = _risk(g, coefficients["ridge"])
        return coefficients["noise_error"] * (1.0 + variance + coefficients["signal"] * bias)

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return noise, signal, ridge and k."""
        per_sample = reference["n_params"] / reference["n_samples"]
        names = {"noise": "noise_error", "signal": "signal", "ridge": "ridge"}
        kept = {name: coefficients[symbol] for name, symbol in names.items()}
        return {**kept, "k": coefficients["threshold"] / per_sample}

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones."""
        per_sample = reference["n_params"] / reference["n_samples"]
        return {
            "noise_error": textbook["noise"],
            "signal": textbook["signal"],
            "ridge": textbook["ridge"],
            "threshold": textbook["k"] * per_sample,
        }


def _risk(g: Array, r: Array) -> tuple[Array, Array]:
    """Return g (m - r m') and r^2 m', by u = r m, which solves g u^2 + (1 - g + r) u - r = 0.

    In u the first is g du/dr and nothing cancels, however small the ridge.
    """
    b = 1.0 - g + r
    root = (b * b + 4.0 * g * r) ** 0.5
    # b + root, in which a negative b would cancel.
    u = 2.0 * r / (4.0 * g * r / (root + maximum(b, -b)) + 2.0 * maximum(b, 0.0 * b))
    return g * (1.0 - u) / root, (r * u + g * u * u) / root
