"""Read a resolved configuration: nothing may be left to a default."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from bayescale.errors import HarnessError, nearest


def read_resolved(kind: Any, tree: Any, where: str) -> Any:
    """Build a configuration dataclass from parsed JSON.

    Parameters
    ----------
    kind : type
        The dataclass; its fields may be plain values, dataclasses, and tuples of either.
    tree : object
        Parsed JSON.
    where : str
        Path of this part in the whole, for messages.

    Returns
    -------
    object
        An instance of ``kind``.

    Raises
    ------
    HarnessError
        When a field is missing or unknown: a default that changes later must not change what an
        old configuration means.
    """
    if not isinstance(tree, dict):
        raise HarnessError(f"{where}: found {tree!r}, expected an object of fields.")
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for name in tree:
        if name not in names:
            raise HarnessError(f"{where}: unknown field {name!r}.", nearest(name, names))
    for name in names:
        if name not in tree:
            raise HarnessError(
                f"{where}: field {name!r} is missing; found {', '.join(sorted(tree)) or 'none'}.",
                "A resolved configuration writes every field, defaults included.",
            )
    values = {name: _read_field(hints[name], tree[name], f"{where}.{name}") for name in names}
    return kind(**values)


def _read_field(hint: Any, value: Any, where: str) -> Any:
    """Read one field by its declared type: a dataclass, a tuple of them, or a plain value."""
    inner = next((a for a in (hint, *get_args(hint)) if is_dataclass(a)), None)
    if inner is None or value is None:
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, list):
        return tuple(read_resolved(inner, item, f"{where}[{i}]") for i, item in enumerate(value))
    return read_resolved(inner, value, where)
