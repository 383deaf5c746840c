"""The cluster engine: one Ray task a unit, started again when its worker or machine is lost.

Tasks need the package and the sweep's folder on every machine, nothing else: what they tell and are
told passes through two small files beside the records, ``share`` and ``stop``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bayescale.errors import HarnessError
from bayescale.harness.job import Job, Work, stop_signals
from bayescale.harness.tally import FAILURES, Tally, as_failure
from bayescale.harness.train import Outcome

SHARE, STOP = "share", "stop"
LOOK_SECONDS = 0.5
LOCAL_MEMORY = 100_000_000
"""Bytes of the object store of a cluster on this machine; configurations and paths are small."""


def run_cluster(
    jobs: list[Job], tally: Tally, work: Work, workers: int, gpus_per_job: float
) -> None:
    """Run jobs as Ray tasks.

    Parameters
    ----------
    jobs : list of Job
        In the order in which to submit them; their folders are seen by every machine.
    tally : Tally
        Told what becomes of them.
    work : callable
        What a task does with a job.
    workers : int
        Cores of a cluster that is started here; ignored where ``RAY_ADDRESS`` names one.
    gpus_per_job : float
        Share of a GPU that a task asks for.
    """
    with _connected(workers, gpus_per_job) as ray, stop_signals() as asked:
        # Retries are counted by the tally, which knows whether a job has got any further.
        task = ray.remote(_task).options(num_cpus=1, num_gpus=gpus_per_job, max_retries=0)
        for job in jobs:
            _clear(job)
        pending = {task.remote(job, work): job for job in jobs}
        while pending:
            done, _ = ray.wait(list(pending), num_returns=1, timeout=LOOK_SECONDS)
            for ref in done:
                job = pending.pop(ref)
                if _taken(ray, ref, job, tally):
                    pending[task.remote(job, work)] = job
            for job in pending.values():
                _hear(job, tally)
            tally.stopping |= asked()
            if tally.stopping:
                _call_back(list(pending.values()))
        for job in jobs:
            _clear(job)


@contextmanager
def _connected(workers: int, gpus_per_job: float) -> Iterator[Any]:
    """Join a running cluster, or start one on this machine that nobody else can reach."""
    elsewhere = bool(os.environ.get("RAY_ADDRESS"))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not elsewhere:
        # The only way to keep Ray's ports to this machine; it is read when Ray is imported.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray

    quiet: dict[str, Any] = {"configure_logging": False, "log_to_driver": False}
    mine = not ray.is_initialized()
    if mine and elsewhere:
        ray.init(**quiet)
    elif mine:
        ray.init(
            num_cpus=workers,
            num_gpus=None if gpus_per_job else 0,
            include_dashboard=False,
            object_store_memory=LOCAL_MEMORY,
            **quiet,
        )
    try:
        yield ray
    finally:
        if mine:
            ray.shutdown()


def _taken(ray: Any, ref: Any, job: Job, tally: Tally) -> bool:
    """Note the result of a task; return whether its worker was lost and it is to start again."""
    try:
        result = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        tally.fail(job, as_failure(RuntimeError(str(error.cause))))
    except ray.exceptions.RayError:
        return tally.lose(job)
    else:
        if isinstance(result, HarnessError):
            tally.fail(job, result)
        else:
            tally.finish(job, result)
    return False


def _hear(job: Job, tally: Tally) -> None:
    with suppress(OSError, ValueError):
        tally.share(job, float((job.folder / SHARE).read_text()))


def _call_back(jobs: list[Job]) -> None:
    for job in jobs:
        job.folder.mkdir(parents=True, exist_ok=True)
        (job.folder / STOP).touch()


def _clear(job: Job) -> None:
    for name in (SHARE, STOP):
        (job.folder / name).unlink(missing_ok=True)


def _task(job: Job, work: Work) -> Outcome | HarnessError:
    """Do one job on whatever machine Ray has chosen."""
    looked = 0.0

    def tell(share: float) -> None:
        with suppress(OSError):
            (job.folder / SHARE).write_text(str(share))

    def called_back() -> bool:
        nonlocal looked
        if time.monotonic() - looked < LOOK_SECONDS:
            return False
        looked = time.monotonic()
        return (job.folder / STOP).exists()

    if called_back():
        return "stopped"
    try:
        return work(job, tell, called_back)
    except FAILURES as error:
        return as_failure(error)
