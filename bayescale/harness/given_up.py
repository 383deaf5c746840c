"""Units that were stopped for good: where, and why. Their curve so far lies beside the note."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bayescale.errors import HarnessError
from bayescale.harness.runs_file import write_whole

FILE = "given_up.json"


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """A unit that was stopped for good.

    Parameters
    ----------
    unit : str
        Its hash, the name of its folder; ``losses.jsonl`` there is its curve so far.
    step, n_steps : int
        Where it was stopped, and how long its longest run would have been.
    reason : str
        What the rule said.
    """

    unit: str
    step: int
    n_steps: int
    reason: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.unit} stopped for good at step {self.step} of {self.n_steps}: {self.reason}"


def note(folder: Path, step: int, n_steps: int, reason: str) -> None:
    """Write down that a unit is stopped for good.

    Parameters
    ----------
    folder : Path
        Folder of the unit.
    step, n_steps, reason
        As for `GivenUp`.
    """
    made = GivenUp(unit=folder.name, step=step, n_steps=n_steps, reason=reason)
    write_whole(folder / FILE, json.dumps(asdict(made), indent=1) + "\n")


def forget(folder: Path) -> None:
    """Take the note away, because the unit trains after all."""
    (folder / FILE).unlink(missing_ok=True)


def is_given_up(folder: Path) -> bool:
    """Return whether a unit was stopped for good."""
    return (folder / FILE).is_file()


def given_up(folders: Iterable[Path]) -> list[GivenUp]:
    """Return the units that were stopped for good, in the order given.

    Parameters
    ----------
    folders : iterable of Path
        Folders of units; others are left out.

    Raises
    ------
    HarnessError
        When a note cannot be read.
    """
    return [_read(folder) for folder in folders if is_given_up(folder)]


def _read(folder: Path) -> GivenUp:
    try:
        return GivenUp(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise HarnessError(
            f"{FILE} of unit {folder.name}: not a note of a stopped unit ({error}).",
            "Delete it: the next sweep then goes on with the unit.",
        ) from error
