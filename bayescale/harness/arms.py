"""The arms of a plan, a corpus and an architecture each, and the units that each trains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bayescale.harness.accounting import count_params
from bayescale.harness.config import ZIPF_FACTS, Member, RunConfig
from bayescale.harness.corpora import build_corpus
from bayescale.harness.plan import SweepPlan
from bayescale.harness.trials import tuning_units

PLACEHOLDER_RATE = 1e-3
"""Stands for a learning rate that has yet to be found, where only the cost of a unit matters."""

Kept = dict[str, Any]
"""What of a unit a budget has left: ``members``, a number, and ``milestones``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """A ladder of sizes on one corpus and one architecture."""

    plan: SweepPlan
    """Of this corpus and architecture."""
    corpus_dir: Path | None
    """Built corpus; None for the synthetic stream."""
    tokens_sha256: str
    """Hash of the token file; empty for the synthetic stream."""
    adamw: Mapping[int, str] = field(default_factory=dict)
    """Form of AdamW by number of parameters, where it was measured; the plan's elsewhere."""
    compiled: Mapping[int, bool] = field(default_factory=dict)
    """Whether runs are compiled by number of parameters, where it was measured; as in the plan
    elsewhere, and for trials, which are short."""

    def trials(self) -> list[RunConfig]:
        """Return the units that search for settings; none where the plan gives the rates."""
        return [self._formed(unit) for unit in tuning_units(self.plan, self.tokens_sha256)]

    def units(self, found: dict[str, Any] | None = None) -> list[RunConfig]:
        """Return the units of the ladder, one per size with all seeds stacked.

        Parameters
        ----------
        found : dict, optional
            What `bayescale.harness.trials.settings` returned; placeholders when not given.
        """
        if found is None:
            found = {"rates": [PLACEHOLDER_RATE] * len(self.plan.sizes)}
        units = sweep_units(self.plan, found, self.tokens_sha256)
        return [self._compiled(self._formed(unit)) for unit in units]

    def _formed(self, unit: RunConfig) -> RunConfig:
        form = self.adamw.get(count_params(unit.architecture), unit.optim.adamw)
        return replace(unit, optim=replace(unit.optim, adamw=form))

    def _compiled(self, unit: RunConfig) -> RunConfig:
        compiled = self.compiled.get(count_params(unit.architecture), unit.train.compiled)
        return replace(unit, train=replace(unit.train, compiled=compiled))


def open_arms(plan: SweepPlan) -> list[Arm]:
    """Return the arms of a plan, building each corpus that the cache lacks.

    Parameters
    ----------
    plan : SweepPlan
        The plan.

    Returns
    -------
    list of Arm
        In the plan's order.
    """
    names = dict.fromkeys(arm.corpus for arm in plan.arms)
    built = {name: None if name == ZIPF_FACTS else build_corpus(name) for name in names}
    hashes = {name: _tokens_sha256(folder) for name, folder in built.items()}
    return [
        Arm(plan=arm, corpus_dir=built[arm.corpus], tokens_sha256=hashes[arm.corpus])
        for arm in plan.arms
    ]


def sweep_units(plan: SweepPlan, found: dict[str, Any], tokens_sha256: str) -> list[RunConfig]:
    """Return the units of the sweep itself, one per size with all seeds stacked.

    Parameters
    ----------
    plan : SweepPlan
        The plan, of one corpus and one architecture.
    found : dict
        What `bayescale.harness.trials.settings` returned.
    tokens_sha256 : str
        Hash of the token file.

    Returns
    -------
    list of RunConfig
        In the plan's order.
    """
    as_planned = [None] * len(plan.sizes)
    columns = (found["rates"], found.get("batch_tokens"), found.get("beta2"))
    each = zip(plan.sizes, *(column or as_planned for column in columns), strict=True)
    return [
        plan.unit(
            size,
            tuple(Member(seed=seed, learning_rate=rate) for seed in size.seeds or plan.seeds),
            tokens_sha256,
            batch_tokens=batch,
            beta2=beta2,
        )
        for size, rate, batch, beta2 in each
    ]


def kept_of(unit: RunConfig) -> Kept:
    """Return what `trimmed` needs to make a unit as long and as wide as this one.

    Parameters
    ----------
    unit : RunConfig
        What a budget has left of a unit.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {"members": len(unit.members), "milestones": list(unit.train.milestones)}


def trimmed(unit: RunConfig, kept: Kept) -> RunConfig:
    """Return a unit with the members and milestones that a budget has left of it.

    Parameters
    ----------
    unit : RunConfig
        As planned.
    kept : dict
        What `kept_of` returned.

    Returns
    -------
    RunConfig
        The same where nothing was cut.
    """
    train = replace(unit.train, milestones=tuple(kept["milestones"]))
    return replace(unit, members=unit.members[: kept["members"]], train=train)


def _tokens_sha256(corpus_dir: Path | None) -> str:
    if corpus_dir is None:
        return ""
    return str(json.loads((corpus_dir / "meta.json").read_text())["sha256"])
