"""What pilots are worth: each by itself, and several chosen greedily."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescale.decisions.information import Halvings, evpi, evsi
from bayescale.decisions.outcomes import PilotOutcome, PilotSet
from bayescale.decisions.outlook import Outlook
from bayescale.decisions.payoffs import Payoffs
from bayescale.decisions.plan import PlannedRun
from bayescale.models.discrepancy import Floats

ERRORS = 2.0
"""Monte Carlo errors by which a net gain must exceed zero to count."""

LARGEST_SET, TRIED = 4, 4
"""Pilots of a set at most, and pilots tried at each step, by their own net gain."""


def is_clear(pilot: PilotOutcome | PilotSet) -> bool:
    """Return whether pilots gain more than they cost, beyond Monte Carlo error."""
    return pilot.net_gain_usd > ERRORS * pilot.evsi_se_usd


class PilotValues:
    """Values of pilots under one question's payoffs, all by the same draws and halvings.

    Parameters
    ----------
    payoffs : Payoffs
        What every action pays.
    outlook : Outlook
        Forecasts of the scenario's runs.
    losses : array, shape (S, runs)
        Joint draws of all of them.
    seed : int
        Seed of the halvings.
    """

    def __init__(self, payoffs: Payoffs, outlook: Outlook, losses: Floats, seed: int) -> None:
        self.payoffs, self.outlook, self.log_losses = payoffs, outlook, np.log(losses)
        self.halvings = Halvings.of(payoffs.clusters, np.random.default_rng([seed, 1]))
        self.now = payoffs.utility()

    def perfect(self) -> float:
        """Return what knowing all outcomes beforehand is worth: no pilot is worth more."""
        return self._in_usd(evpi(self.now), 0.0)[0]

    def one(self, run: PlannedRun) -> PilotOutcome:
        """Return the value of one pilot."""
        plan = self.payoffs.scenario
        value, error = self._value([run])
        cost = plan.run_cost_usd(run)
        return PilotOutcome(
            name=run.name,
            inputs=run.inputs,
            label=self.outlook.label(run.name),
            flops=plan.flops(run.inputs),
            cost_usd=cost,
            evsi_usd=value,
            evsi_se_usd=error,
            net_gain_usd=value - cost,
            days=plan.days(run),
        )

    def several(self, runs: Sequence[PlannedRun]) -> PilotSet:
        """Return the value of making several pilots at once, before deciding."""
        value, error = self._value(runs)
        cost = sum(self.payoffs.scenario.run_cost_usd(run) for run in runs)
        return PilotSet(
            names=tuple(run.name for run in runs),
            cost_usd=cost,
            evsi_usd=value,
            evsi_se_usd=error,
            net_gain_usd=value - cost,
        )

    def greedy(self, outcomes: Sequence[PilotOutcome]) -> tuple[PilotSet, ...]:
        """Return growing sets, each with a net gain clearly above that of the one before.

        Parameters
        ----------
        outcomes : sequence of PilotOutcome
            Every pilot by itself.
        """
        ranked = sorted(outcomes, key=lambda pilot: (-pilot.net_gain_usd, pilot.name))
        by_name = {run.name: run for run in self.payoffs.scenario.pilots}
        sets: list[PilotSet] = []
        best: PilotOutcome | PilotSet = ranked[0]
        if best.evsi_usd <= ERRORS * best.evsi_se_usd:
            return ()
        chosen, left = [by_name[ranked[0].name]], [by_name[pilot.name] for pilot in ranked[1:]]
        while left and len(chosen) < LARGEST_SET:
            found = max(
                (self.several([*chosen, run]) for run in left[:TRIED]),
                key=lambda each: each.net_gain_usd,
            )
            if found.net_gain_usd <= best.net_gain_usd + found.evsi_se_usd:
                break
            sets.append(found)
            best, chosen = found, [by_name[name] for name in found.names]
            left = [run for run in left if run.name != found.names[-1]]
        return tuple(sets)

    def _value(self, runs: Sequence[PlannedRun]) -> tuple[float, float]:
        plan = self.payoffs.scenario
        days = max((plan.days(run) or 0.0 for run in runs), default=0.0)
        later = self.payoffs.utility(days) if plan.price.deadline_days else None
        return self._in_usd(*evsi(self.now, self._signal(runs), self.halvings, later))

    def _in_usd(self, gain: float, error: float) -> tuple[float, float]:
        """Return a gain in utility and its error as sure sums of money."""
        risk = self.payoffs.scenario.risk
        if risk is None:
            return gain, error
        before = float(self.now.mean(axis=0).max())
        gained = risk.certain(before + gain) - risk.certain(before)
        return gained, error * risk.slope(before + gain)

    def _signal(self, runs: Sequence[PlannedRun]) -> Floats:
        """Return one pilot's loss, or what several say of each candidate by linear regression."""
        seen = self.log_losses[:, [self.outlook.column[run.name] for run in runs]]
        if len(runs) == 1:
            return np.asarray(seen[:, 0])
        seen = seen - seen.mean(axis=0)
        scatter = seen.T @ seen
        scatter += 1e-9 * np.diag(np.diag(scatter))  # two pilots may be one and the same run
        fitted = seen @ np.linalg.solve(scatter, seen.T @ np.log(self.payoffs.losses))
        # Doing nothing pays nothing whatever is seen.
        return np.column_stack([fitted[:, 0], fitted])
