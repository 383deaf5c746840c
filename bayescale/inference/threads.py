"""What small matrices need of the process: one BLAS thread, and memory that is not given back."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

_LARGEST = 8 << 20
"""Bytes; twice as many freed ones are kept, which is more than a fit of some hundred runs frees."""


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which linear algebra runs on one thread; also a decorator.

    On 150 runs two threads cost ten times the CPU of one. From the first call on, freed memory
    stays with the process, too.
    """
    _keep_freed_memory()
    limit: AbstractContextManager[object] = _controller().limit(limits=1)
    return limit


@cache
def _keep_freed_memory() -> None:
    """Have the allocator keep freed arrays, which a quarter of a fit's time goes into otherwise.

    The C library of most Linux systems takes arrays above a threshold from the kernel, which zeroes
    their pages, and gives them back once they are freed. The threshold is that of the largest array
    freed so far: so one is freed, untouched, which costs no pages. Elsewhere nothing changes.
    """
    np.empty(_LARGEST, dtype=np.uint8)
