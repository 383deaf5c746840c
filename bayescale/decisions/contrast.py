"""The contrast: by how much a coefficient of one arm differs from that of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arguments import NAME, check_arguments
from bayescale.decisions.arms import Arm, Label, caveats_of, check_comparable, resolve, written
from bayescale.decisions.levels import matched_groups
from bayescale.decisions.paired import central, tails
from bayescale.errors import DecisionError, UnknownNameError
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrast:
    """Posterior of the difference of one coefficient between two arms.

    Parameters
    ----------
    of, over : tuple of str
        The arms: two groups, or two levels of `factor`.
    factor : str
        Group column whose levels are compared; empty when two groups are.
    coefficient : str
        As the literature writes it: ``E``, ``alpha``, ``beta``...
    draws : array, shape (S,)
        Coefficient of `of` minus that of `over`; between levels the mean over `pairs`.
    pairs : tuple of (tuple of str, tuple of str)
        The groups that were subtracted, which differ in `factor` alone.
    caveats : tuple of str
        Sentences with what could make it wrong.
    posterior_line : str
        The posterior it rests on, in one line.
    provenance : mapping of str to str
        That of the posterior.
    """

    of: Label
    over: Label
    factor: str
    coefficient: str
    draws: Floats
    pairs: tuple[tuple[Label, Label], ...]
    caveats: tuple[str, ...]
    posterior_line: str
    provenance: Mapping[str, str]

    def __repr__(self) -> str:
        """Return one line: the difference, its interval, and the probability of its sign."""
        low, high = self.interval()
        sign = ">" if self.median > 0 else "<"
        return (
            f"Contrast of {self.coefficient}, {written(self.of)} minus {written(self.over)}:"
            f" {self.median:+.3g} [{low:+.3g}, {high:+.3g}] at 90 %,"
            f" P({sign} 0) {self.prob_direction:.2f}"
        )

    @property
    def median(self) -> float:
        """Median difference."""
        return float(np.median(self.draws))

    @property
    def prob_above(self) -> float:
        """Probability that `of` has the larger coefficient."""
        return float((self.draws > 0).mean())

    @property
    def prob_direction(self) -> float:
        """Probability that the difference has the sign of its median."""
        return max(self.prob_above, 1.0 - self.prob_above)

    def interval(self, ci_prob: float = 0.9) -> tuple[float, float]:
        """Return the central interval of the difference."""
        low, high = central(self.draws, tails(ci_prob))
        return float(low), float(high)

    def to_dict(self) -> dict[str, Any]:
        """Return the contrast as plain data."""
        return {
            "of": list(self.of),
            "over": list(self.over),
            "factor": self.factor,
            "coefficient": self.coefficient,
            "median": self.median,
            "interval_90": list(self.interval()),
            "prob_above": self.prob_above,
            "prob_direction": self.prob_direction,
            "pairs": [[list(label) for label in pair] for pair in self.pairs],
            "caveats": list(self.caveats),
            "posterior_line": self.posterior_line,
            "provenance": dict(self.provenance),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the posterior of the difference, zero marked."""
        from bayescale.plots.contrast import plot_contrast

        return plot_contrast(self, ax=ax)


def contrast(
    posterior: Posterior, of: Arm, over: Arm, coefficient: str, *, factor: str = "", seed: int = 0
) -> Contrast:
    """Return by how much a coefficient differs between two groups, or two levels of a factor.

    Draws are paired: each difference is taken within one draw of everything. Two levels are
    compared through the groups that differ in that factor alone, with equal weights.

    Parameters
    ----------
    posterior : Posterior
        A fit of both arms.
    of, over : str or sequence of str
        Labels of two groups; with `factor`, two of its levels.
    coefficient : str
        As the literature writes it: ``"alpha"``, ``"beta"``, ``"E"``...
    factor : str
        Group column, such as ``"architecture"``, to compare levels of.
    seed : int
        Seed of an arm without runs.

    Returns
    -------
    Contrast
        Draws of the difference.

    Raises
    ------
    DecisionError
        For an arm compared with itself, levels that no two groups hold with all else equal, or
        a coefficient in nats between arms whose losses cannot be compared.
    UnknownNameError
        For an arm, a factor or a coefficient that the fit does not have.
    """
    what = "contrast"
    posterior = fitted(posterior, seed=seed)
    check_arguments(what, DecisionError, coefficient=(coefficient, NAME), factor=(factor, NAME))
    known = posterior.textbook(0)
    if coefficient not in known:
        raise UnknownNameError("coefficient", coefficient, known, what)
    if factor:
        pairs = matched_groups(posterior, factor, str(of), str(over), what)
        arms: tuple[Label, ...] = ((str(of),), (str(over),))
    else:
        posterior, arms = resolve(posterior, (of, over), what, seed)
        pairs = ((arms[0], arms[1]),)
    if not scale_free(posterior, coefficient):
        for pair in pairs:
            check_comparable(posterior, pair, what)
    caveats = [said for pair in pairs for said in caveats_of(posterior, pair)]
    differences = [
        _coefficient(posterior, a, coefficient) - _coefficient(posterior, b, coefficient)
        for a, b in pairs
    ]
    return Contrast(
        of=arms[0],
        over=arms[1],
        factor=factor,
        coefficient=coefficient,
        draws=np.mean(differences, axis=0),
        pairs=pairs,
        caveats=tuple(dict.fromkeys(caveats)),
        posterior_line=repr(posterior),
        provenance=dict(posterior.provenance),
    )


def scale_free(posterior: Posterior, coefficient: str) -> bool:
    """Return whether a coefficient has no unit, so that it means the same for every loss."""
    units = {c.symbol: c.unit for c in posterior.law.coefficients}
    return units.get(coefficient) == "1"


def _coefficient(posterior: Posterior, label: Label, coefficient: str) -> Floats:
    return np.asarray(posterior.textbook(posterior.group_index(label))[coefficient])
