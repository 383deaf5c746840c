"""The local engine: processes of this machine, each replaced when it is killed.

A worker hears its driver through a pipe: a word means stop, and so does the silence of a driver
that has been killed, so that no orphan goes on training.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from bayescale.errors import HarnessError
from bayescale.harness.job import Job, Work, stop_signals
from bayescale.harness.tally import FAILURES, Tally, as_failure
from bayescale.harness.train import Outcome

LOOK_SECONDS = 0.2
"""How often a worker looks for a word from its driver, and the driver for a signal."""
FAREWELL_SECONDS = 60.0
"""How long a worker may take to save its state and leave."""


@dataclass(eq=False, slots=True)
class _Worker:
    """A process and the driver's end of its pipe."""

    process: BaseProcess
    pipe: Connection
    job: Job | None = None


def run_pool(jobs: list[Job], tally: Tally, work: Work, workers: int) -> None:
    """Run jobs in processes.

    Parameters
    ----------
    jobs : list of Job
        In the order in which to start them.
    tally : Tally
        Told what becomes of them.
    work : callable
        What a worker does with a job; importable.
    workers : int
        Processes, each with one job at a time.
    """
    _Crew(jobs, tally, work, workers).run()


class _Crew:
    """The workers of one call, and the jobs that wait for them."""

    def __init__(self, jobs: list[Job], tally: Tally, work: Work, workers: int) -> None:
        # A server forks workers: nobody forks a process that has threads, and the server has
        # loaded PyTorch once for all.
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([__name__])
        self.waiting, self.tally, self.work, self.size = deque(jobs), tally, work, workers
        self.crew: list[_Worker] = []

    def run(self) -> None:
        try:
            with stop_signals() as asked:
                while True:
                    self.tally.stopping |= asked()
                    if self.tally.stopping:
                        self.waiting.clear()
                        self._call_back()
                    self._assign()
                    busy = {worker.pipe: worker for worker in self.crew if worker.job is not None}
                    if not busy:
                        return
                    for pipe in wait(list(busy), timeout=LOOK_SECONDS):
                        assert isinstance(pipe, Connection)
                        self.tally.stopping |= asked()
                        self._hear(busy[pipe])
        finally:
            self._dismiss()

    def _assign(self) -> None:
        """Give waiting jobs to idle workers, and hire where there are too few."""
        while self.waiting and sum(worker.job is not None for worker in self.crew) < self.size:
            idle = next((worker for worker in self.crew if worker.job is None), None)
            worker = idle or self._hire()
            worker.job = self.waiting.popleft()
            try:
                worker.pipe.send(worker.job)
            except OSError:  # killed while it was idle
                self._replace(worker)

    def _hire(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=_serve, args=(theirs, self.work), daemon=True)
        process.start()
        theirs.close()
        self.crew.append(_Worker(process, ours))
        return self.crew[-1]

    def _hear(self, worker: _Worker) -> None:
        """Take one message of a busy worker, or note its death."""
        assert worker.job is not None
        try:
            said: float | Outcome | HarnessError = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return
        if isinstance(said, float):
            self.tally.share(worker.job, said)
            return
        job, worker.job = worker.job, None
        if isinstance(said, HarnessError):
            self.tally.fail(job, said)
        else:
            self.tally.finish(job, said)

    def _replace(self, worker: _Worker) -> None:
        """Let a dead worker go; its job is the next to start, unless it has had its chances."""
        self.crew.remove(worker)
        worker.pipe.close()
        job = worker.job
        assert job is not None
        if self.tally.lose(job):
            self.waiting.appendleft(job)

    def _call_back(self) -> None:
        for worker in self.crew:
            with suppress(OSError):
                worker.pipe.send(None)

    def _dismiss(self) -> None:
        """Send every worker home and see that it leaves."""
        self._call_back()
        give_up = time.monotonic() + FAREWELL_SECONDS
        for worker in self.crew:
            worker.process.join(max(give_up - time.monotonic(), 0.0))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()


class _Line:
    """A worker's end of the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe, self.called, self.looked = pipe, False, 0.0

    def tell(self, share: float) -> None:
        with suppress(OSError):
            self.pipe.send(float(share))

    def called_back(self) -> bool:
        """Whether the driver has said a word, or has died, which reads the same."""
        now = time.monotonic()
        if not self.called and now - self.looked > LOOK_SECONDS:
            self.called, self.looked = self.pipe.poll(), now
        return self.called


def _serve(pipe: Connection, work: Work) -> None:
    """Do one job after the other until the driver says otherwise."""
    line = _Line(pipe)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while (job := pipe.recv()) is not None:
            try:
                pipe.send(_done(work, job, line))
            except Exception as error:  # a fault of ours: tell it, and leave with its traceback
                pipe.send(as_failure(error))
                raise


def _done(work: Work, job: Job, line: _Line) -> Outcome | HarnessError:
    try:
        return work(job, line.tell, line.called_back)
    except FAILURES as error:
        return as_failure(error)
