"""Routed and sparse networks: E in experts, S a share, logarithms decimal."""

from math import log10

import numpy as np


def _effective(t, n_experts):
    start, most = t["E_start"], t["E_max"]
    return 1 / (1 / (n_experts - 1 + 1 / (1 / start - 1 / most)) + 1 / most)


def _routed(t, n_params_active, n_experts):
    size, experts = log10(n_params_active), np.log10(_effective(t, n_experts))
    return 10 ** (t["a"] * size + t["b"] * experts + t["c"] * size * experts + t["d"])


def _moe_sparsity(t, n_params, n_tokens, sparsity):
    active = 1 - sparsity
    return (
        t["E"]
        + t["A"] / n_params ** t["alpha"]
        + t["B"] / n_tokens ** t["beta"]
        + t["C"] / active ** t["lambda"]
        + t["D_S"] / (active ** t["delta"] * n_params ** t["gamma"])
    )


PRINTED = {
    "routed": _routed,
    "fine_grained": lambda t, n_params, n_tokens, granularity: (
        t["E"]
        + (t["g"] / granularity ** t["gamma"] + t["a"]) / n_params ** t["alpha"]
        + t["B"] / n_tokens ** t["beta"]
    ),
    "moe_sparsity": _moe_sparsity,
    "weight_sparsity": lambda t, n_params_nonzero, n_tokens, sparsity: (
        t["E"]
        + (t["a"] * (1 - sparsity) ** t["b"] + t["c"]) / n_params_nonzero ** t["alpha"]
        + t["B"] / n_tokens ** t["beta"]
    ),
    "average_params": lambda t, n_params_mean, n_tokens: (
        t["E"] + t["A"] / n_params_mean ** t["alpha"] + t["B"] / n_tokens ** t["beta"]
    ),
}

RISES = {
    "routed": ("n_params_active", "n_experts"),  # where experts abound, or are not worth having
    "moe_sparsity": ("sparsity",),
    "weight_sparsity": ("sparsity",),
}


def _experts(n_runs, rng):
    sizes = np.exp(rng.uniform(np.log(1.5e7), np.log(1.3e9), n_runs))
    return {"n_params_active": sizes, "n_experts": 2.0 ** rng.integers(0, 10, n_runs)}


DESIGNS = {"routed": _experts}
