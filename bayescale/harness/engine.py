"""Run units of work on this machine: in this process, or in a pool that outlives its workers."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch

from bayescale.errors import HarnessError
from bayescale.harness.config import RunConfig, warn_if_head_dim_varies
from bayescale.harness.train import Outcome, train

ATTEMPTS = 3
"""How often the pool is started again after a worker was killed."""

Progress = Callable[[float, str], None]
"""Takes the share of all work done, from 0 to 1, and what is being done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A unit and where it runs."""

    config: RunConfig
    """What to train."""
    folder: Path
    """The unit's own folder; named by the unit's hash, which makes the job idempotent."""
    corpus_dir: Path | None = None
    """Built corpus; None for the synthetic stream."""
    device: str = "cpu"
    """PyTorch device."""
    deadline: float | None = None
    """Unix time at which to write a checkpoint and stop."""

    @property
    def cost(self) -> float:
        """Rough work of the job, for the share of progress: members x parameters x tokens."""
        shape, longest = self.config.architecture, self.config.train.milestones[-1]
        return float(len(self.config.members) * shape.d_model * shape.n_layers * longest)

    @property
    def title(self) -> str:
        """One line for a progress display."""
        shape, n_members = self.config.architecture, len(self.config.members)
        return f"{shape.name} {shape.d_model}x{shape.n_layers}, {n_members} members"


def run_jobs(
    jobs: list[Job],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    on_finished: Callable[[Job], None] | None = None,
) -> Outcome:
    """Run jobs until all are finished, a deadline passes or SIGTERM arrives.

    Parameters
    ----------
    jobs : list of Job
        In the order in which to start them.
    workers : int
        Processes, each with one thread of PyTorch; 1 runs in this process.
    progress : callable, optional
        Told the share done and the current job.
    on_finished : callable, optional
        Called in this process after each finished job.

    Returns
    -------
    {"finished", "stopped"}
        Whether all jobs are finished.

    Raises
    ------
    HarnessError
        When workers keep being killed, or ``workers`` is below 1.
    """
    if workers < 1:
        raise HarnessError(f"run_jobs: workers is {workers}, but at least 1 is needed.")
    warn_if_head_dim_varies(job.config.architecture for job in jobs)
    if workers == 1:
        return _run_here(jobs, progress, on_finished)
    return _run_pool(jobs, workers, progress, on_finished)


def run_job(job: Job, progress: Callable[[float], None] | None = None) -> Outcome:
    """Run one job with one thread of PyTorch, whose sums then have one order.

    Parameters
    ----------
    job : Job
        What to run.
    progress : callable, optional
        Told the share done.

    Returns
    -------
    {"finished", "stopped"}
        What `train` returned.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _sigterm_flag() as asked:
            return train(
                job.config,
                job.folder,
                corpus_dir=job.corpus_dir,
                device=job.device,
                should_stop=lambda: asked() or _late(job),
                progress=progress,
            )
    finally:
        torch.set_num_threads(threads)


def _late(job: Job) -> bool:
    return job.deadline is not None and time.time() > job.deadline


def _run_here(
    jobs: list[Job], progress: Progress | None, on_finished: Callable[[Job], None] | None
) -> Outcome:
    total, done = sum(job.cost for job in jobs), 0.0
    for job in jobs:

        def tell(share: float, job: Job = job, done: float = done) -> None:
            if progress is not None:
                progress((done + share * job.cost) / total, job.title)

        if run_job(job, tell) == "stopped":
            return "stopped"
        done += job.cost
        tell(0.0, job, done)
        if on_finished is not None:
            on_finished(job)
    return "finished"


def _run_pool(
    jobs: list[Job],
    workers: int,
    progress: Progress | None,
    on_finished: Callable[[Job], None] | None,
) -> Outcome:
    total, done = sum(job.cost for job in jobs), 0.0
    open_jobs, stopped = list(jobs), False
    for _ in range(ATTEMPTS):
        # spawn: a forked PyTorch may hang on the threads of its parent.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            futures = {pool.submit(run_job, job): job for job in open_jobs}
            for future in as_completed(futures):
                job = futures[future]
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    continue
                open_jobs.remove(job)
                stopped |= outcome == "stopped"
                done += job.cost
                if progress is not None:
                    progress(done / total, job.title)
                if on_finished is not None and outcome == "finished":
                    on_finished(job)
        if not open_jobs:
            return "stopped" if stopped else "finished"
    raise HarnessError(
        f"run_jobs: {len(open_jobs)} of {len(jobs)} jobs lost their worker {ATTEMPTS} times, "
        f"first {open_jobs[0].title} in {open_jobs[0].folder.name}.",
        "A worker is probably killed for memory: use fewer workers, then resume.",
    )


@contextmanager
def _sigterm_flag() -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM into a flag; outside the main thread signals cannot be caught and pass by."""
    asked: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        asked.append(number)

    try:
        before = signal.signal(signal.SIGTERM, note)
    except ValueError:
        yield lambda: False
        return
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGTERM, before)
