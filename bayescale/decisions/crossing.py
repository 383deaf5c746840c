"""The crossing: the scale at which one arm overtakes another, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arguments import NUMBERS, Kind, check_arguments
from bayescale.decisions import choice_sentences as sentences
from bayescale.decisions.arms import Arm, Label, caveats_of, check_comparable, resolve, written
from bayescale.decisions.caveats import REVIEW_FACTOR
from bayescale.decisions.paired import central, plain_draws, tails
from bayescale.decisions.rays import (
    COMPUTE,
    expected_log_loss,
    grid,
    ray,
    roots,
    scale,
    scaled_names,
)
from bayescale.errors import DecisionError
from bayescale.forecasts.points import make_points
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEYOND = 100.0
"""The search ends, unless told otherwise, at this many times the largest fitted scale."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Crossing:
    """Posterior of the scale above which the order of two arms no longer changes.

    Parameters
    ----------
    of, over : tuple of str
        The arms.
    along : str
        What grows: ``"compute"`` (6 N D at constant D/N), or one input.
    between : tuple of float
        Ends of the search, FLOPs or the input's unit.
    point : mapping of str to float
        A point of the ray.
    draws : array, shape (S,)
        Last scale at which the expected losses are equal; NaN in draws without one.
    better_below, better_above : array of bool, shape (S,)
        Whether `of` has the lower expected loss at the lower, and at the upper end.
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
    between: tuple[float, float]
    point: Mapping[str, float]
    draws: Floats
    better_below: np.ndarray
    better_above: np.ndarray
    caveats: tuple[str, ...]
    posterior_line: str
    provenance: Mapping[str, str]

    def __repr__(self) -> str:
        """Return one line: arms, range, scale with its interval, and what else may be."""
        low, high = self.between
        head = (
            f"Crossing of {written(self.of)} and {written(self.over)} along {self.along} from"
            f" {low:.3g} to {high:.3g}: "
        )
        if self.prob_none == 1.0:
            return head + f"none; P({written(self.of)} better) {self.prob_always:.2f}"
        ends = self.interval()
        return head + (
            f"{self.median:.3g} [{ends[0]:.3g}, {ends[1]:.3g}] at 90 % if there is one,"
            f" P(none) {self.prob_none:.2f}, P({written(self.of)} better above)"
            f" {self.better_above.mean():.2f}"
        )

    @property
    def found(self) -> Floats:
        """The scales of the draws that have a crossing."""
        return self.draws[np.isfinite(self.draws)]

    @property
    def prob_none(self) -> float:
        """Probability that the arms do not cross between the ends."""
        return float(1.0 - np.isfinite(self.draws).mean())

    @property
    def prob_always(self) -> float:
        """Probability that they do not cross and `of` is the better throughout."""
        return float((~np.isfinite(self.draws) & self.better_above).mean())

    @property
    def prob_never(self) -> float:
        """Probability that they do not cross and `over` is the better throughout."""
        return float((~np.isfinite(self.draws) & ~self.better_above).mean())

    @property
    def median(self) -> float:
        """Median scale among the draws that cross; NaN without one."""
        return float(np.median(self.found)) if len(self.found) else float("nan")

    def interval(self, ci_prob: float = 0.9) -> tuple[float, float]:
        """Return the central interval among the draws that cross; NaN without one."""
        ends = tails(ci_prob)
        if not len(self.found):
            return float("nan"), float("nan")
        low, high = central(self.found, ends)
        return float(low), float(high)

    def to_dict(self) -> dict[str, Any]:
        """Return the crossing as plain data."""
        (median,) = plain_draws(np.array([self.median]))
        return {
            "of": list(self.of),
            "over": list(self.over),
            "along": self.along,
            "between": list(self.between),
            "point": dict(self.point),
            "median": median,
            "interval_90": plain_draws(np.array(self.interval())),
            "prob_none": self.prob_none,
            "prob_always": self.prob_always,
            "prob_never": self.prob_never,
            "prob_better_above": float(self.better_above.mean()),
            "caveats": list(self.caveats),
            "posterior_line": self.posterior_line,
            "provenance": dict(self.provenance),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the posterior of the scale, with the draws that do not cross beside it."""
        from bayescale.plots.crossing import plot_crossing

        return plot_crossing(self, ax=ax)


_RANGE = Kind("two rising numbers", lambda x: NUMBERS.holds(x) and np.size(x) == 2)


def crossing(
    posterior: Posterior,
    of: Arm,
    over: Arm,
    *,
    along: str = COMPUTE,
    between: tuple[float, float] | None = None,
    seed: int = 0,
    **inputs: Any,
) -> Crossing:
    """Return the scale at which the expected losses of two arms are equal, draw by draw.

    Where curves meet more than once, the last meeting counts: above it the order stays.

    Parameters
    ----------
    posterior : Posterior
        A fit of both arms.
    of, over : str or sequence of str
        Labels of two groups, or levels that one group alone has.
    along : str
        ``"compute"`` grows N and D together; ``"n_tokens"`` (or another input) grows alone.
    between : tuple of float, optional
        Ends of the search, in FLOPs (6 N D) or the unit of the input. Default: the smallest fitted
        run of both arms, and 100 times the largest.
    seed : int
        Seed of the law's error, and of an arm without runs.
    **inputs : float
        A point of the ray: along compute it sets D/N, along one input it fixes the others.

    Returns
    -------
    Crossing
        Draws of the scale, and the probability that there is none.

    Raises
    ------
    DecisionError
        For arms that cannot be compared, a ray that the law lacks, or ends that are no range.
    UnknownNameError
        For an arm that the fit does not have.
    ForecastError
        For a point that cannot be used.
    """
    what = "crossing"
    posterior = fitted(posterior, seed=seed)
    names = scaled_names(posterior.law, along, what)
    posterior, labels = resolve(posterior, (of, over), what, seed)
    check_comparable(posterior, labels, what)
    points = make_points(posterior, inputs, [labels[0]]).inputs
    point = {name: float(values[0]) for name, values in points.items()}
    check_arguments(what, DecisionError, between=(between, _RANGE.or_none))
    low, high = between or _fitted_range(posterior, labels, names)
    if not 0.0 < low < high < np.inf:
        raise DecisionError(f"{what}: between is {(low, high)}, expected two rising numbers.")
    here = np.log(scale({name: np.array([point[name]]) for name in names}, names))[0]
    at = grid(np.log(low), np.log(high))
    curve = ray(point, names, at - here)
    drawn, made = expected_log_loss(posterior, [(label, curve) for label in labels], seed)
    where, refined = roots(at, drawn[0] - drawn[1])
    found = np.isfinite(where)
    last = np.where(found, where, -np.inf).max(axis=1)
    return Crossing(
        of=labels[0],
        over=labels[1],
        along=along,
        between=(float(low), float(high)),
        point=point,
        draws=np.where(found.any(axis=1), np.exp(last), np.nan),
        better_below=refined[:, 0] < 0,
        better_above=refined[:, -1] < 0,
        caveats=_caveats(posterior, labels, made.extrapolation_factor.max()),
        posterior_line=repr(posterior),
        provenance=dict(posterior.provenance),
    )


def _fitted_range(
    posterior: Posterior, labels: tuple[Label, ...], names: tuple[str, ...]
) -> tuple[float, float]:
    problems = [posterior.problems[posterior.group_index(label)] for label in labels]
    # An arm without runs is looked for where the others are.
    fitted = [p for p in problems if len(p)] or [p for p in posterior.problems if len(p)]
    scales = np.concatenate([scale(problem.inputs, names) for problem in fitted])
    return float(scales.min()), BEYOND * float(scales.max())


def _caveats(posterior: Posterior, labels: tuple[Label, ...], reach: float) -> tuple[str, ...]:
    found = caveats_of(posterior, labels)
    if reach > REVIEW_FACTOR:
        found.append(sentences.far(reach))
    return tuple(dict.fromkeys(found))
