"""What a sweep would run and cost, and what of it a budget leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayescale.errors import HarnessError
from bayescale.harness.arms import Arm, open_arms
from bayescale.harness.budget import fitted
from bayescale.harness.config import RunConfig
from bayescale.harness.estimate import Estimate, disk_bytes, wall_seconds
from bayescale.harness.plan_file import load_plan
from bayescale.harness.speed import measured_speed

Told = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class SweepEstimate:
    """What a sweep would run, before it does."""

    trials: list[Estimate]
    """Units that search for settings."""
    planned: list[Estimate]
    """Units as the plan has them."""
    units: list[Estimate]
    """What the budget leaves of them, one for each."""
    workers: int
    """Units that run side by side."""

    def __repr__(self) -> str:
        """Return one line."""
        every = [*self.trials, *self.units]
        rows, flops = sum(each.n_rows for each in self.units), sum(each.flops for each in every)
        return (
            f"<SweepEstimate: {len(every)} units, {rows} rows, {flops:.2e} FLOPs, "
            f"{self.seconds:.0f} s on {self.workers} workers, {self.disk_bytes / 1e6:.1f} MB>"
        )

    @property
    def seconds(self) -> float:
        """Wall time from the first unit to the last."""
        alone = wall_seconds(self.trials, self.workers) if self.trials else 0.0
        return alone + wall_seconds(self.units, self.workers)

    @property
    def disk_bytes(self) -> int:
        """The most room that it takes at any time."""
        return disk_bytes([*self.trials, *self.units], self.workers)

    @property
    def cuts(self) -> list[str]:
        """What the budget takes away, in words."""
        pairs = zip(self.planned, self.units, strict=True)
        return [_cut(before.config, after.config) for before, after in pairs if before != after]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a unit, for a table or JSON."""
        named = [("tuning", each) for each in self.trials] + [("sweep", one) for one in self.units]
        return [{"stage": stage, **_row(each)} for stage, each in named]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return {
            "units": self.rows(),
            "cuts": self.cuts,
            "workers": self.workers,
            "seconds": self.seconds,
            "flops": sum(each.flops for each in (*self.trials, *self.units)),
            "disk_bytes": self.disk_bytes,
        }


def plan_sweep(
    plan_path: str | Path, *, workers: int = 1, device: str = "cpu", progress: Told | None = None
) -> SweepEstimate:
    """Work out what a sweep would run, by the speed of each shape on this machine.

    Parameters
    ----------
    plan_path : str or Path
        YAML plan.
    workers : int
        Units that run side by side.
    device : str
        PyTorch device.
    progress : callable, optional
        Told the share of shapes measured.

    Returns
    -------
    SweepEstimate
        With the plan's budget applied. Nothing is trained and nothing written, except that a
        corpus that the cache lacks is built.

    Raises
    ------
    HarnessError
        When the plan cannot be used, or its budget is too small for it.
    """
    plan = load_plan(plan_path)
    arms = open_arms(plan)
    return estimated(arms, workers=workers, device=device, progress=progress)


def estimated(
    arms: list[Arm], *, workers: int, device: str, progress: Told | None = None
) -> SweepEstimate:
    """Return what arms would run, their plans' budget applied.

    Parameters
    ----------
    arms : list of Arm
        What `bayescale.harness.arms.open_arms` returned.
    workers : int
        Units that run side by side.
    device : str
        PyTorch device.
    progress : callable, optional
        Told the share of shapes measured.

    Returns
    -------
    SweepEstimate
        Units of all arms, in order.
    """
    trials = [unit for arm in arms for unit in arm.trials()]
    units = [unit for arm in arms for unit in arm.units()]
    made = _estimates([*trials, *units], device, progress)
    before, planned = made[: len(trials)], made[len(trials) :]
    left = fitted(planned, arms[0].plan.budget.limits, workers, before)
    return SweepEstimate(trials=before, planned=planned, units=left, workers=workers)


def check_disk(out: Path, units: list[RunConfig], workers: int) -> None:
    """Refuse a sweep whose checkpoints and records do not fit on the disk.

    Parameters
    ----------
    out : Path
        Folder of the sweep.
    units : list of RunConfig
        What it trains.
    workers : int
        Units that run side by side.

    Raises
    ------
    HarnessError
        With the room needed and the room found.
    """
    needed = disk_bytes([Estimate(config=unit, tokens_per_second=1.0) for unit in units], workers)
    free = shutil.disk_usage(out).free
    if needed > free:
        raise HarnessError(
            f"sweep folder {out.name!r}: {needed / 1e6:.0f} MB are needed for checkpoints and "
            f"records, but {free / 1e6:.0f} MB are free.",
            "Free some space, use fewer workers or give a folder on another disk.",
        )


def _estimates(units: list[RunConfig], device: str, progress: Told | None) -> list[Estimate]:
    """Measure every distinct shape once."""
    speeds: dict[tuple[object, ...], float] = {}
    for number, unit in enumerate(units):
        key = _shape(unit)
        if key not in speeds:
            speeds[key] = measured_speed(unit, device)
        if progress is not None:
            progress((number + 1) / len(units), f"measuring {unit.architecture.name}")
    return [Estimate(config=unit, tokens_per_second=speeds[_shape(unit)]) for unit in units]


def _shape(unit: RunConfig) -> tuple[object, ...]:
    train = replace(unit.train, milestones=(unit.train.batch_tokens * 1000,))
    return unit.architecture, len(unit.members), train


def _cut(before: RunConfig, after: RunConfig) -> str:
    shape = before.architecture
    parts = []
    if len(after.members) < len(before.members):
        parts.append(f"{len(after.members)} of {len(before.members)} seeds")
    if after.train.milestones != before.train.milestones:
        longest = before.train.milestones[-1]
        parts.append(f"up to {after.train.milestones[-1]:,} of {longest:,} tokens")
    size = f"{shape.name} {shape.d_model}x{shape.n_layers} on {before.data.corpus}"
    return f"{size}: {', '.join(parts)}"


def _row(each: Estimate) -> dict[str, Any]:
    shape, train = each.config.architecture, each.config.train
    return {
        "dataset": each.config.data.corpus,
        "architecture": shape.name,
        "size": f"{shape.d_model}x{shape.n_layers}",
        "n_params": each.n_params,
        "members": len(each.config.members),
        "milestones": list(train.milestones),
        "n_tokens": each.n_tokens,
        "flops": each.flops,
        "tokens_per_second": each.tokens_per_second,
        "seconds": each.seconds,
    }
