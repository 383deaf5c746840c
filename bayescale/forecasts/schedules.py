"""Schedules over a whole run, from 0 to 1: how much is done, how much decay is still to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bayescale.errors import ForecastError, UnknownNameError
from bayescale.models.discrepancy import Floats
from bayescale.runs.schedule import Schedule

DECAY = 0.2
"""Share of a run over which a warm-up-stable-decay schedule decays, unless told otherwise."""

COSINE_END = 0.1
"""Share of the peak at which a cosine ends."""

NAMES: dict[str, Callable[[float], Schedule]] = {
    "constant": lambda _: Schedule.constant(1.0),
    "cosine": lambda _: Schedule.cosine(1.0, 1.0, final=COSINE_END),
    "linear": lambda _: Schedule.wsd(1.0, 1.0, decay=1.0),
    "wsd": lambda decay: Schedule.wsd(1.0, 1.0, decay=decay),
}

POSSIBLE = ("cosine", "wsd", "constant")
"""What a run whose schedule is not known may have: each counts for a third."""


def schedule(planned: str | Sequence[float], decay: float = DECAY) -> Schedule:
    """Return a schedule by name, or from the learning rates planned for the whole run.

    Parameters
    ----------
    planned : str or sequence of float
        One of `NAMES`, or rates at even distances from the first step to the last.
    decay : float
        Share of the run over which ``"wsd"`` decays.

    Raises
    ------
    UnknownNameError
        For another name.
    ForecastError
        For fewer than two rates, or a share that is none.
    """
    if not 0.0 < decay <= 1.0:
        raise ForecastError(f"watch: decay is {decay!r}, expected a share of the run, such as 0.2.")
    if isinstance(planned, str):
        if planned not in NAMES:
            raise UnknownNameError("schedule", planned, NAMES, "watch")
        return NAMES[planned](decay)
    rates = np.asarray(planned, dtype=float)
    if rates.ndim != 1 or len(rates) < 2:
        raise ForecastError(f"watch: {rates.size} learning rates were given, expected several.")
    return Schedule(np.linspace(0.0, 1.0, len(rates)), rates / rates.max())


def schedules(planned: str | Sequence[float] | None, decay: float = DECAY) -> tuple[Schedule, ...]:
    """Return the schedule that is known, or those that are possible."""
    if planned is not None:
        return (schedule(planned, decay),)
    return tuple(schedule(name, decay) for name in POSSIBLE)


def done(plan: Schedule, share: Floats) -> Floats:
    """Return the sum of learning rates up to shares of the run over that of the whole.

    A power law of training falls in this sum, not in steps (Tissue et al., arXiv:2408.11029).
    """
    return np.asarray(plan.area(share) / plan.area(1.0))


def to_come(plan: Schedule, share: Floats) -> Floats:
    """Return the fall of the learning rate that is still to come, over its peak."""
    rate = np.interp(share, plan.steps, plan.rates)
    return np.asarray((rate - plan.rates[-1]) / plan.peak)
