"""Expected losses of arms along a ray, draw by draw, and where two such curves meet.

A ray scales some inputs of a point by a common factor: both N and D for compute at constant D/N,
or one of them alone. Curves hold the law, its discrepancy and what does not arrive beyond the
fitted compute, all drawn jointly, and leave run-to-run noise out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from bayescale.arguments import NAME, check_arguments
from bayescale.decisions.arms import Label
from bayescale.errors import DecisionError, nearest
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.forecast import forecast as make_forecast
from bayescale.forecasts.points import Points
from bayescale.inference.posterior import Posterior
from bayescale.laws import Law
from bayescale.models.discrepancy import Floats
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS

COMPUTE = "compute"
"""The ray along which all inputs that make up compute grow together."""

STEP = 0.25
"""Distance of curve points in log compute or log input; a spline fills in, see `REFINED`."""

REFINED = 8
"""Spline points a step: a straight line between them errs by less than a ten-thousandth."""


def scaled_names(law: Law, along: str, what: str) -> tuple[str, ...]:
    """Return the inputs that a ray scales.

    Raises
    ------
    DecisionError
        For a law that predicts no loss, or a ray that it does not have.
    """
    if law.output != LOSS:
        raise DecisionError(
            f"{what}: law {law.name!r} predicts {law.output}, and arms are compared by their loss.",
            "Fit a law of loss.",
        )
    check_arguments(what, DecisionError, along=(along, NAME))
    cost = tuple(law.inputs[column] for column in law.cost_columns)
    rays = {**({COMPUTE: cost} if cost else {}), **{name: (name,) for name in law.inputs}}
    if along not in rays:
        raise DecisionError(
            f"{what}: along is {along!r}, which law {law.name!r} does not scale.",
            nearest(along, rays),
        )
    return rays[along]


def ray(point: Mapping[str, float], names: Sequence[str], log_factors: Floats) -> dict[str, Floats]:
    """Return a point's inputs scaled by factors whose product over `names` is given.

    Parameters
    ----------
    point : mapping of str to float
        The law's inputs.
    names : sequence of str
        Inputs to scale, each by the same factor.
    log_factors : array, shape (G,)
        Natural log of the factor in compute, or in the one input that is scaled.
    """
    each = np.exp(log_factors / len(names))
    return {k: v * each if k in names else np.full(len(each), float(v)) for k, v in point.items()}


def scale(inputs: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Return what a ray scales: 6 N D for both, else the product of the inputs named."""
    product = np.prod([np.asarray(inputs[name], dtype=float) for name in names], axis=0)
    return np.asarray(6.0 * product if set(names) == {N_PARAMS, N_TOKENS} else product)


def expected_log_loss(
    posterior: Posterior, curves: Sequence[tuple[Label, Mapping[str, Floats]]], seed: int
) -> tuple[list[Floats], Forecast]:
    """Return joint draws of the log of the expected loss, one array (S, G) a curve.

    Parameters
    ----------
    posterior : Posterior
        Holds every group named.
    curves : sequence of (label, inputs)
        Group and points of each curve.
    seed : int
        Seed of the discrepancy and of what does not arrive.

    Returns
    -------
    draws : list of array, shape (S, G)
        Paired by draw over all curves; S is the posterior's number of draws.
    made : Forecast
        Of all the points, for its reach.
    """
    sizes = [len(next(iter(inputs.values()))) for _, inputs in curves]
    names = posterior.law.inputs
    inputs = {name: np.concatenate([at[name] for _, at in curves]) for name in names}
    labels = [label for (label, _), size in zip(curves, sizes, strict=True) for _ in range(size)]
    made = make_forecast(posterior, Points(inputs, tuple(labels)), seed=seed, warn=False)
    drawn = np.log(made.draws(posterior.n_draws, seed, noise=False))
    return np.split(drawn, np.cumsum(sizes)[:-1], axis=1), made


def grid(low: float, high: float) -> Floats:
    """Return evenly spaced logs from low to high, no farther apart than `STEP`, at least five."""
    return np.linspace(low, high, max(int(np.ceil((high - low) / STEP)), 4) + 1)


def roots(at: Floats, gap: Floats) -> tuple[Floats, Floats]:
    """Return where curves cross zero, on a refined grid.

    Parameters
    ----------
    at : array, shape (G,)
        Positions in increasing order.
    gap : array, shape (S, G)
        Values of each draw there.

    Returns
    -------
    where : array, shape (S, R)
        Positions of the crossings of each draw, NaN in intervals without one.
    refined : array, shape (S, R + 1)
        The curves on the refined grid.
    """
    fine = np.linspace(at[0], at[-1], REFINED * (len(at) - 1) + 1)
    refined = CubicSpline(at, gap, axis=1)(fine)
    left, right = refined[:, :-1], refined[:, 1:]
    crosses = (left > 0) != (right > 0)
    share = np.divide(left, left - right, out=np.full_like(left, np.nan), where=crosses)
    return fine[:-1] + share * np.diff(fine), refined
