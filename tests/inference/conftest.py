"""Posteriors shared by the tests of inference."""

import pytest
from simulated import chinchilla_frame

from bayescale.inference.fit import fit
from bayescale.laws import LAWS


@pytest.fixture(scope="session")
def posterior():
    return fit(chinchilla_frame(40, seed=1), "coupled_gp_weak", draws=400, seed=3)


@pytest.fixture
def _own_laws(monkeypatch):
    LAWS.names()
    monkeypatch.setattr(LAWS, "_items", dict(LAWS._items))
