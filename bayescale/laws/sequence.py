"""Laws of a sequence: the output of one run by step, and the schedule that led there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from bayescale.errors import LawError
from bayescale.laws.base import Law
from bayescale.laws.quantity import Quantity
from bayescale.registry import Registry
from bayescale.runs.schedule import Schedule

Floats = np.ndarray[Any, np.dtype[np.float64]]

SEQUENCE_LAWS: Registry[Law] = Registry("sequence law")
"""Laws that read a run's history, which is no column of a runs table."""

KNOTS = 48
"""Most pieces into which a schedule's changes of rate are summed up."""

WARMUP_KNOTS = 8
"""Most pieces of a warm-up, which lies long ago wherever a loss is fitted."""

HISTORY = (
    Quantity(
        name="area",
        unit="learning rate x steps",
        meaning="sum of the learning rate over all steps so far",
        typical=(1.0, 100.0),
    ),
    Quantity(
        name="drop",
        unit="1",
        meaning="fall of the learning rate at each change so far, over the peak",
        domain="real",
        enters="plain",
        typical=(0.0, 0.1),
    ),
    Quantity(
        name="rate",
        unit="1",
        meaning="learning rate after each change, over the peak",
        domain="nonnegative",
        enters="plain",
        typical=(0.1, 1.0),
    ),
    Quantity(
        name="area_since",
        unit="1",
        meaning="area since each change, over the reference area",
        domain="nonnegative",
        enters="plain",
        typical=(0.0, 1.0),
    ),
    Quantity(
        name="steps_since",
        unit="steps",
        meaning="steps since each change",
        domain="nonnegative",
        enters="plain",
        typical=(0.0, 1e5),
    ),
)
"""What a learning-rate schedule is to a law; all but ``area`` have a leading axis of changes."""


class SequenceLaw(Law):
    """A law of one run's output along its steps, or along another sequence such as its tokens.

    Declared like any `Law`. What `evaluate` reads is `sequence` of the run: by default the first
    input over its reference; for a law with ``reads_schedule`` the `HISTORY` of its learning rate.

    Attributes
    ----------
    reads_schedule : bool
        Whether it reads the learning rate.
    counts_warmup : bool
        Whether the rise from zero to the first peak is among the changes, as rates that fall by
        less than nothing.
    """

    registry: ClassVar[Registry[Law]] = SEQUENCE_LAWS
    reads_schedule: ClassVar[bool] = False
    counts_warmup: ClassVar[bool] = False

    def sequence(
        self, at: Floats, schedule: Schedule | None, reference: Mapping[str, float]
    ) -> dict[str, Floats]:
        """Return the inputs at steps `at` (n,): arrays (n,), or (changes, n) for a history.

        Parameters
        ----------
        at : array, shape (n,)
            Steps.
        schedule : Schedule, optional
            Learning rate of the run.
        reference : mapping of str to float
            ``at``; with a schedule also ``area`` and ``peak``.

        Raises
        ------
        LawError
            When the law reads a schedule and there is none.
        """
        if not self.reads_schedule:
            return {self.inputs[0]: at / reference["at"]}
        if schedule is None:
            raise LawError(
                f"law {self.name!r} reads the learning rate, but the run has none.",
                "Name its column with rate=, or give a Schedule.",
            )
        return history(at, schedule, reference, warmup=self.counts_warmup)


def sequence_inputs(
    law: Law, at: Floats, schedule: Schedule | None, reference: Mapping[str, float]
) -> dict[str, Floats]:
    """Return what any law reads at steps `at` of a run.

    Parameters
    ----------
    law : Law
        A `SequenceLaw`, or a law with one input, which is then read along the sequence.
    at, schedule, reference
        See `SequenceLaw.sequence`.

    Raises
    ------
    LawError
        For a law of several inputs.
    """
    if isinstance(law, SequenceLaw):
        return law.sequence(at, schedule, reference)
    others = [n for n in law.inputs[1:] if not law.quantity(n).may_be_constant]
    if others or law.inputs[0] not in law.ratios:
        raise LawError(
            f"law {law.name!r} reads {', '.join(law.inputs)}, but a curve has one sequence.",
            f"Take a law of one input, or one of {', '.join(SEQUENCE_LAWS.names())}.",
        )
    return {law.inputs[0]: at / reference["at"], **{n: np.ones_like(at) for n in law.inputs[1:]}}


def history(
    at: Floats, schedule: Schedule, reference: Mapping[str, float], *, warmup: bool = False
) -> dict[str, Floats]:
    """Return the `HISTORY` of a schedule at steps `at`.

    Changes after the warm-up are summed up in at most `KNOTS` pieces of about equal fall; a piece
    under way counts with what has happened of it, at the mean of where it happened. A jump is
    exact, a smooth decay to a few parts in a hundred thousand of the loss.

    Parameters
    ----------
    at : array, shape (n,)
        Steps.
    schedule : Schedule
        Learning rate.
    reference : mapping of str to float
        ``area`` and ``peak``.
    warmup : bool
        Whether the rise to the first peak counts, in at most `WARMUP_KNOTS` pieces.

    Returns
    -------
    dict of str to array
        ``area`` (n,); the others (changes, n), zero where a change lies ahead.
    """
    changed, fall = _changes(schedule)
    after = changed > schedule.peaks_at
    edges = _pieces(fall[after], KNOTS) + (~after).sum()
    if warmup:
        edges = np.concatenate([_pieces(fall[~after], WARMUP_KNOTS)[:-1], edges])
    done = np.clip(np.searchsorted(changed, at, side="right"), edges[:-1, None], edges[1:, None])

    def summed(values: Floats) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(fall * values)])
        return np.asarray(total[done] - total[edges[:-1, None]])

    drop = summed(np.ones_like(fall))
    begun = drop != 0.0
    whole = np.where(begun, drop, 1.0)
    rates = schedule.rates[np.searchsorted(schedule.steps, changed, side="right") - 1]
    area = schedule.area(at)
    since = area - summed(schedule.area(changed)) / whole
    return {
        "area": area / reference["area"],
        "drop": drop / reference["peak"],
        "rate": np.where(begun, summed(rates) / whole / reference["peak"], 1.0),
        "area_since": np.where(begun, np.maximum(since, 0.0), 0.0) / reference["area"],
        "steps_since": np.where(begun, np.maximum(at - summed(changed) / whole, 0.0), 0.0),
    }


def _changes(schedule: Schedule) -> tuple[Floats, Floats]:
    """Return the steps at which the rate changes, the first from zero, and by how much it falls."""
    return schedule.steps, -np.diff(schedule.rates, prepend=0.0)


def _pieces(fall: Floats, knots: int) -> np.ndarray[Any, np.dtype[np.int_]]:
    """Return the edges of pieces of about equal fall, no piece with both falls and rises."""
    if not len(fall):
        return np.zeros(1, dtype=int)
    size = np.abs(fall).sum() / knots
    piece = np.floor((np.cumsum(np.abs(fall)) - 0.5 * np.abs(fall)) / size)
    new = (np.diff(piece) > 0) | (np.diff(np.sign(fall)) != 0)
    return np.concatenate([[0], np.flatnonzero(new) + 1, [len(fall)]])
