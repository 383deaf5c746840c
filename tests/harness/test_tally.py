"""What becomes of jobs: shares, lost workers, failures, and when to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError  # noqa: E402
from bayescale.harness.config import Member  # noqa: E402
from bayescale.harness.job import Job  # noqa: E402
from bayescale.harness.tally import Tally, as_failure  # noqa: E402


@pytest.fixture
def jobs(make_unit):
    members = (Member(seed=seed, learning_rate=0.01) for seed in range(5))
    units = [make_unit(members=(member,)) for member in members]
    return [Job(config=unit, folder=Path(unit.content_hash)) for unit in units]


def test_shares_never_fall_back(jobs):
    told = []
    tally = Tally(jobs[:2], lambda share, _: told.append(share))
    tally.share(jobs[0], 0.5)
    tally.share(jobs[0], 0.1)  # started again from its checkpoint
    tally.finish(jobs[0], "finished")
    tally.finish(jobs[1], "finished")
    assert told == pytest.approx([0.25, 0.25, 0.5, 1.0])
    assert tally.outcome() == "finished"


def test_a_job_that_gets_nowhere_is_given_up(jobs):
    tally = Tally(jobs)
    assert [tally.lose(jobs[0]) for _ in range(3)] == [True, True, False]
    with pytest.raises(HarnessError, match=r"1 of 5 units failed.*killed 3 times.*fewer workers"):
        tally.outcome()


def test_a_job_that_gets_further_each_time_is_not_given_up(jobs):
    tally = Tally(jobs)
    for share in (0.1, 0.2, 0.3, 0.4, 0.5):
        tally.share(jobs[0], share)
        assert tally.lose(jobs[0])
    assert [tally.lose(jobs[0]) for _ in range(2)] == [True, False]


def test_failures_in_a_row_stop_the_rest_and_a_success_between_does_not(jobs):
    patient, hasty = Tally(jobs), Tally(jobs)
    for job in jobs[:2]:
        patient.fail(job, HarnessError("full"))
        hasty.fail(job, HarnessError("full"))
    patient.finish(jobs[2], "finished")
    for tally in (patient, hasty):
        tally.fail(jobs[3], HarnessError("full"))
    assert (patient.stopping, hasty.stopping) == (False, True)


def test_enough_and_stopped_end_alike(jobs):
    enough, stopped = Tally(jobs, on_finished=lambda _: True), Tally(jobs)
    enough.finish(jobs[0], "finished")
    stopped.finish(jobs[0], "stopped")
    assert enough.outcome() == stopped.outcome() == "stopped"


def test_an_error_of_another_kind_becomes_one_that_can_be_shown():
    assert str(as_failure(OSError(28, "No space left"))).startswith("OSError: [Errno 28] No space")
    assert as_failure(HarnessError("what", "way out")).hint == "way out"
    full = torch.OutOfMemoryError("CUDA out of memory")
    assert as_failure(full).hint.endswith("needs less memory.")
