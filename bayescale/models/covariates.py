"""What is known of a table before its losses are seen, and moves a prior's mean.

How far a table's runs are over-trained, and how large they are, tells what floor a law will see in
it. The numbers below are fixed with the names, so that a slope keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayescale.runs import schema

Inputs = Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]


def over_training(inputs: Inputs) -> float:
    """Return the median log tokens per parameter, less 3.4, kept within -1 and 1.7."""
    ratio = np.log(inputs[schema.N_TOKENS]) - np.log(inputs[schema.N_PARAMS])
    return float(np.clip(np.median(ratio) - 3.4, -1.0, 1.7))


def compute_scale(inputs: Inputs) -> float:
    """Return the log of the largest 6 N D, less 45, in decades, kept within -3 and 3."""
    product = np.log(inputs[schema.N_PARAMS]) + np.log(inputs[schema.N_TOKENS])
    largest = float(product.max()) + np.log(6.0)
    return float(np.clip((largest - 45.0) / 2.3, -3.0, 3.0))


COVARIATES: dict[str, Callable[[Inputs], float]] = {
    "over_training": over_training,
    "compute_scale": compute_scale,
}
"""Covariates by name; each needs a law that reads parameters and tokens."""
