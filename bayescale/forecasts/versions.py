"""Other sizes of one run: points that are drawn beside others without moving their draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.models.discrepancy import Floats


@dataclass(frozen=True)
class Versions:
    """The last points of several are one and the same run at other sizes.

    Parameters
    ----------
    count : int
        How many they are.
    of : int
        The point that they are versions of: its luck in training is theirs too.
    """

    count: int
    of: int


def normals(
    rng: np.random.Generator, shape: tuple[int, int], versions: Versions | None, *, shared: bool
) -> Floats:
    """Draw standard normals by draw and point; versions leave the other points' as they are.

    Parameters
    ----------
    rng : Generator
        Source of randomness; versions draw from a child of it.
    shape : tuple of int
        Draws and points, versions included.
    versions : Versions, optional
        Points to draw beside the others.
    shared : bool
        Versions repeat the normals of their run, or have their own.
    """
    if versions is None:
        return rng.standard_normal(shape)
    first = rng.standard_normal((shape[0], shape[1] - versions.count))
    if shared:
        return np.column_stack([first, *[first[:, versions.of]] * versions.count])
    return np.column_stack([first, rng.spawn(1)[0].standard_normal((shape[0], versions.count))])
