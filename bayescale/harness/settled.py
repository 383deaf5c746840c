"""What a sweep's folder was begun with: its plan, what a budget left of it, how steps are taken.

Speeds vary from one start to the next, so that they are measured once and what follows from them
is kept: what resumes is what was begun.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayescale.errors import HarnessError
from bayescale.harness.accounting import count_params
from bayescale.harness.adamw_choice import fastest_adamw
from bayescale.harness.arms import Arm, Kept, kept_of
from bayescale.harness.budget import Limits
from bayescale.harness.compile_choice import worth_compiling
from bayescale.harness.config import RunConfig
from bayescale.harness.plan import SweepPlan
from bayescale.harness.planner import estimated
from bayescale.harness.runs_file import write_whole

FILE_NAME = "plan.json"
CHOOSERS: dict[str, Callable[[Iterable[RunConfig], str], Mapping[int, object]]] = {
    "adamw": fastest_adamw,
    "compiled": worth_compiling,
}
"""Keys of a plan, and fields of an arm, that speeds decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What speeds decided when a folder was begun."""

    arms: list[Arm]
    """Arms with the form of AdamW of every size, and whether it is compiled."""
    kept: list[list[Kept]] | None
    """What the budget leaves of every unit of every arm; None where there is no budget."""


def settle(
    out: Path,
    plan: SweepPlan,
    arms: list[Arm],
    *,
    replan: bool,
    workers: int,
    device: str,
) -> Settled:
    """Check that a folder belongs to a plan; measure what the plan leaves to speeds if it is new.

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
    Settled
        What the folder keeps, or what it gets to keep now.

    Raises
    ------
    HarnessError
        When the folder was begun with another plan, or the budget is too small.
    """
    path, asked = out / FILE_NAME, _named(plan)
    begun = _read(path)
    if begun is not None and begun["plan"] == asked:
        return Settled(arms=_chosen(arms, begun), kept=begun["kept"])
    if begun is not None and not replan:
        raise HarnessError(
            f"sweep folder {out.name!r}: it was begun with another plan; "
            f"{_difference(begun['plan'], asked)}.",
            "Give another folder, or ask for the new plan with --replan (replan=True): units that "
            "both plans have are not trained again.",
        )
    choices = {key: _measured(key, out, plan, arms, begun, device) for key in CHOOSERS}
    arms, kept = _chosen(arms, choices), None
    if plan.budget.limits != Limits():
        made = estimated(arms, workers=workers, device=device)
        left = iter(made.units)
        kept = [[kept_of(next(left).config) for _ in arm.plan.sizes] for arm in arms]
    begun = {"plan": asked, "kept": kept, **choices}
    write_whole(path, json.dumps(begun, indent=1) + "\n")
    return Settled(arms=arms, kept=kept)


Choices = dict[str, Any]
"""What was chosen of every key of `CHOOSERS`: by number of parameters, as JSON has it, or None in
folders that are older than the choice."""


def _measured(
    key: str,
    out: Path,
    plan: SweepPlan,
    arms: list[Arm],
    begun: dict[str, Any] | None,
    device: str,
) -> dict[str, Any] | None:
    """Return the choices for all sizes, those of a folder that has some measured already."""
    older = (out / "units").exists() if begun is None else begun[key] is None
    if older:
        return None
    known: dict[str, Any] = {} if begun is None else begun[key]
    if not plan.is_measured(key):
        return known
    units = {count_params(unit.architecture): unit for arm in arms for unit in arm.units()}
    new = [unit for n_params, unit in units.items() if str(n_params) not in known]
    return known | {str(n): choice for n, choice in CHOOSERS[key](new, device).items()}


def _chosen(arms: list[Arm], choices: Choices) -> list[Arm]:
    """Return arms whose sizes have what was measured, where their plans leave it to that."""

    def of(arm: Arm, key: str) -> dict[int, Any]:
        known = (choices[key] or {}).items() if arm.plan.is_measured(key) else ()
        return {int(n_params): choice for n_params, choice in known}

    return [replace(arm, adamw=of(arm, "adamw"), compiled=of(arm, "compiled")) for arm in arms]


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
        choices = {key: found.get(key) for key in CHOOSERS}
        return {"plan": dict(found["plan"]), "kept": found["kept"], **choices}
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
