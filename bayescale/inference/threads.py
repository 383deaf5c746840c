"""One BLAS thread for small matrices: on 150 runs two threads cost ten times the CPU of one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which linear algebra runs on one thread; also a decorator."""
    limit: AbstractContextManager[object] = _controller().limit(limits=1)
    return limit
