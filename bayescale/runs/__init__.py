"""Tables of training runs: read, checked, cut and shipped with their cards."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "RunsTable": "table",
    "read_runs": "table",
    "Finding": "finding",
    "Card": "catalog",
    "list_runs": "catalog",
    "load_card": "catalog",
    "runs_folder": "catalog",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name on first use, because the harness needs `schema` without pandas."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
