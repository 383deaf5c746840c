"""What a sweep's folder was begun with: its plan, and what a budget left of it.

Speeds vary from one start to the next, so that a plan is fitted to its budget once and the result
kept: what resumes is what was begun.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bayescale.errors import HarnessError
from bayescale.harness.arms import Arm, Kept, kept_of
from bayescale.harness.budget import Limits
from bayescale.harness.plan import SweepPlan
from bayescale.harness.planner import estimated
from bayescale.harness.runs_file import write_whole

FILE_NAME = "plan.json"


def settle(
    out: Path,
    plan: SweepPlan,
    arms: list[Arm],
    *,
    replan: bool,
    workers: int,
    device: str,
) -> list[list[Kept]] | None:
    """Check that a folder belongs to a plan, and fit the plan to its budget if it is new.

    Parameters
    ----------
    out : Path
        Folder of the sweep.
    plan : SweepPlan
        The plan.
    arms : list of Arm
        Its arms.
    replan : bool
        Whether the folder may have been begun with another plan.
    workers : int
        Units that run side by side.
    device : str
        PyTorch device.

    Returns
    -------
    list of list of dict, or None
        What the budget leaves of every unit of every arm; None where there is no budget.

    Raises
    ------
    HarnessError
        When the folder was begun with another plan, or the budget is too small.
    """
    path, asked = out / FILE_NAME, _named(plan)
    begun = _read(path)
    if begun is not None and begun["plan"] == asked:
        return begun["kept"]
    if begun is not None and not replan:
        raise HarnessError(
            f"sweep folder {out.name!r}: it was begun with another plan; "
            f"{_difference(begun['plan'], asked)}.",
            "Give another folder, or ask for the new plan with --replan (replan=True): units that "
            "both plans have are not trained again.",
        )
    kept = None
    if plan.budget.limits != Limits():
        made = estimated(arms, workers=workers, device=device)
        left = iter(made.units)
        kept = [[kept_of(next(left).config) for _ in arm.plan.sizes] for arm in arms]
    write_whole(path, json.dumps({"plan": asked, "kept": kept}, indent=1) + "\n")
    return kept


def _named(plan: SweepPlan) -> dict[str, Any]:
    """Return what a plan says, without what a plan from before a key existed could not say."""
    tree: dict[str, Any] = json.loads(plan.model_dump_json(exclude_defaults=True))
    tree.pop("name", None)
    return tree


def _read(path: Path) -> dict[str, Any] | None:
    """Return what was settled; None for a folder that is new, or older than this file."""
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text())
        return {"plan": dict(found["plan"]), "kept": found["kept"]}
    except (ValueError, KeyError, TypeError) as error:
        raise HarnessError(
            f"sweep folder {path.parent.name!r}: {FILE_NAME} is not readable ({error}).",
            "Delete that file; the next start writes it again.",
        ) from error


def _difference(begun: dict[str, Any], asked: dict[str, Any]) -> str:
    keys = [key for key in {**begun, **asked} if begun.get(key) != asked.get(key)]
    said = [f"{key} was {_short(begun.get(key))}, is {_short(asked.get(key))}" for key in keys]
    return "; ".join(said)


def _short(value: Any) -> str:
    text = "left out" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
