"""Jobs in this process and in a pool whose worker is killed."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError, UnknownNameError  # noqa: E402
from bayescale.harness import engine, record  # noqa: E402
from bayescale.harness.config import Member  # noqa: E402
from bayescale.harness.engine import Job, run_job, run_jobs  # noqa: E402


@pytest.fixture
def make_jobs(make_unit, tmp_path):
    def make(n=2, **parts):
        units = [
            make_unit(members=(Member(seed=seed, learning_rate=0.01),), **parts)
            for seed in range(n)
        ]
        return [Job(config=unit, folder=tmp_path / unit.content_hash) for unit in units]

    return make


def test_jobs_run_in_order_and_tell_their_progress(make_jobs):
    jobs, told, finished = make_jobs(), [], []
    outcome = run_jobs(
        jobs, progress=lambda share, title: told.append((share, title)), on_finished=finished.append
    )
    assert (outcome, finished) == ("finished", jobs)
    assert told[-1] == (1.0, "llama 16x2, 1 members")
    assert [len(record.read(job.folder)) for job in jobs] == [2, 2]


def test_the_number_of_threads_is_put_back(make_jobs):
    before = torch.get_num_threads()
    run_job(make_jobs(1)[0])
    assert torch.get_num_threads() == before


def test_a_deadline_stops_and_a_later_call_finishes(make_unit, tmp_path):
    config = make_unit()
    late = Job(config=config, folder=tmp_path, deadline=time.time() - 1)
    assert run_jobs([late]) == "stopped"
    assert record.read(tmp_path) == {}
    assert run_jobs([Job(config=config, folder=tmp_path)]) == "finished"


def test_sigterm_stops_after_a_step_and_is_then_left_alone(make_unit, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    job = Job(config=make_unit(train={"milestones": (640_000,)}), folder=tmp_path)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert run_jobs([job]) == "stopped"
    assert list(tmp_path.glob("checkpoint-*.pt"))
    assert signal.getsignal(signal.SIGTERM) is before


def test_no_workers_are_refused(make_jobs):
    with pytest.raises(HarnessError, match=r"workers is 0"):
        run_jobs(make_jobs(), workers=0)


def test_an_engine_that_nobody_knows_is_refused(make_jobs):
    with pytest.raises(UnknownNameError, match=r"unknown engine 'slurm'.*local, ray"):
        run_jobs(make_jobs(), engine="slurm")


def test_an_engine_that_is_not_installed_is_refused(make_jobs, monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    with pytest.raises(HarnessError, match=r"'ray' is not installed.*bayescale\[cluster\]"):
        run_jobs(make_jobs(), engine="ray")


@pytest.mark.slow
def test_a_pool_outlives_a_killed_worker(make_jobs):
    import multiprocessing

    jobs = make_jobs(3, train={"milestones": (32_000,), "checkpoint_seconds": 0.05})

    def kill_one():
        while not list(jobs[0].folder.glob("checkpoint-*.pt")):
            time.sleep(0.05)
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    assert run_jobs(jobs, workers=2) == "finished"
    killer.join()
    assert [len(record.read(job.folder)) for job in jobs] == [1, 1, 1]
