"""Units of a sweep that are stopped for good, because their losses miss their forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import DecisionError
from bayescale.runs import schema

if TYPE_CHECKING:
    from bayescale.forecasts.stopper import Stopper
    from bayescale.forecasts.watched import Watch
    from bayescale.harness.job import Job, Stop, Tell
    from bayescale.harness.train import Outcome
    from bayescale.inference.curve_posterior import CurvePosterior
    from bayescale.inference.posterior import Posterior

EXPECTED = 0.95
"""Quantile of a unit's own forecast that it is to end below, where no target was given."""

LOOK_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class StopAgainst:
    """Train a unit, unless its losses say that it will miss its target; the ``work`` of a sweep.

    The members of a unit train at once: it is stopped for good when the stop rule of `watch` stops
    every one of them.

    Parameters
    ----------
    against : str or Path
        A saved posterior, or a runs table to fit first.
    target : float, optional
        Loss that every unit is to reach; by default the 95 % point of its own forecast.
    stop_rate : float
        Most of the runs that would reach it which may be stopped.
    every : float
        Seconds between two looks.
    """

    against: str | Path
    target: float | None = None
    stop_rate: float = 0.05
    every: float = LOOK_SECONDS

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker is sent: where the posterior lies, and not the posterior."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def check(self) -> None:
        """Raise what is wrong with the posterior or the numbers, before anything is trained."""
        from bayescale.forecasts.watch import check_stop_rule
        from bayescale.inference.curve_posterior import CurvePosterior

        check_stop_rule(self.target, self.stop_rate)
        if self.target is None and isinstance(self._posterior, CurvePosterior):
            raise DecisionError(
                f"stop against {str(self.against)!r}: a posterior of curves does not know how long"
                " a unit's run is, so that it has no target of its own.",
                "Give one: target=... (--stop-target).",
            )

    def __call__(
        self, job: Job, progress: Tell | None = None, should_stop: Stop | None = None
    ) -> Outcome:
        """Train the unit of a job, or go on with it."""
        from bayescale.harness.job import run_job

        seen: list[Watch] = []
        rules = self._rules(job, seen.append)

        def give_up() -> str:
            # The first that may go on keeps the unit.
            return str(seen[-1]) if all(rule() for rule in rules) else ""

        return run_job(job, progress, should_stop, give_up)

    @cached_property
    def _posterior(self) -> Posterior | CurvePosterior:
        from bayescale.forecasts.watch import posterior_of

        return posterior_of(self.against, 0)

    def _rules(self, job: Job, on_look: Callable[[Watch], None]) -> list[Stopper]:
        """Return the rule of every member; what they are held to is the same."""
        from bayescale.forecasts.stopper import Stopper

        inputs, label = self._inputs(job), self._label(job)
        target = self.target or self._expected(inputs, label)
        return [
            Stopper(
                job.folder,
                self._posterior,
                target=target,
                run=f"{job.folder.name}-{member}",
                stop_rate=self.stop_rate,
                label=label,
                every=self.every,
                on_look=on_look,
                **inputs,
            )
            for member in range(len(job.config.members))
        ]

    def _inputs(self, job: Job) -> dict[str, Any]:
        """Return what the posterior's law reads of a unit's longest run."""
        from bayescale.harness.accounting import count_params
        from bayescale.inference.posterior import Posterior

        known = {
            schema.N_PARAMS: float(count_params(job.config.architecture)),
            schema.N_TOKENS: float(job.config.train.milestones[-1]),
        }
        if not isinstance(self._posterior, Posterior):
            return {schema.N_TOKENS: known[schema.N_TOKENS]}
        read = {*self._posterior.law.inputs, schema.N_TOKENS}
        return {name: value for name, value in known.items() if name in read}

    def _label(self, job: Job) -> tuple[str, ...] | None:
        """Return the group of a unit; None where the posterior has one group."""
        if len(self._posterior.labels) == 1:
            return None
        own = {
            schema.DATASET: job.config.data.corpus,
            schema.ARCHITECTURE: job.config.architecture.name,
        }
        return tuple(own.get(column, "") for column in self._posterior.group_columns)

    def _expected(self, inputs: dict[str, Any], label: tuple[str, ...] | None) -> float:
        """Return the loss below which a unit's own forecast has it end."""
        from bayescale.forecasts.forecast import forecast

        labels = None if label is None else [label]
        made = forecast(self._posterior, labels=labels, warn=False, **inputs)
        return float(np.ravel(made.quantile(EXPECTED))[0])
