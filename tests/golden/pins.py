"""Stored values, one JSON file a subject."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def pins(subject: str) -> dict[str, Any]:
    """Return the stored values by name."""
    path = FOLDER / f"{subject}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def add_missing(subject: str, names: Iterable[str], compute: Callable[[str], Any]) -> None:
    """Store what has no value yet, and keep what has one."""
    old = pins(subject)
    new = {name: compute(name) for name in names if name not in old}
    text = json.dumps({**old, **new}, indent=1, sort_keys=True)
    (FOLDER / f"{subject}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{subject}: {len(old)} kept, {len(new)} added\n")
