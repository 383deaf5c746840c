"""Random numbers that are a pure function of their coordinates.

A resumed run must see the same batches, also under another version of NumPy, whose generators may
change their streams. SplitMix64 (Steele et al. 2014) is six lines and stays what it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GAMMA = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF


def random_bits(key: tuple[int, ...], counters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 random bits for every counter.

    Parameters
    ----------
    key : tuple of int
        Names the stream, for example ``(seed, step)``.
    counters : ndarray of uint64
        Positions in the stream.

    Returns
    -------
    ndarray of uint64
        Same shape as ``counters``; distinct for distinct counters.
    """
    state = stream_state(key)
    with np.errstate(over="ignore"):
        z = np.uint64(state) + (counters.astype(np.uint64) + np.uint64(1)) * np.uint64(_GAMMA)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def stream_state(key: tuple[int, ...]) -> int:
    """Return where a stream begins.

    Parameters
    ----------
    key : tuple of int
        Names the stream.

    Returns
    -------
    int
        64 bits.
    """
    state = 0
    for word in key:
        state = _mix_int((state + _GAMMA + word) & _MASK)
    return state


def uniforms(key: tuple[int, ...], n: int) -> NDArray[np.float64]:
    """Return the first ``n`` uniform numbers of a stream.

    Parameters
    ----------
    key : tuple of int
        Names the stream.
    n : int
        How many.

    Returns
    -------
    ndarray of float64
        Shape (n,), each in [0, 1).
    """
    bits = random_bits(key, np.arange(n, dtype=np.uint64))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permutation(key: tuple[int, ...], n: int) -> NDArray[np.int64]:
    """Return a permutation of ``range(n)``.

    Parameters
    ----------
    key : tuple of int
        Names the permutation.
    n : int
        Length.

    Returns
    -------
    ndarray of int64
        Shape (n,).
    """
    return np.argsort(random_bits(key, np.arange(n, dtype=np.uint64)), kind="stable")


def _mix_int(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
