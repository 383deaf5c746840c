"""What is killed at random steps ends as if nothing had happened, on every engine."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError
from bayescale.harness import record
from bayescale.harness.config import Member
from bayescale.harness.engine import Job, run_jobs

from .survival import broken, finish_under_fire

WITH_RAY = importlib.util.find_spec("ray") is not None

CASES = {
    "the process itself": {"victim": "driver", "workers": 1},
    "a worker of the pool": {"victim": "worker", "workers": 2},
}
POOL = {"victim": "driver", "workers": 2}
"""A pool's driver, which takes seconds to start."""


@pytest.fixture
def make_job(make_unit, tmp_path):
    def make(name, milestones):
        members = (Member(seed=0, learning_rate=0.01), Member(seed=1, learning_rate=0.02))
        train = {"milestones": milestones, "checkpoint_seconds": 1e-9}
        return Job(config=make_unit(members=members, train=train), folder=tmp_path / name)

    return make


def rows(job):
    return {run_id: found.row for run_id, found in record.read(job.folder).items()}


def check(make_job, milestones, n_kills, **case):
    whole, killed = make_job("whole", milestones), make_job("killed", milestones)
    assert run_jobs([whole]) == "finished"
    assert finish_under_fire(killed, n_kills=n_kills, **case) == n_kills
    assert rows(killed) == rows(whole)
    assert not list(killed.folder.glob("checkpoint*"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_three_kills_change_nothing(make_job, case):
    check(make_job, (1280, 2560), 3, **case)


@pytest.mark.slow
def test_sigterm_calls_the_workers_of_a_pool_back(make_job):
    job = make_job("long", (640, 6_400_000))
    threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert run_jobs([job], workers=2) == "stopped"
    assert list(job.folder.glob("checkpoint-*.pt"))


def test_a_fault_in_a_worker_is_told_once_and_not_tried_again(make_job):
    with pytest.raises(HarnessError, match=r"1 of 1 units failed.*TypeError: a fault in llama"):
        run_jobs([make_job("broken", (1280,))], workers=2, work=broken)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_twenty_kills_change_nothing(make_job, case):
    check(make_job, (1280, 6400), 20, **case)


@pytest.mark.slow
def test_killed_drivers_of_a_pool_change_nothing(make_job):
    check(make_job, (1280, 2560), 2, **POOL)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # Ray takes seconds to replace a worker, and more on a busy machine
@pytest.mark.parametrize("victim", ["worker", "driver"])
@pytest.mark.skipif(not WITH_RAY, reason="the cluster engine needs ray")
def test_twenty_kills_on_a_cluster_change_nothing(make_job, victim):
    check(make_job, (1280, 6400), 20, engine="ray", victim=victim, workers=2)


@pytest.mark.slow
@pytest.mark.skipif(not WITH_RAY, reason="the cluster engine needs ray")
def test_what_a_cluster_began_ends_in_this_process(make_job):
    whole, moved = make_job("whole", (1280, 12_800)), make_job("moved", (1280, 12_800))
    assert run_jobs([whole]) == "finished"
    told = []

    def stop_soon(share, _):
        told.append(share)
        os.kill(os.getpid(), signal.SIGTERM)

    assert run_jobs([moved], engine="ray", progress=stop_soon) == "stopped"
    assert len(rows(moved)) + len(list(moved.folder.glob("checkpoint-*.pt"))) > 0
    assert run_jobs([moved]) == "finished"
    assert rows(moved) == rows(whole)
    assert told
