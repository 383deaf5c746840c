"""The compute axis: 6 N D where the law reads N and D, its own input where it reads one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS


def compute(inputs: Mapping[str, Any]) -> np.ndarray:
    """Return training compute, or the product of the inputs of a law that reads no N and D.

    Parameters
    ----------
    inputs : mapping of str to array, shape (P,)
        The law's inputs, in their own units.
    """
    product = np.prod([np.asarray(values, dtype=float) for values in inputs.values()], axis=0)
    return np.asarray(6.0 * product if set(inputs) == {N_PARAMS, N_TOKENS} else product)


def compute_label(inputs: Sequence[str]) -> str:
    """Return the label of the compute axis, unit included."""
    if set(inputs) == {N_PARAMS, N_TOKENS}:
        return "training compute 6ND (FLOP)"
    return "flops (FLOP)" if list(inputs) == [FLOPS] else " x ".join(inputs)
