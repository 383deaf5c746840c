"""Laws defined inside a test are forgotten after it."""

import pytest

from bayescale.laws import LAWS


@pytest.fixture(autouse=True)
def _own_laws(monkeypatch):
    LAWS.names()
    monkeypatch.setattr(LAWS, "_items", dict(LAWS._items))
