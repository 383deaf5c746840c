"""What the checks of a posterior look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np

from bayescale.inference.posterior import Posterior
from bayescale.laws.ops import to_unconstrained
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem
from bayescale.runs.finding import Finding, positions


class At(Protocol):
    """Where a forecast is wanted: `forecasts.points.Points`, which lies downstream."""

    @property
    def inputs(self) -> Mapping[str, Floats]:
        """The law's inputs by name, each shape (P,)."""

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """Group of each point."""


@runtime_checkable
class Forecasted(Protocol):
    """What the checks read of a `forecasts.forecast.Forecast`, which lies downstream."""

    @property
    def points(self) -> At:
        """Inputs and group of each point."""

    @property
    def extrapolation_factor(self) -> Floats:
        """Compute of each point over that of the largest fitted run, shape (P,)."""


@dataclass(frozen=True)
class FittedGroup:
    """One group of a posterior.

    Parameters
    ----------
    index : int
        Position among the posterior's groups.
    label : tuple of str
        Values of the group columns; empty for one group.
    problem : Problem
        Its runs.
    first : int
        Position of its first run among all fitted runs.
    """

    index: int
    label: tuple[str, ...]
    problem: Problem
    first: int

    def named(self, text: str) -> str:
        """Return `text` with the group's label in front of it."""
        return f"{'/'.join(self.label)}: {text}" if self.label else text

    def rows(self, mask: Any) -> tuple[int, ...]:
        """Return the positions among all fitted runs of those in a mask of the group's."""
        return tuple(self.first + row for row in positions(np.asarray(mask)))

    def run_text(self, row: int) -> str:
        """Return the inputs and the loss of one run, so that a reader finds it in any table."""
        inputs = ", ".join(f"{name} {v[row]:.4g}" for name, v in self.problem.inputs.items())
        law = self.problem.law
        return f"{inputs}, {law.output} {law.inverse_link(self.problem.log_loss[row]):.4g}"


@dataclass(frozen=True)
class Subject:
    """A posterior and, where there is one, the forecast it is wanted for.

    Parameters
    ----------
    posterior : Posterior
        The fit.
    forecast : Forecast, optional
        What is asked of it.
    """

    posterior: Posterior
    forecast: Forecasted | None = None

    @cached_property
    def groups(self) -> tuple[FittedGroup, ...]:
        """The groups that hold runs."""
        sizes = [len(problem) for problem in self.posterior.problems]
        starts = np.cumsum([0, *sizes]).tolist()
        parts = zip(self.posterior.labels, self.posterior.problems, starts, strict=False)
        made = (FittedGroup(k, *part) for k, part in enumerate(parts))
        return tuple(group for group in made if len(group.problem))

    def coordinates(self, group: FittedGroup) -> Floats:
        """Return the law's coefficients on their sampling coordinates, shape (S, P)."""
        draws = self.posterior.coefficients(group.index)
        law = self.posterior.law
        return np.column_stack(
            [to_unconstrained(draws[c.symbol], c.support) for c in law.coefficients]
        )


@dataclass(frozen=True)
class Check:
    """One check of a posterior.

    Parameters
    ----------
    name : str
        As it stands in findings.
    run : callable
        Takes the subject and returns the finding.
    """

    name: str
    run: Callable[[Subject], Finding]
