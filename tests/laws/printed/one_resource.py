"""Learning curves in one resource: x in tokens, C in FLOPs."""

import numpy as np
from scipy.optimize import brentq


def _m4(t, n_tokens):
    def excess(loss):
        return (loss - t["E"]) / (t["L0"] - loss) ** t["a"] - t["b"] * n_tokens ** -t["c"]

    span = t["L0"] - t["E"]
    return brentq(excess, t["E"] + 1e-15 * span, t["L0"] - 1e-15 * span, xtol=1e-15, rtol=1e-15)


def _broken(t, n_tokens):
    product = 1.0
    for k in range(1, 1 + sum(key.startswith("d") for key in t)):
        c, d, f = t[f"c{k}"], t[f"d{k}"], t[f"f{k}"]
        product *= np.exp(-c * f * np.logaddexp(0.0, np.log(n_tokens / d) / f))
    return t["E"] + t["b"] * n_tokens ** -t["c0"] * product


def _double_descent(t, n_params, n_samples):
    """By the definition, m' by a complex step."""
    g, r = t["k"] * n_params / n_samples, t["ridge"]

    def m(z):
        b = 1 - g - z
        return (np.sqrt(b**2 - 4 * g * z) - b) / (-2 * g * z)

    slope = m(-r + 1e-30j).imag / 1e-30
    return t["noise"] * (1 + g * (m(-r) - r * slope) + t["signal"] * r**2 * slope)


PRINTED = {
    "learning_curve_m1": lambda t, n_tokens: t["b"] * n_tokens ** -t["c"],
    "learning_curve_m3": lambda t, n_tokens: t["b"] * (1 / n_tokens + t["g"]) ** t["c"],
    "learning_curve_m4": _m4,
    "shifted_power_law": lambda t, flops: t["c"] + t["a"] * (flops + t["d"]) ** -t["b"],
    "broken_once": _broken,
    "broken_twice": _broken,
    "broken_thrice": _broken,
    "double_descent": _double_descent,
}

RISES = {
    "broken_once": ("n_tokens",),
    "broken_twice": ("n_tokens",),
    "broken_thrice": ("n_tokens",),
    "double_descent": ("n_params", "n_samples"),
}

DESIGNS: dict = {}

FROM_THE_TOP = ("broken_twice", "broken_thrice")
"""The prior counts their breaks from there; printed breaks are eight decades apart."""

UNVERIFIED = {
    "learning_curve_m3": "formula read in the authors' code; no fitted coefficients are printed",
    "learning_curve_m4": "formula read in the authors' code; no fitted coefficients are printed",
    "broken_twice": "the authors print coefficients for one and three breaks",
}
