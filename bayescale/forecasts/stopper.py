"""The stop rule of a running job as a callback."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bayescale.errors import ForecastError, RunsTableError
from bayescale.forecasts.job import choose_run
from bayescale.forecasts.watch import posterior_of, watch
from bayescale.forecasts.watched import Watch
from bayescale.runs.importers.read import read_logs
from bayescale.runs.importers.run_log import RunLog


class Stopper:
    """The stop rule as a callback: true once a job should stop, asked as often as one likes.

    The harness takes it as ``should_stop``; other trainers call it between steps.

    Parameters
    ----------
    log, against, **options
        As for `watch`; a target among them. The posterior is fitted or loaded once.
    every : float
        Seconds between two looks at the log.
    on_look : callable, optional
        Given the `Watch` of each look.
    """

    def __init__(
        self,
        log: Any,
        against: Any,
        *,
        every: float = 30.0,
        on_look: Callable[[Watch], None] | None = None,
        **options: Any,
    ) -> None:
        if options.get("target") is None:
            raise ForecastError("the stop rule needs a target.", "Give target=..., a loss.")
        self._log, self._run, self._options = log, options.pop("run", None), options
        self._against = posterior_of(against, options.get("seed", 0))
        self._every, self._on_look = every, on_look
        self._next, self._length = 0.0, 0
        self.stopped = False

    def __call__(self) -> bool:
        """Return whether the job should stop; a log without a loss yet stops nothing."""
        now = time.monotonic()
        if self.stopped or now < self._next:
            return self.stopped
        self._next = now + self._every
        log = self._newly_logged()
        if log is None:
            return False
        seen = watch(log, self._against, **self._options)
        if self._on_look is not None:
            self._on_look(seen)
        self.stopped = seen.stop
        return self.stopped

    def _newly_logged(self) -> RunLog | None:
        """Return the run's log if there is one and it has grown since the last look."""
        try:
            log = choose_run(read_logs(self._log), self._run)
        except (RunsTableError, FileNotFoundError):
            return None
        length = sum(len(steps) for steps, _ in log.metrics.values())
        grown, self._length = length != self._length, length
        return log if grown else None
