"""Speeds that budgets are kept by, measured on random tokens."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.speed import host_seconds, measured_speed, resident_seconds

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_speed_is_measured(make_unit):
    assert 0 < measured_speed(make_unit()) < math.inf


@pytest.mark.parametrize("steps", [2, 40])
def test_a_step_is_timed_as_it_will_be_taken(make_unit, steps):
    unit = make_unit(train={"milestones": (steps * 64,), "decay_fraction": 0.5})
    assert all(0 < seconds < 10 for seconds in (host_seconds(unit), resident_seconds(unit, "cpu")))
