"""What is known of a running job: which run of a log, how large, how far, under which schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayescale.errors import ForecastError, UnknownNameError
from bayescale.forecasts.schedules import DECAY, NAMES
from bayescale.laws import Law
from bayescale.models.discrepancy import Floats
from bayescale.runs.columns import spelling
from bayescale.runs.importers.run_log import (
    N_STEPS,
    SCHEDULE,
    SCHEDULE_DECAY,
    LossCurve,
    RunLog,
)
from bayescale.runs.numbers import parse_number
from bayescale.runs.schema import N_TOKENS, SPELLINGS

BEYOND = 1.02
"""Share of its plan beyond which a run has another plan than was said."""


def choose_run(logs: Sequence[RunLog], run: str | None) -> RunLog:
    """Return the run of that name, or the only one.

    Raises
    ------
    UnknownNameError
        When there is no such run.
    ForecastError
        When there are several and none was named.
    """
    names = {log.name: log for log in logs}
    if run is not None:
        if run not in names:
            raise UnknownNameError("run", run, names)
        return names[run]
    if len(logs) > 1:
        raise ForecastError(
            f"watch: the log holds {len(logs)} runs ({', '.join(list(names)[:6])}), expected one.",
            "Name it: run=... (--run).",
        )
    return logs[0]


def inputs_of(law: Law, log: RunLog, given: Mapping[str, float]) -> dict[str, float]:
    """Return a law's inputs of the whole run: as given, else as the log's configuration says.

    Raises
    ------
    UnknownNameError
        When an input is given that the law does not read.
    ForecastError
        When one is neither given nor logged.
    """
    unknown = [name for name in given if name not in {*law.inputs, N_TOKENS}]
    if unknown:
        raise UnknownNameError("input", unknown[0], law.inputs, "watch")
    facts = facts_of(log)
    found = {name: float(given.get(name, facts.get(name, np.nan))) for name in law.inputs}
    missing = [name for name, value in found.items() if not np.isfinite(value)]
    if missing:
        raise ForecastError(
            f"watch: {missing[0]} of the whole run is not known: the log of {log.name!r} does not"
            " tell.",
            f"Give {missing[0]}=... (--{missing[0].replace('_', '-')}).",
        )
    return found


def facts_of(log: RunLog) -> dict[str, float]:
    """Return the numbers of a run's configuration under the schema's names, planned tokens too."""
    out: dict[str, float] = {}
    for key, value in log.facts.items():
        try:
            number = parse_number(str(value))
        except ValueError:
            continue
        for name in (key, key.replace("/", ".").split(".")[-1]):
            out.setdefault(SPELLINGS.get(spelling(name), name), number)
    # What a log calls tokens is what it has seen, not what was planned.
    out.pop(N_TOKENS, None)
    if N_STEPS in out and np.isfinite(log.batch_tokens):
        out[N_TOKENS] = out[N_STEPS] * log.batch_tokens
    return out


def schedule_of(
    log: RunLog, given: str | Sequence[float] | None, decay: float | None
) -> tuple[str | Sequence[float] | None, float]:
    """Return the schedule as given, else as our own harness wrote it down."""
    own = log.facts.get(SCHEDULE)
    if decay is None:
        decay = float(log.facts.get(SCHEDULE_DECAY, DECAY)) if own in NAMES else DECAY
    return (own if given is None and own in NAMES else given), decay


def share_done(
    curve: LossCurve, log: RunLog, n_tokens: float | None, n_steps: float | None
) -> tuple[Floats, float]:
    """Return the share of the planned run at each value of a curve, and what is planned.

    Parameters
    ----------
    curve : LossCurve
        What was logged.
    log : RunLog
        Its configuration, for what is not given.
    n_tokens, n_steps : float, optional
        Tokens of the whole run, which count where the curve has tokens; steps otherwise.

    Raises
    ------
    ForecastError
        When neither is known, or the run is beyond its plan.
    """
    facts = facts_of(log)
    tokens = n_tokens or facts.get(N_TOKENS, float("nan"))
    steps = n_steps or facts.get(N_STEPS, float("nan"))
    by_tokens = bool(np.isfinite(curve.n_tokens).all()) and np.isfinite(tokens)
    share = curve.n_tokens / tokens if by_tokens else curve.step / steps
    if not np.isfinite(share).all():
        raise ForecastError(
            f"watch: how far run {curve.name!r} has come is not known: its log tells neither its"
            " tokens nor how many steps are planned.",
            "Give batch_tokens=... (--batch-tokens), or n_steps=... (--n-steps).",
        )
    if share.max() > BEYOND:
        raise ForecastError(
            f"watch: run {curve.name!r} is at {share.max():.3g} times its planned"
            f" {'tokens' if by_tokens else 'steps'} ({tokens if by_tokens else steps:.4g}).",
            "Say what is planned: n_tokens=... (--n-tokens).",
        )
    return np.minimum(share, 1.0), float(tokens if by_tokens else steps)
