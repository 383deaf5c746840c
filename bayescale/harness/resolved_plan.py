"""A sweep plan with nothing left to decide but the learning rate: plain JSON for a bare machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bayescale.harness import record
from bayescale.harness.accounting import count_params
from bayescale.harness.checked import check
from bayescale.harness.config import RunConfig
from bayescale.harness.resolved import read_json
from bayescale.harness.tuning import best_rate, interpolated
from bayescale.runs import schema


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedPlan:
    """The units of a sweep in the order in which to train them."""

    name: str
    """Name of the table."""
    trials: tuple[RunConfig, ...]
    """Units that search the learning rate, one a tuned size; empty where the rates are given."""
    units: tuple[RunConfig, ...]
    """One unit a size, with as many seeds as are wanted; after trials their rates are replaced."""
    held_back: tuple[int, ...] = ()
    """Positions of the units whose rows go into a table of their own."""

    def __post_init__(self) -> None:
        """Check that the units are of one corpus, and that those held back are there."""
        check(len(self.units) >= 1, self, "units", "at least one unit")
        within = all(0 <= i < len(self.units) for i in self.held_back)
        check(within, self, "held_back", f"positions below {len(self.units)}")
        corpora = {unit.data.corpus for unit in (*self.trials, *self.units)}
        check(len(corpora) == 1, self, "units", f"of one corpus, not of {sorted(corpora)}")

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return self.units[0].data.corpus

    def to_json(self) -> str:
        """Return every field, defaults included, as JSON."""
        return json.dumps(asdict(self), sort_keys=True, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ResolvedPlan:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            JSON.

        Returns
        -------
        ResolvedPlan
            The same plan.

        Raises
        ------
        HarnessError
            When the text is not JSON, or a field is missing, unknown or out of range.
        """
        way_out = "Write it with benchmarks/gpu_pack.py."
        plan = read_json(cls, text, "resolved plan", way_out)
        assert isinstance(plan, cls)
        return plan

    def held_back_hashes(self) -> frozenset[str]:
        """Return the hashes of the units whose rows are kept apart."""
        return frozenset(self.units[i].content_hash for i in self.held_back)

    def with_rates(self, rates: Mapping[int, float]) -> ResolvedPlan:
        """Return the plan with the learning rate of every size.

        Parameters
        ----------
        rates : mapping of int to float
            Learning rate by number of parameters.

        Returns
        -------
        ResolvedPlan
            All members of a unit have its size's rate.
        """
        return replace(
            self, units=tuple(_rated(u, rates[count_params(u.architecture)]) for u in self.units)
        )


def tuned_rates(plan: ResolvedPlan, folders: list[Path]) -> dict[int, float]:
    """Return the learning rate of every size from finished trials.

    Parameters
    ----------
    plan : ResolvedPlan
        The plan; without trials its own rates are returned.
    folders : list of Path
        Folders of the trials, in their order.

    Returns
    -------
    dict of int to float
        By number of parameters: the power law through the best rates of the tuned sizes.
    """
    sizes = [count_params(unit.architecture) for unit in plan.units]
    if not plan.trials:
        return {n: unit.members[0].learning_rate for n, unit in zip(sizes, plan.units, strict=True)}
    found = {
        count_params(trial.architecture): best_rate(_losses(folder))
        for trial, folder in zip(plan.trials, folders, strict=True)
    }
    return dict(zip(sizes, interpolated(found, sizes), strict=True))


def _rated(unit: RunConfig, rate: float) -> RunConfig:
    return replace(
        unit, members=tuple(replace(member, learning_rate=rate) for member in unit.members)
    )


def _losses(folder: Path) -> dict[float, float]:
    """Return the loss of every rate of a trial that did not diverge."""
    rows = [found.row for found in record.read(folder).values()]
    return {
        row[schema.LEARNING_RATE]: row[schema.LOSS] if _counts(row) else float("nan")
        for row in rows
    }


def _counts(row: dict[str, object]) -> bool:
    return row[schema.STATUS] == "finished" and row[schema.LOSS] is not None
