"""The multiplier: how much more compute, or how many more tokens, an arm needs to match another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.decisions import choice_sentences as sentences
from bayescale.decisions.arms import Arm, Label, caveats_of, check_comparable, resolve, written
from bayescale.decisions.caveats import REVIEW_FACTOR
from bayescale.decisions.paired import central, plain_draws, tails
from bayescale.decisions.rays import COMPUTE, expected_log_loss, grid, ray, roots, scaled_names
from bayescale.forecasts.points import make_points
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACH = 32.0
"""Factors beyond this, or below its inverse, are not searched."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Multiplier:
    """Posterior of the factor by which one arm must be scaled to reach another arm's loss.

    A factor of 1.3 along ``n_tokens`` says that `over` needs 1.3 times the tokens to reach the
    expected loss that `of` has at the point, at the point's number of parameters.

    Parameters
    ----------
    of, over : tuple of str
        The arm that sets the loss, and the arm that must match it.
    along : str
        What is scaled: ``"compute"`` (all its inputs together, D/N constant), or one input.
    points : mapping of str to array, shape (P,)
        Where `of` is held: the law's inputs.
    draws : array, shape (S, P)
        Factors by draw; infinite where `over` does not get there within `REACH`, zero where it is
        below already at 1 / `REACH`.
    extrapolation_factor : array, shape (P,)
        Compute of each point over the largest fitted one of the arm that was run less far.
    caveats : tuple of str
        Sentences with what could make it wrong.
    posterior_line : str
        The posterior it rests on, in one line.
    provenance : mapping of str to str
        That of the posterior.
    """

    of: Label
    over: Label
    along: str
    points: Mapping[str, Floats]
    draws: Floats
    extrapolation_factor: Floats
    caveats: tuple[str, ...]
    posterior_line: str
    provenance: Mapping[str, str]

    def __repr__(self) -> str:
        """Return one line: arms, first point, factor with its interval, and the probability."""
        low, high = self.interval()[0]
        at = ", ".join(f"{name} {values[0]:.3g}" for name, values in self.points.items())
        more = f" and {len(self.draws.T) - 1} more point(s)" if self.draws.shape[1] > 1 else ""
        return (
            f"Multiplier of {self.along} of {written(self.of)} over {written(self.over)} at {at}:"
            f" {sentences.number(self.median[0])} [{sentences.number(low)},"
            f" {sentences.number(high)}] at 90 %, P(> 1) {self.prob_above()[0]:.2f}{more}"
        )

    @property
    def median(self) -> Floats:
        """Median factor, shape (P,)."""
        return central(self.draws, 0.5)

    def interval(self, ci_prob: float = 0.9) -> Floats:
        """Return central intervals, shape (P, 2); an end beyond the search is infinite or zero."""
        return central(self.draws, tails(ci_prob)).T

    def prob_above(self, factor: float = 1.0) -> Floats:
        """Return the probability that the factor exceeds `factor`, shape (P,)."""
        return np.asarray((self.draws > factor).mean(axis=0))

    def to_dict(self) -> dict[str, Any]:
        """Return the multiplier as plain data; an end beyond the search becomes None."""
        return {
            "of": list(self.of),
            "over": list(self.over),
            "along": self.along,
            "points": {name: values.tolist() for name, values in self.points.items()},
            "median": plain_draws(self.median),
            "interval_90": [plain_draws(ends) for ends in self.interval()],
            "prob_above_1": self.prob_above().tolist(),
            "extrapolation_factor": self.extrapolation_factor.tolist(),
            "caveats": list(self.caveats),
            "posterior_line": self.posterior_line,
            "provenance": dict(self.provenance),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the factor against scale with its bands."""
        from bayescale.plots.multiplier import plot_multiplier

        return plot_multiplier(self, ax=ax)


def multiplier(
    posterior: Posterior,
    of: Arm,
    over: Arm,
    *,
    along: str = COMPUTE,
    seed: int = 0,
    **inputs: Any,
) -> Multiplier:
    """Return how many times the compute, or the tokens, `over` needs to match `of`.

    Solved draw by draw: `of` has an expected loss at the point, and `over` is scaled along a ray
    from the same point until it has that loss. Draws of both arms are paired, and hold the law's
    error as the forecast does; run-to-run noise is left out.

    Parameters
    ----------
    posterior : Posterior
        A fit of both arms.
    of, over : str or sequence of str
        Labels of two groups, or levels that one group alone has.
    along : str
        ``"compute"`` scales N and D together at constant D/N; ``"n_tokens"`` (or another input of
        the law) scales it alone.
    seed : int
        Seed of the law's error, and of an arm without runs.
    **inputs : float or array
        The point, or several, by name: ``n_params=7e9, n_tokens=1.6e11``.

    Returns
    -------
    Multiplier
        Draws of the factor at each point.

    Raises
    ------
    DecisionError
        For arms that are one, have other tokenizers or kinds of loss, or a ray that the law lacks.
    UnknownNameError
        For an arm that the fit does not have.
    ForecastError
        For a point that cannot be used.
    """
    what = "multiplier"
    posterior = fitted(posterior, seed=seed)
    names = scaled_names(posterior.law, along, what)
    posterior, (first, second) = resolve(posterior, (of, over), what, seed)
    check_comparable(posterior, (first, second), what)
    points = dict(make_points(posterior, inputs, _repeated(posterior, inputs, first)).inputs)
    log_factors = grid(-np.log(REACH), np.log(REACH))
    columns, factors = [], []
    for point in zip(*points.values(), strict=True):
        at = dict(zip(points, map(float, point), strict=True))
        here = ray(at, names, np.zeros(1))
        curves = [(first, here), (second, ray(at, names, log_factors))]
        (wanted, reached), made = expected_log_loss(posterior, curves, seed)
        columns.append(_nearest(*roots(log_factors, reached - wanted)))
        middle = 1 + len(log_factors) // 2
        factors.append(made.extrapolation_factor[[0, middle]].max())
    draws, reach = np.column_stack(columns), np.array(factors)
    return Multiplier(
        of=first,
        over=second,
        along=along,
        points=points,
        draws=draws,
        extrapolation_factor=reach,
        caveats=_caveats(posterior, (first, second), draws, reach),
        posterior_line=repr(posterior),
        provenance=dict(posterior.provenance),
    )


def _repeated(posterior: Posterior, inputs: Mapping[str, Any], label: Label) -> list[Label]:
    sizes = [np.size(inputs[name]) for name in posterior.law.inputs if name in inputs]
    return [label] * max(sizes, default=1)


def _nearest(where: Floats, refined: Floats) -> Floats:
    """Return each draw's factor: the crossing nearest to 1, else infinity or zero."""
    found = np.isfinite(where)
    distance = np.where(found, np.abs(where), np.inf)
    best = np.take_along_axis(where, distance.argmin(axis=1)[:, None], axis=1)[:, 0]
    outside = np.where(refined[:, -1] > 0, np.inf, 0.0)
    return np.asarray(np.where(found.any(axis=1), np.exp(best), outside))


def _caveats(
    posterior: Posterior, labels: tuple[Label, Label], draws: Floats, reach: Floats
) -> tuple[str, ...]:
    found = caveats_of(posterior, labels)
    if reach.max() > REVIEW_FACTOR:
        found.append(sentences.far(reach.max()))
    missing = float(np.isinf(draws).mean(axis=0).max())
    if missing > 0.01:
        found.append(sentences.unreached(missing, written(labels[1]), REACH))
    return tuple(dict.fromkeys(found))
