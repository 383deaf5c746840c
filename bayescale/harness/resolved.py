"""Read and name a resolved configuration: nothing may be left to a default."""

from __future__ import annotations

import json
from dataclasses import Field, field, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from bayescale.errors import HarnessError, nearest

_BEFORE = "before"


def added(before: Any) -> Any:
    """Declare a field of a configuration that older configurations do not have.

    Parameters
    ----------
    before : object
        What a configuration without the field stands for, for ever; also the default.

    Returns
    -------
    object
        A dataclass field. Where it has this value it is left out of `named_tree`, so that every
        unit keeps its hash and old configurations can still be read.
    """
    return field(default=before, metadata={_BEFORE: before})


def named_tree(config: Any) -> Any:
    """Return what names a configuration: its fields, without later ones that change nothing.

    Parameters
    ----------
    config : object
        A configuration, or a value of one.

    Returns
    -------
    object
        Plain dicts, lists and values, ready for JSON.
    """
    if isinstance(config, tuple):
        return [named_tree(item) for item in config]
    if not is_dataclass(config):
        return config
    values = {f: getattr(config, f.name) for f in fields(config)}
    return {f.name: named_tree(v) for f, v in values.items() if not _says_nothing(f, v)}


def _says_nothing(declared: Field[Any], value: Any) -> bool:
    return _BEFORE in declared.metadata and bool(value == declared.metadata[_BEFORE])


def read_json(kind: Any, text: str, what: str, way_out: str) -> Any:
    """Build a configuration dataclass from JSON.

    Parameters
    ----------
    kind : type
        The dataclass; see `read_resolved`.
    text : str
        JSON.
    what, way_out : str
        What the text should be and how to make it, for messages.

    Raises
    ------
    HarnessError
        When the text is not JSON, or a field is missing, unknown or out of range.
    """
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise HarnessError(
            f"{what}: not JSON ({error}); it begins {text[:40]!r}.", way_out
        ) from error
    return read_resolved(kind, tree, kind.__name__)


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
        old configuration means. A field that was `added` later may be missing.
    """
    if not isinstance(tree, dict):
        raise HarnessError(f"{where}: found {tree!r}, expected an object of fields.")
    hints = get_type_hints(kind)
    declared = {field.name: field for field in fields(kind)}
    for name in tree:
        if name not in declared:
            raise HarnessError(f"{where}: unknown field {name!r}.", nearest(name, declared))
    for name, one in declared.items():
        if name not in tree and _BEFORE not in one.metadata:
            raise HarnessError(
                f"{where}: field {name!r} is missing; found {', '.join(sorted(tree)) or 'none'}.",
                "A resolved configuration writes every field, defaults included.",
            )
    present = [name for name in declared if name in tree]
    values = {name: _read_field(hints[name], tree[name], f"{where}.{name}") for name in present}
    return kind(**values)


def _read_field(hint: Any, value: Any, where: str) -> Any:
    """Read one field by its declared type: a dataclass, a tuple of them, or a plain value."""
    kinds = [a for a in (hint, *get_args(hint)) if is_dataclass(a)]
    if not kinds or value is None:
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, list):
        return tuple(read_resolved(kinds[0], one, f"{where}[{i}]") for i, one in enumerate(value))
    # One of several classes is told by its fields.
    found = set(value) if isinstance(value, dict) else set()
    kind = next((k for k in kinds if {f.name for f in fields(k)} == found), kinds[0])
    return read_resolved(kind, value, where)
