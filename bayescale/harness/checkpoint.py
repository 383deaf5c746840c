"""Everything a unit needs to go on, written so that a kill at any instant leaves a whole file."""

from __future__ import annotations

import os
import pickle
import warnings
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bayescale.errors import BayescaleWarning, HarnessError

KEPT = 2
"""Checkpoints kept; the older one serves when the disk loses the newer."""
PARTIAL = "checkpoint.tmp"
UNIT = "unit"
"""Key of a checkpoint file beside the fields of `TrainState`: whose state it is."""


@dataclass(kw_only=True, slots=True)
class TrainState:
    """What changes while a unit trains."""

    params: Tensor
    """Parameters, shape (K, P)."""
    moment1: Tensor
    """First moments of AdamW, shape (K, P)."""
    moment2: Tensor
    """Second moments of AdamW, shape (K, P)."""
    trunk: Tensor
    """Parameters and moments kept for the way back from a branch, shape (3, K, P), or empty."""
    lowest: Tensor
    """Smallest running mean of the training loss so far, shape (K,)."""
    above: Tensor
    """Consecutive steps far above it, shape (K,)."""
    diverged: Tensor
    """Whether a member has been given up, shape (K,)."""
    mean: Tensor = field(default_factory=lambda: torch.empty(0))
    """Running mean of the training loss, shape (K,), infinite before the first step; checkpoints
    had none once."""
    segment: int = 0
    """Position in the schedule."""
    step: int = 0
    """Optimiser steps taken on the way to the current state."""

    def __post_init__(self) -> None:
        """Begin the running mean where there is none yet."""
        if self.mean.numel() == 0:
            self.mean = torch.full_like(self.lowest, torch.inf)

    @classmethod
    def begin(cls, params: Tensor) -> TrainState:
        """Return the state before the first step.

        Parameters
        ----------
        params : Tensor
            Initial parameters, shape (K, P).

        Returns
        -------
        TrainState
            Moments zero, nothing diverged.
        """
        n_members = len(params)
        return cls(
            params=params,
            moment1=torch.zeros_like(params),
            moment2=torch.zeros_like(params),
            trunk=torch.empty(0),
            lowest=params.new_full((n_members,), torch.inf),
            above=params.new_zeros(n_members, dtype=torch.int64),
            diverged=params.new_zeros(n_members, dtype=torch.bool),
        )

    def leave_trunk(self) -> None:
        """Keep the trunk before a branch."""
        self.trunk = torch.stack([self.params, self.moment1, self.moment2])

    def return_to_trunk(self, step: int) -> None:
        """Go back to where the branch began.

        Parameters
        ----------
        step : int
            Step at which the trunk was kept.
        """
        self.params, self.moment1, self.moment2 = (part.clone() for part in self.trunk)
        self.trunk, self.step = torch.empty(0), step
        if step == 0:  # a run of its own follows, which knows nothing of this one
            self.lowest = torch.full_like(self.lowest, torch.inf)
            self.mean = torch.full_like(self.mean, torch.inf)
            self.above = torch.zeros_like(self.above)
            self.diverged = torch.zeros_like(self.diverged)


def save(folder: Path, state: TrainState, unit: str = "") -> None:
    """Write a checkpoint: temporary file, fsync, rename; then drop all but the newest two.

    Parameters
    ----------
    folder : Path
        Folder of the unit.
    state : TrainState
        What to write.
    unit : str
        Hash of the unit's configuration, by which `load` tells its own checkpoints.

    Raises
    ------
    HarnessError
        When the disk does not take it; older checkpoints are left as they were.
    """
    older = _files(folder)
    number = int(older[-1].stem.split("-")[1]) + 1 if older else 0
    partial = folder / PARTIAL
    try:
        _write({one.name: getattr(state, one.name) for one in fields(state)}, unit, partial)
    except (OSError, RuntimeError) as error:
        # PyTorch hides an error of the disk behind one of its own.
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        partial.unlink(missing_ok=True)
        raise HarnessError(
            f"checkpoint of unit {folder.name}: cannot be written ({cause.strerror}).",
            "Free some space, then resume: records and older checkpoints are whole.",
        ) from error
    partial.rename(folder / f"checkpoint-{number:08d}.pt")
    for path in older[: len(older) + 1 - KEPT]:
        path.unlink()


def _write(held: dict[str, Any], unit: str, path: Path) -> None:
    with path.open("wb") as file:
        torch.save(held | {UNIT: unit}, file)
        file.flush()
        os.fsync(file.fileno())


def load(
    folder: Path,
    device: str | torch.device = "cpu",
    *,
    unit: str = "",
    shape: tuple[int, ...] | None = None,
) -> TrainState | None:
    """Read the newest checkpoint that can be read.

    Parameters
    ----------
    folder : Path
        Folder of the unit.
    device : str or torch.device
        Where to put the tensors.
    unit : str
        Hash of the unit's configuration; a checkpoint of another unit is refused.
    shape : tuple of int, optional
        Of the unit's parameters, (K, P).

    Returns
    -------
    TrainState or None
        None when there is no checkpoint yet.

    Raises
    ------
    HarnessError
        When no file holds a state of this unit, and nothing but tensors and numbers.

    Warns
    -----
    BayescaleWarning
        When the newest cannot be used and the older one takes its place.
    """
    faults: list[HarnessError] = []
    for path in reversed(_files(folder)):
        try:
            state = _read(path, device, unit, shape)
        except HarnessError as fault:
            faults.append(fault)
            continue
        for unusable in faults:
            warnings.warn(f"{unusable.message} Going on from {path.name}.", BayescaleWarning, 2)
        return state
    if faults:
        raise faults[0]
    return None


def _read(
    path: Path, device: str | torch.device, unit: str, shape: tuple[int, ...] | None
) -> TrainState:
    try:
        held = torch.load(path, map_location=device, weights_only=True)
        # Checkpoints had no unit once; their shape is all that tells.
        owner = held.pop(UNIT, unit)
        state = TrainState(**held)
    except (
        AttributeError,
        RuntimeError,
        TypeError,
        EOFError,
        OSError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        raise HarnessError(
            f"checkpoint {path.name} of unit {path.parent.name}: cannot be read "
            f"({type(error).__name__}: {str(error).partition(chr(10))[0][:120]}).",
            "Delete it; the older checkpoint or a fresh start takes its place.",
        ) from error
    _check_own(path, state, owner, unit, shape)
    return state


def _check_own(
    path: Path, state: TrainState, owner: str, unit: str, shape: tuple[int, ...] | None
) -> None:
    """Refuse the state of another unit."""
    found = tuple(state.params.shape)
    foreign = f"of unit {owner}" if owner and unit and owner != unit else ""
    if shape is not None and found != shape:
        foreign = f"of {found[0]} members with {found[-1]} parameters, expected {shape}"
    if foreign:
        raise HarnessError(
            f"checkpoint {path.name} of unit {path.parent.name}: it is {foreign}.",
            "Move it back to the folder that it came from, or delete it.",
        )


def discard(folder: Path) -> None:
    """Delete all checkpoints of a finished unit.

    Parameters
    ----------
    folder : Path
        Folder of the unit.
    """
    for path in (*_files(folder), folder / PARTIAL):
        path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*.pt"))
