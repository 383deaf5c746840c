"""What arguments may be: asked at the door of public functions, before anything is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from bayescale.errors import BayescaleError

LARGEST_COUNT = 10**9
"""Draws, points or runs that no call means; their arrays would fill the memory."""

LONGEST = 60
"""Characters of a value that a message quotes."""


@dataclass(frozen=True)
class Kind:
    """What an argument may be.

    Parameters
    ----------
    expected : str
        In words, for messages.
    holds : callable
        Whether a value is of this kind.
    hint : str
        How one comes by it.
    """

    expected: str
    holds: Callable[[Any], bool]
    hint: str = ""

    @property
    def or_none(self) -> Kind:
        """The same, where nothing may be given."""
        return Kind(f"{self.expected}, or None", lambda x: x is None or self.holds(x), self.hint)


def check_arguments(
    function: str, error: type[BayescaleError], /, **arguments: tuple[object, Kind]
) -> None:
    """Raise on the first argument that is not of its kind.

    Parameters
    ----------
    function : str
        Whose arguments they are.
    error : type
        What is raised.
    **arguments : tuple of (object, Kind)
        What was given, and what it may be, by name.
    """
    for name, (found, kind) in arguments.items():
        if not kind.holds(found):
            raise error(
                f"{function}: {name} is {shown(found)}, expected {kind.expected}.",
                kind.hint,
                {"argument": name},
            )


def shown(found: object) -> str:
    """Return a value as messages quote it: itself where it is short, else its type."""
    if isinstance(found, str | Real | None) and len(text := repr(found)) <= LONGEST:
        return text
    name = type(found).__name__
    return f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}"


def one_of(*types: type) -> Callable[[Any], bool]:
    """Return the test for instances of some types."""
    return lambda x: isinstance(x, types)


def a(wanted: type, hint: str) -> Kind:
    """Return the kind of instances of one type, and how one comes by it."""
    return Kind(f"a {wanted.__name__}", one_of(wanted), hint)


def several(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return the test for a collection of what `holds`; mappings and frames are none."""
    return lambda x: (
        isinstance(x, Collection)
        and not isinstance(x, str)
        and not hasattr(x, "keys")
        and all(map(holds, x))
    )


def _whole(least: int, most: float) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, Integral) and not isinstance(x, bool) and least <= int(x) <= most


def _numbers(most_dims: int) -> Callable[[Any], bool]:
    def holds(x: Any) -> bool:
        try:
            values = np.asarray(x, dtype=float)
        except (TypeError, ValueError, OverflowError):
            return False
        return values.ndim <= most_dims and values.size > 0 and x is not None

    return holds


def _text(x: Any) -> bool:
    return isinstance(x, str)


PATH = Kind("the path of a file", lambda x: isinstance(x, str | os.PathLike) and str(x) != "")
SEED = Kind("a whole number, zero or above", _whole(0, float("inf")))
COUNT = Kind("a whole number from 1 to a billion", _whole(1, LARGEST_COUNT))
NUMBER = Kind("a number", lambda x: isinstance(x, Real) and _numbers(0)(x))
POSITIVE = Kind("a positive number", lambda x: NUMBER.holds(x) and 0.0 < x < float("inf"))
NUMBERS = Kind("a number or several", _numbers(1))
ARRAY = Kind("a number, or an array of numbers", _numbers(8))
FLAG = Kind("True or False", one_of(bool, np.bool_))
NAME = Kind("a name, as text", _text)
NAMES = Kind("a name or several, as text", lambda x: _text(x) or several(_text)(x))
LABEL = Kind("the values of the group columns, as text", NAMES.holds)
LABELS = Kind("the group columns' values of each point, as text", several(LABEL.holds))
MAPPING = Kind("a mapping by name", one_of(Mapping))
CONDITIONS = Kind("a condition or several, as text", NAMES.holds, "Write 'loss_kind=c4'.")
