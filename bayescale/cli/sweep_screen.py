"""What a sweep shows while it runs: a bar, the latest losses, failures and forecasts."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from bayescale.cli.screen import err, plain
from bayescale.runs import schema

if TYPE_CHECKING:
    from bayescale.harness.job import Job
    from bayescale.live import Outlook

SHOWN = 5
"""Latest losses and failures on the screen."""


class SweepScreen:
    """The state of a sweep on stderr; its methods are the sweep's callbacks.

    Parameters
    ----------
    visible : bool
        False shows nothing, for a program that reads the output.
    """

    def __init__(self, visible: bool) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=err,
        )
        self._task = self._bar.add_task("training", total=1.0)
        self._rows: list[dict[str, Any]] = []
        self._failures: list[str] = []
        self._outlooks: list[Outlook] = []
        self._live = Live(get_renderable=self._shown, console=err, refresh_per_second=4)
        self._visible = visible

    def __enter__(self) -> Self:
        """Start showing."""
        if self._visible:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Leave the last state on the screen."""
        if self._visible:
            self._live.stop()
            if not err.is_terminal:
                err.line()

    def advance(self, share: float, doing: str) -> None:
        """Take the share done and what is being done."""
        self._bar.update(self._task, completed=share, description=plain(doing))

    def rows(self, rows: list[dict[str, Any]]) -> None:
        """Take all rows so far."""
        self._rows = rows

    def failed(self, job: Job, error: Exception) -> None:
        """Take a failed unit."""
        self._failures.append(f"{job.title}: {error}")

    def outlooks(self, outlooks: list[Outlook]) -> None:
        """Take the forecasts from the rows so far."""
        self._outlooks = outlooks

    def _shown(self) -> Group:
        """Return the bar and the lines under it."""
        lines = [Text(line, overflow="fold") for line in (*self._losses(), *self._said())]
        return Group(self._bar, *lines)

    def _losses(self) -> list[str]:
        """Return the best loss of the largest sizes so far, and how many rows there are."""
        done = [row for row in self._rows if row[schema.LOSS] is not None]
        diverged = sum(row[schema.STATUS] == "diverged" for row in self._rows)
        best: dict[tuple[str, str, int], dict[str, Any]] = {}
        for row in done:
            key = (row[schema.DATASET], row[schema.ARCHITECTURE], row[schema.N_PARAMS])
            if key not in best or row[schema.LOSS] < best[key][schema.LOSS]:
                best[key] = row
        largest = sorted(best.values(), key=lambda row: row[schema.N_PARAMS])[-SHOWN:]
        head = f"{len(self._rows)} rows" + (f", {diverged} diverged" if diverged else "")
        return [head, *map(_loss, largest)] if self._rows else []

    def _said(self) -> list[str]:
        failures = [f"failed: {line}" for line in self._failures[-SHOWN:]]
        return [*failures, *(f"forecast of {outlook}" for outlook in self._outlooks)]


def _loss(row: dict[str, Any]) -> str:
    return (
        f"  {row[schema.ARCHITECTURE]} {row[schema.D_MODEL]}x{row[schema.N_LAYERS]} on "
        f"{row[schema.DATASET]}, {row[schema.N_TOKENS]:,} tokens: {row[schema.LOSS]:.4f}"
    )
