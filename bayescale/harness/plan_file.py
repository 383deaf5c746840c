"""Read a sweep plan from YAML: checked whole before anything trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bayescale.errors import HarnessError, nearest
from bayescale.harness.plan import SweepPlan
from bayescale.harness.plan_parts import Budget, Facts, Measure, Size, Strict, Tuning


def load_plan(path: str | Path) -> SweepPlan:
    """Read and check a sweep plan.

    Parameters
    ----------
    path : str or Path
        YAML file.

    Returns
    -------
    SweepPlan
        The plan, defaults filled in.

    Raises
    ------
    HarnessError
        When the file is missing, is not YAML, or has an unknown, missing or impossible value.
    """
    path = Path(path)
    if not path.is_file():
        raise HarnessError(f"sweep plan {str(path)!r}: no such file.", "Give a YAML plan.")
    try:
        tree = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise HarnessError(f"sweep plan {path.name!r}: not readable YAML ({error}).") from error
    if not isinstance(tree, dict):
        raise HarnessError(
            f"sweep plan {path.name!r}: found {type(tree).__name__}, expected keys and values.",
            f"It needs at least {', '.join(_required())}.",
        )
    try:
        return SweepPlan.model_validate(tree)
    except ValidationError as error:
        raise _readable(path.name, error, tree) from error


def _readable(name: str, error: ValidationError, tree: dict[str, Any]) -> HarnessError:
    """Turn one fault into a message with the value and the way out; a misspelt key goes first."""
    faults = error.errors()
    first = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    # Of a value that may be of several types pydantic also names the type it tried.
    tried = ("int", "float", "tuple[")
    parts = [str(part) for part in first["loc"] if not str(part).startswith(tried)]
    where = ".".join(parts) or "the plan as a whole"
    if first["type"] == "extra_forbidden":
        key, known = str(first["loc"][-1]), _known_keys(first["loc"])
        return HarnessError(f"sweep plan {name!r}: unknown key {where!r}.", nearest(key, known))
    if not {"corpus", "corpora"} & set(tree):
        first, where = {**first, "type": "missing"}, "corpus"
    if first["type"] == "missing":
        return HarnessError(
            f"sweep plan {name!r}: key {where!r} is missing.",
            f"It needs at least {', '.join(_required())}.",
        )
    value = "" if first["loc"] == () else f" is {_short(first['input'])}"
    return HarnessError(f"sweep plan {name!r}: {where}{value}: {first['msg']}.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _required() -> list[str]:
    # A corpus may come under either of two keys, so that neither is required by itself.
    known = SweepPlan.model_fields.items()
    return [name for name, field in known if field.is_required() or name == "corpus"]


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    parts: dict[str, type[Strict]] = {
        "budget": Budget,
        "sizes": Size,
        "tuning": Tuning,
        "facts": Facts,
        "measure": Measure,
    }
    part = parts.get(str(location[0]), SweepPlan) if len(location) > 1 else SweepPlan
    return list(part.model_fields)
