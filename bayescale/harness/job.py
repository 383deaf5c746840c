"""One unit of work: what to train and where, safe to run again and to stop at any step."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from bayescale.harness.config import RunConfig
from bayescale.harness.locks import held
from bayescale.harness.threads import one_thread
from bayescale.harness.train import Outcome, train

LOCK = "lock"
PATIENCE = 30.0
"""Seconds that a unit waits for an earlier holder, which saves its state and then lets go."""

Tell = Callable[[float], None]
"""Takes the share of a job done, from 0 to 1."""
Stop = Callable[[], bool]
"""Whether to write a checkpoint and stop; asked after every step."""
GiveUp = Callable[[], str]
"""Why to stop for good, or ""; asked after every step."""


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


class Work(Protocol):
    """What an engine runs: `run_job`, or a stand-in that keeps the same promises."""

    def __call__(
        self, job: Job, progress: Tell | None = None, should_stop: Stop | None = None
    ) -> Outcome:
        """Run one job, or go on with it."""


def run_job(
    job: Job,
    progress: Tell | None = None,
    should_stop: Stop | None = None,
    give_up: GiveUp | None = None,
) -> Outcome:
    """Run one job with one thread of PyTorch, whose sums then have one order.

    Parameters
    ----------
    job : Job
        What to run.
    progress : callable, optional
        Told the share done.
    should_stop : callable, optional
        Whether the engine wants it to stop; SIGTERM and the deadline stop it too.
    give_up : callable, optional
        Why the unit should be stopped for good; see `train`.

    Returns
    -------
    {"finished", "stopped", "given up"}
        What `train` returned.

    Raises
    ------
    HarnessError
        When another process trains this unit, or `train` cannot go on.
    """
    late = _passed(job.deadline)
    with (
        one_thread(),
        held(job.folder / LOCK, f"unit {job.folder.name}", patience=PATIENCE),
        stop_signals() as asked,
    ):
        return train(
            job.config,
            job.folder,
            corpus_dir=job.corpus_dir,
            device=job.device,
            should_stop=lambda: asked() or late() or bool(should_stop and should_stop()),
            give_up=give_up,
            progress=progress,
        )


def _passed(deadline: float | None) -> Stop:
    """Return whether a Unix time has passed, by a clock that nobody sets while the job runs."""
    if deadline is None:
        return lambda: False
    stop_at = time.monotonic() + deadline - time.time()
    return lambda: time.monotonic() > stop_at


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Turn SIGTERM and the first interrupt into a flag, so that a step ends and a state is saved.

    An interrupt is raised in the end; a second one at once. Outside the main thread signals
    cannot be caught and pass by.
    """
    asked: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and number in asked:
            raise KeyboardInterrupt
        asked.append(number)

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:
        yield lambda: False
        return
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in asked:
        raise KeyboardInterrupt
