"""What has become of the jobs of one call, whatever engine runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from bayescale.errors import BayescaleError, HarnessError
from bayescale.harness.job import Job
from bayescale.harness.train import Outcome

ATTEMPTS = 3
"""How often a job loses its worker without having got any further before it is given up."""
FAILURES_IN_A_ROW = 3
"""Failed jobs with no success between them after which no further job is started."""
FAILURES = (BayescaleError, OSError, RuntimeError, MemoryError)
"""What one job may raise without harm to the others."""

Progress = Callable[[float, str], None]
"""Takes the share of all work done, from 0 to 1, and what is being done."""
Finished = Callable[[Job], bool | None]
"""Called after each finished job; True stops the rest."""


def as_failure(error: BaseException) -> HarnessError:
    """Return what a job raised as an error that can be sent and shown.

    Parameters
    ----------
    error : Exception
        One of `FAILURES`.

    Returns
    -------
    HarnessError
        With its message and way out.
    """
    if isinstance(error, BayescaleError):
        return HarnessError(error.message, error.hint)
    way_out = "Resume once that is mended."
    if isinstance(error, torch.OutOfMemoryError):
        way_out = "A unit with fewer seeds, batch_tokens or a smaller context needs less memory."
    return HarnessError(f"{type(error).__name__}: {error}.", way_out)


class Tally:
    """Shares done, failures, and whether to go on.

    Parameters
    ----------
    jobs : list of Job
        All jobs of the call.
    progress : callable, optional
        Told the share of all work done.
    on_finished : callable, optional
        Told of each finished job; True stops the rest.
    on_failed : callable, optional
        Told of each failed job and its error.
    """

    def __init__(
        self,
        jobs: list[Job],
        progress: Progress | None = None,
        on_finished: Finished | None = None,
        on_failed: Callable[[Job, HarnessError], None] | None = None,
    ) -> None:
        self.stopping = False
        self._total = sum(job.cost for job in jobs)
        self._shares: dict[Path, float] = {}
        self._done = 0.0
        self._n_jobs, self._in_a_row, self._told = len(jobs), 0, 0.0
        self._failed: list[tuple[Job, HarnessError]] = []
        self._lost: dict[Path, tuple[int, float]] = {}
        self._progress, self._on_finished, self._on_failed = progress, on_finished, on_failed

    def share(self, job: Job, share: float) -> None:
        """Note how far a job is, and tell how far all are."""
        before = self._shares.get(job.folder, 0.0)
        self._shares[job.folder] = share
        self._done += job.cost * (share - before)
        self._told = max(self._told, min(self._done / self._total, 1.0))
        if self._progress is not None:
            self._progress(self._told, job.title)

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Note the end of a job; one that was stopped stops the others, one given up does not."""
        if outcome == "stopped":
            self.stopping = True
            return
        self._in_a_row = 0
        self.share(job, 1.0)
        if self._on_finished is not None and self._on_finished(job):
            self.stopping = True

    def fail(self, job: Job, error: HarnessError) -> None:
        """Note a failure; several in a row, as on a full disk, stop the rest."""
        self._failed.append((job, error))
        self._in_a_row += 1
        self.stopping |= self._in_a_row >= FAILURES_IN_A_ROW
        if self._on_failed is not None:
            self._on_failed(job, error)

    def lose(self, job: Job) -> bool:
        """Note that a job's worker was killed; return whether to start it again.

        It is given up when that has happened several times with no progress in between.
        """
        share = self._shares.get(job.folder, 0.0)
        before, reached = self._lost.get(job.folder, (0, 0.0))
        times = before + 1 if share <= reached else 1
        self._lost[job.folder] = (times, max(share, reached))
        if times < ATTEMPTS:
            return not self.stopping
        self.fail(
            job,
            HarnessError(
                f"unit {job.folder.name}: its worker was killed {times} times.",
                "A worker is probably killed for memory: use fewer workers, then resume.",
            ),
        )
        return False

    def outcome(self) -> Outcome:
        """Return whether all jobs are finished.

        Raises
        ------
        HarnessError
            When any failed: the first of them, and how many.
        """
        if self._failed:
            job, error = self._failed[0]
            raise HarnessError(
                f"{len(self._failed)} of {self._n_jobs} units failed, first {job.title} in "
                f"{job.folder.name}: {error.message} Rows of the others are kept.",
                error.hint,
            )
        return "stopped" if self.stopping else "finished"
