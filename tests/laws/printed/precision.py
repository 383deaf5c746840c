"""Numbers of few bits."""

from math import exp, log2

import numpy as np


def _precision(t, n_params, n_tokens, bits_w, bits_a, bits_kv):
    n_eff = n_params
    for part, bits in (("w", bits_w), ("a", bits_a), ("kv", bits_kv)):
        n_eff = n_eff * (1 - np.exp(-bits / t[f"gamma_{part}"]))
    return t["E"] + t["A"] / n_eff ** t["alpha"] + t["B"] / n_tokens ** t["beta"]


def _floating_point(t, n_params, n_tokens, exponent_bits, mantissa_bits, block_size):
    size, data = n_params ** t["alpha"], n_tokens ** t["beta"]
    bits = (exponent_bits + 0.5) ** t["delta"] * (mantissa_bits + 0.5) ** t["nu"]
    return t["A"] / size + t["B"] / data + t["E"] + data / size * log2(block_size) / (t["g"] * bits)


PRINTED = {
    "precision": _precision,
    "floating_point": _floating_point,
    "post_training_quantization": lambda t, n_params, n_tokens, bits_after: (
        t["C"]
        * n_tokens ** t["gamma_D"]
        / n_params ** t["gamma_N"]
        * exp(-bits_after / t["gamma_P"])
    ),
}

RISES = {
    "floating_point": ("n_tokens", "block_size"),
    "post_training_quantization": ("n_tokens",),
}

DESIGNS: dict = {}

UNVERIFIED = {
    "precision": "arXiv:2411.04330: the appendix fits offsets that the formula lacks",
    "post_training_quantization": "arXiv:2411.04330: the same, and gamma_post was not read again",
}
