"""Budgets: what is cut, in which order, and when there is nothing left to cut."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError
from bayescale.harness.accounting import flops_per_token
from bayescale.harness.budget import Limits, fitted
from bayescale.harness.config import Member
from bayescale.harness.estimate import Estimate, disk_bytes, wall_seconds

SEEDS = tuple(Member(seed=seed, learning_rate=0.01) for seed in range(3))


@pytest.fixture
def make_estimate(make_unit):
    def make(speed=1000.0, members=SEEDS, milestones=(1280, 6400)):
        unit = make_unit(members=members, train={"milestones": milestones})
        return Estimate(config=unit, tokens_per_second=speed)

    return make


def shapes(estimates):
    return [(len(e.config.members), len(e.config.train.milestones)) for e in estimates]


def test_a_unit_counts_its_branches_its_evaluations_and_all_members(make_estimate):
    one = make_estimate()
    # Trunk to 0.8 x 100 steps, and branches of 4 and 20 steps, 64 tokens each.
    assert one.n_tokens == 3 * 64 * (80 + 4 + 20)
    assert one.n_rows == 6
    assert one.seconds == pytest.approx((one.n_tokens + 6 * 512 / 3) / 1000)
    assert one.flops == one.n_tokens * flops_per_token(one.config.architecture)


def test_workers_share_units_and_the_disk(make_estimate):
    units = [make_estimate(), make_estimate(speed=500.0), make_estimate()]
    first, second, _ = (each.seconds for each in units)
    assert wall_seconds(units, 1) == pytest.approx(2 * first + second)
    assert wall_seconds(units, 2) == pytest.approx(2 * first)
    assert disk_bytes(units, 2) - disk_bytes(units, 1) == units[0].checkpoint_bytes


def test_nothing_is_cut_within_the_limits(make_estimate):
    units = [make_estimate(), make_estimate()]
    assert fitted(units, Limits()) == units
    assert fitted(units, Limits(seconds=wall_seconds(units, 1))) == units


def test_the_dearest_seeds_go_first_then_the_longest_runs(make_estimate):
    units = [make_estimate(), make_estimate(speed=100.0)]
    total = wall_seconds(units, 1)
    assert shapes(fitted(units, Limits(seconds=0.9 * total))) == [(3, 2), (2, 2)]
    assert shapes(fitted(units, Limits(seconds=0.4 * total))) == [(3, 2), (1, 2)]
    least = fitted(units, Limits(seconds=0.1 * total))
    assert shapes(least) == [(1, 2), (1, 1)]
    assert least[1].config.train.milestones == (1280,)


def test_flops_bound_too_and_what_cannot_be_cut_counts(make_estimate):
    unit = make_estimate()
    assert shapes(fitted([unit], Limits(flops=0.99 * unit.flops))) == [(2, 2)]
    assert shapes(fitted([unit], Limits(flops=1.5 * unit.flops), fixed=[unit])) == [(1, 2)]


def test_a_budget_too_small_for_the_ladder_is_refused(make_estimate):
    with pytest.raises(HarnessError, match=r"one seed and one token budget a size still need"):
        fitted([make_estimate()], Limits(seconds=0.01))
