"""Small units of training for the harness tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def one_thread():
    """Run with one thread: sums then have one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_unit():
    """Build a tiny unit on the synthetic stream; keyword arguments replace parts."""
    from tests.harness.tiny_unit import tiny_unit

    return tiny_unit
