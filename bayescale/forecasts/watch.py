"""Watch a running job: its losses against the forecast, the final loss to expect, when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.errors import ForecastError, RunsTableError, UnknownNameError
from bayescale.forecasts.curve_points import FIRST, CurvePoints, curve_points
from bayescale.forecasts.curve_prior import LEARNED, draw_shapes
from bayescale.forecasts.curve_update import band, update, with_doubt
from bayescale.forecasts.forecast import forecast
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.schedules import DECAY, NAMES, schedules
from bayescale.forecasts.watched import BAND_LEVELS, SURPRISING, Watch
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior, load_posterior
from bayescale.models.discrepancy import Floats
from bayescale.runs.columns import spelling
from bayescale.runs.importers.metric_names import TRAINING
from bayescale.runs.importers.read import read_logs
from bayescale.runs.importers.run_log import (
    N_STEPS,
    SCHEDULE,
    SCHEDULE_DECAY,
    LossCurve,
    RunLog,
)
from bayescale.runs.numbers import parse_number
from bayescale.runs.schema import N_TOKENS, SPELLINGS

STOP_RATE = 0.05
SHAPES = 4000
"""Draws of what a curve may look like."""

BAND_AT = np.geomspace(FIRST, 1.0, 60)
BEYOND = 1.02
"""Share of its plan beyond which a run has another plan than was said."""


def watch(
    log: Any,
    against: Any,
    *,
    target: float | None = None,
    stop_rate: float = STOP_RATE,
    metric: str | None = None,
    batch_tokens: float | None = None,
    n_steps: float | None = None,
    schedule: str | Sequence[float] | None = None,
    decay: float | None = None,
    run: str | None = None,
    label: Sequence[str] | None = None,
    seed: int = 0,
    **inputs: float,
) -> Watch:
    """Compare a running job with its forecast, and forecast its final loss anew.

    Parameters
    ----------
    log : path, RunLog, or run of a tracker's API
        What `bayescale.runs.importers` reads: JSONL, CSV, a folder that grows, a console...
    against : Posterior, path of a saved one, or anything `fit` takes
        What forecasts the run.
    target : float, optional
        Loss that the run is made for.
    stop_rate : float
        Most of the runs that would meet the target which the stop rule may stop.
    metric : str, optional
        Which logged loss; a held-out one by default, if there is a curve of it.
    batch_tokens, n_steps : float, optional
        Tokens of a step, and steps of the whole run, where the log does not tell.
    schedule : str or sequence of float, optional
        ``"constant"``, ``"cosine"``, ``"linear"``, ``"wsd"``, or the learning rates of the whole
        run at even distances. As the log says by default; where it is silent the schedule counts
        as unknown, which costs width.
    decay : float, optional
        Share of the run over which ``"wsd"`` decays; a fifth by default.
    run : str, optional
        Which run, where the log holds several.
    label : sequence of str, optional
        Group of the run, where the posterior has several.
    seed : int
        Seed of the draws.
    **inputs : float
        The law's inputs of the whole run, ``n_params=7e9, n_tokens=2e12``; what is left out is
        taken from the log's configuration.

    Returns
    -------
    Watch
        The final loss as expected now, P(target), the band and the stop rule's verdict.

    Raises
    ------
    ForecastError
        When the run's plan is not known, or it is beyond its plan.
    RunsTableError, UnknownNameError
        When the log cannot be read, or holds no such run or metric.
    """
    _check(target, stop_rate)
    found = log if isinstance(log, RunLog) else choose_run(read_logs(log), run)
    posterior = _posterior(against, seed)
    at = _inputs(posterior, found, inputs)
    curve = found.curve(metric, batch_tokens)
    share, planned = _share(curve, found, at, inputs, n_steps)
    made = forecast(
        posterior, seed=seed, warn=False, labels=None if label is None else [tuple(label)], **at
    )
    rng = np.random.default_rng(seed)
    schedule, decay = _schedule(found, schedule, decay)
    shapes = draw_shapes(LEARNED, schedules(schedule, decay), SHAPES, rng)
    points = curve_points(share, curve.loss)
    prior = with_doubt(made.mixture)
    updated = update(prior, shapes, points, rng)
    return Watch(
        curve=curve,
        planned=planned,
        done=float(share[-1]),
        inputs=at,
        points=points,
        before=Mixture(made.mixture.mean, made.mixture.variance),
        prior=prior,
        now=updated.mixture,
        share=BAND_AT,
        band=band(made.mixture, shapes, BAND_AT, np.array(BAND_LEVELS), rng),
        target=target,
        stop_rate=stop_rate,
        n_shapes=updated.n_shapes,
        surprise=updated.surprise,
        notes=_notes(curve, points, schedule, updated.surprise),
    )


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
        self._against = _posterior(against, options.get("seed", 0))
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


def _check(target: float | None, stop_rate: float) -> None:
    if target is not None and not (np.isfinite(target) and target > 0):
        raise ForecastError(f"watch: target is {target!r}, expected a positive loss.")
    if not 0.0 < stop_rate < 1.0:
        raise ForecastError(f"watch: stop_rate is {stop_rate!r}, expected between 0 and 1.")


def _posterior(against: Any, seed: int) -> Posterior:
    if isinstance(against, Posterior):
        posterior = against
    elif isinstance(against, str | Path) and str(against).endswith(".nc"):
        posterior = load_posterior(against)
    else:
        posterior = fit(against, seed=seed)
    if posterior.law.output_support != "positive":
        raise ForecastError(
            f"watch: law {posterior.law.name!r} gives {posterior.law.output}, expected a loss."
        )
    return posterior


def _inputs(posterior: Posterior, log: RunLog, given: Mapping[str, float]) -> dict[str, float]:
    """Return the law's inputs of the whole run: as given, else as the log's configuration says."""
    unknown = [name for name in given if name not in {*posterior.law.inputs, N_TOKENS}]
    if unknown:
        raise UnknownNameError("input", unknown[0], posterior.law.inputs, "watch")
    facts = _facts(log)
    if N_STEPS in facts and np.isfinite(log.batch_tokens):
        facts[N_TOKENS] = facts[N_STEPS] * log.batch_tokens
    found = {name: float(given.get(name, facts.get(name, np.nan))) for name in posterior.law.inputs}
    missing = [name for name, value in found.items() if not np.isfinite(value)]
    if missing:
        raise ForecastError(
            f"watch: {missing[0]} of the whole run is not known: the log of {log.name!r} does not"
            " tell.",
            f"Give {missing[0]}=... (--{missing[0].replace('_', '-')}).",
        )
    return found


def _facts(log: RunLog) -> dict[str, float]:
    """Return the numbers of a run's configuration under the schema's names."""
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
    return out


def _schedule(
    log: RunLog, given: str | Sequence[float] | None, decay: float | None
) -> tuple[str | Sequence[float] | None, float]:
    """Return the schedule as given, else as our own harness wrote it down."""
    own = log.facts.get(SCHEDULE)
    if decay is None:
        decay = float(log.facts.get(SCHEDULE_DECAY, DECAY)) if own in NAMES else DECAY
    return (own if given is None and own in NAMES else given), decay


def _share(
    curve: LossCurve,
    log: RunLog,
    at: Mapping[str, float],
    given: Mapping[str, float],
    n_steps: float | None,
) -> tuple[Floats, float]:
    """Return the share of the planned run at each value of a curve, and the plan."""
    tokens = at.get(N_TOKENS, given.get(N_TOKENS, float("nan")))
    steps = n_steps or _facts(log).get(N_STEPS, float("nan"))
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


def _notes(
    curve: LossCurve, points: CurvePoints, schedule: Any, surprise: float
) -> tuple[str, ...]:
    notes = []
    if curve.metric in TRAINING:
        notes.append(f"{curve.metric} is a loss of training batches; the forecast's may be another")
    if schedule is None and len(points):
        notes.append(
            "the learning-rate schedule is not known (cosine, wsd or constant, a third each)"
        )
    if not len(points):
        notes.append(f"no loss yet beyond {FIRST:.0%} of the run: this is the forecast itself")
    if surprise > SURPRISING:
        notes.append(f"the curve is unlike those learned from (misfit {surprise:.1f}, 1 expected)")
    return tuple(notes)
