"""Trunk, branches and learning rate."""

from __future__ import annotations

import pytest

from bayescale.harness.config import TrainConfig
from bayescale.harness.schedule import Segment, rate_factor, segments

PLAN = TrainConfig(batch_tokens=10, milestones=(100, 200, 400))


def test_a_trunk_with_one_branch_per_milestone():
    assert [(s.start, s.stop, s.decays) for s in segments(PLAN)] == [
        (0, 8, False),
        (8, 10, True),
        (8, 16, False),
        (16, 20, True),
        (16, 32, False),
        (32, 40, True),
    ]


def test_the_rate_warms_up_stays_and_falls_to_zero():
    trunk, branch = Segment(start=0, stop=8, decays=False), Segment(start=8, stop=12, decays=True)
    assert [rate_factor(trunk, s, 4) for s in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert [rate_factor(branch, s, 4) for s in range(8, 12)] == [1.0, 0.75, 0.5, 0.25]


def test_no_warmup_begins_at_the_peak():
    assert rate_factor(Segment(start=0, stop=8, decays=False), 0, 0) == 1.0


@pytest.mark.parametrize("milestones", [(50, 51), (50, 57, 64)])
def test_milestones_close_together_still_give_every_branch_its_own_stop(milestones):
    plan = segments(TrainConfig(batch_tokens=1, milestones=milestones))
    assert [s.stop for s in plan if s.decays] == list(milestones)
    assert all(s.n_steps >= s.decays for s in plan)
