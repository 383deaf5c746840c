"""How much of the promised improvement arrives beyond the largest fitted compute c*.

A law promises that log loss falls by Delta from c* to a run beyond it, along constant D/N. One
unknown a group, xi ~ N(0, kappa^2), is the share that does not arrive: the run's log loss is
xi Delta higher. Runs beyond c* (pilots added under shared constants) therefore share one more
error, kappa^2 Delta Delta', and teach what xi is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bayescale.laws import Law
from bayescale.laws.ops import Array, log
from bayescale.models.discrepancy import Floats

BEYOND = 1e-9
"""Log compute above c* by which a run lies beyond it: more than rounding leaves."""


def moved_back(law: Law, inputs: Mapping[str, Floats], excess: Floats) -> dict[str, Floats]:
    """Return inputs beyond c* scaled back to it along constant ratios; others as they are.

    Parameters
    ----------
    law : Law
        Says which inputs make up compute; only they are scaled.
    inputs : mapping of str to array, shape (n,)
        In any unit.
    excess : array, shape (n,)
        Natural log of compute minus c*.
    """
    return moved_on(law, inputs, -np.maximum(excess, 0.0))


def moved_on(law: Law, inputs: Mapping[str, Floats], excess: Floats) -> dict[str, Floats]:
    """Return inputs with compute scaled along constant ratios by some e-folds; see `moved_back`."""
    scaled = {law.inputs[column] for column in law.cost_columns}
    by = np.exp(excess / max(len(scaled), 1))
    return {name: values * by if name in scaled else values for name, values in inputs.items()}


def promised(
    law: Law, at: Mapping[str, Array], back: Mapping[str, Array], values: Mapping[str, Array]
) -> Array:
    """Return the log improvement that a law promises from `back` to `at`: zero where they agree.

    Parameters
    ----------
    law : Law
        The law.
    at, back : mapping of str to array
        Input ratios of the runs, and of the same runs scaled back to c*.
    values : mapping of str to array
        Coefficients.
    """
    return law.link(law.evaluate(back, values)) - law.link(law.evaluate(at, values))


def undelivered(
    rotated: Array,
    variance: Array,
    promise: Array,
    kappa: float,
    total: Callable[[Array], Array],
) -> tuple[Array, Array]:
    """Return mean and variance of xi given a group's runs and one draw of everything else.

    Parameters
    ----------
    rotated, variance : array, shape (..., n)
        Rotated residuals of log loss and their variances without xi.
    promise : array, shape (..., n)
        Promised improvement of each run, rotated alike.
    kappa : float
        Prior standard deviation, above zero.
    total : callable
        Sums (..., n) over the runs of each group.

    Returns
    -------
    mean, variance : array
        As `total` returns them; 0 and kappa^2 without a run beyond c*.
    """
    spread = 1.0 / (1.0 / kappa**2 + total(promise**2 / variance))
    return spread * total(rotated * promise / variance), spread


def log_evidence(mean: Array, variance: Array, kappa: float) -> Array:
    """Return what xi, integrated out, adds to the log likelihood of independent residuals.

    It is the Sherman-Morrison term and the determinant lemma of adding kappa^2 Delta Delta' to
    their covariance, written with the moments that `undelivered` returns.
    """
    return 0.5 * (mean**2 / variance + log(variance / kappa**2))
