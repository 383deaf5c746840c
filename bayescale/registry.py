"""Names to objects, with entry points for other packages and the nearest name on a miss."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Generic, TypeVar

from bayescale.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """A name-to-object table that other packages extend through an entry point group.

    Parameters
    ----------
    kind : str
        What the objects are called in messages.
    entry_point_group : str, optional
        Entry points of this group are imported once, on the first look-up that misses.
    """

    def __init__(self, kind: str, entry_point_group: str = "") -> None:
        self._kind = kind
        self._group = entry_point_group
        self._items: dict[str, T] = {}
        self._loaded = not entry_point_group

    def register(self, name: str, item: T) -> None:
        """Add `item` under `name`, replacing an older one (a notebook cell run twice)."""
        self._items[name] = item

    def get(self, name: str) -> T:
        """Return the object called `name`.

        Raises
        ------
        UnknownNameError
            When no such name exists, with the nearest one.
        """
        if name not in self._items:
            self._load_entry_points()
        if name not in self._items:
            raise UnknownNameError(self._kind, name, self._items)
        return self._items[name]

    def names(self) -> tuple[str, ...]:
        """Return every registered name, sorted."""
        self._load_entry_points()
        return tuple(sorted(self._items))

    def __iter__(self) -> Iterator[T]:
        """Yield the objects in the order of their names."""
        return (self._items[name] for name in self.names())

    def _load_entry_points(self) -> None:
        if not self._loaded:
            self._loaded = True
            for point in entry_points(group=self._group):
                point.load()


def shipped(*parts: str) -> Path:
    """Return a folder or file that ships with the package, from the first place that has it.

    Parameters
    ----------
    *parts : str
        Path below the shipped root, such as ``"models"`` or ``"data", "runs"``. An absolute
        first part is taken as it is.

    Returns
    -------
    Path
        The place in the repository when no place has it, so that a reader's error names it.
    """
    places = [root.joinpath(*parts) for root in shipped_roots()]
    return next((place for place in places if place.exists()), places[-1])


def shipped_roots() -> tuple[Path, ...]:
    """Return the folders that may hold ``data/runs`` and ``models``, the first one winning.

    The folder named by the environment variable ``BAYESCALE_DATA``, then the files inside an
    installed wheel, then the repository.
    """
    package = Path(__file__).resolve().parent
    asked = os.environ.get("BAYESCALE_DATA")
    own = (Path(asked),) if asked else ()
    return (*own, package / "_shipped", package.parent)
