"""The log of one run: metrics by step, facts of its configuration, and the curve of its loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs import schema
from bayescale.runs.columns import spelling
from bayescale.runs.importers.metric_names import STATUS, TOKENS, TRAINING, VALIDATION
from bayescale.runs.numbers import parse_number
from bayescale.runs.schema import BATCH_TOKENS, CONTEXT, N_TOKENS, SPELLINGS

Floats = np.ndarray[Any, np.dtype[np.float64]]

N_STEPS = "n_steps"
"""Fact: the steps planned."""

SCHEDULE, SCHEDULE_DECAY = "schedule", "decay_fraction"
"""Facts: name of the learning-rate schedule, and the share of the run over which it decays."""

BATCH_SEQUENCES = "batch_sequences"
"""Fact: sequences of one step, where a log does not say tokens."""

FEW = 3
"""Values below which a held-out loss is no curve yet."""


@dataclass(frozen=True)
class LossCurve:
    """One loss along a run.

    Parameters
    ----------
    name, metric : str
        The run, and what its log calls the loss.
    step, n_tokens, loss : array, shape (T,)
        Optimiser steps, rising; training tokens (NaN where the log does not tell); nats per token.
    """

    name: str
    metric: str
    step: Floats
    n_tokens: Floats
    loss: Floats

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self.loss)


@dataclass(frozen=True)
class RunLog:
    """What one run has logged so far.

    Parameters
    ----------
    name : str
        What the program calls the run.
    metrics : mapping of str to (array, array)
        Steps and values by name of the metric; steps rise, values are finite.
    facts : mapping of str to object
        Configuration as logged; names of the schema where the importer knows them.
    status : str
        One of `schema.STATUSES`, empty where the log does not tell.
    """

    name: str
    metrics: Mapping[str, tuple[Floats, Floats]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""

    def loss_metric(self, asked: str | None = None, *, few: int = FEW) -> str:
        """Return the metric that is the run's loss: held-out, if there are enough values of it.

        Parameters
        ----------
        asked : str, optional
            The user's choice.
        few : int
            Values below which a held-out loss gives way to the one of training batches.

        Raises
        ------
        UnknownNameError
            When the metric asked for was not logged.
        RunsTableError
            When none was asked for and none is known to be a loss.
        """
        if asked is not None:
            if asked not in self.metrics:
                raise UnknownNameError("metric", asked, self.metrics, f"log of run {self.name!r}")
            return asked
        known = [name for name in (*VALIDATION, *TRAINING) if name in self.metrics]
        if not known:
            raise RunsTableError(
                f"log of run {self.name!r}: none of its metrics is known to be a loss"
                f" ({', '.join(self.metrics) or 'there are none'}).",
                "Name one: metric=... (--metric).",
            )
        return next((name for name in known if len(self.metrics[name][0]) >= few), known[0])

    def curve(self, metric: str | None = None, batch_tokens: float | None = None) -> LossCurve:
        """Return the run's loss by step and token.

        Parameters
        ----------
        metric : str, optional
            As logged; chosen by `loss_metric` otherwise.
        batch_tokens : float, optional
            Tokens of one step, where the log does not tell.
        """
        name = self.loss_metric(metric)
        steps, values = self.metrics[name]
        return LossCurve(self.name, name, steps, self._tokens(steps, batch_tokens), values)

    def row(self, metric: str | None = None) -> dict[str, Any]:
        """Return the run as a row of a runs table: its facts, and its last loss."""
        curve = self.curve(self.loss_metric(metric, few=1))
        measured: dict[str, Any] = {
            schema.RUN_ID: self.name,
            schema.STEP: curve.step[-1] or None,
            schema.LOSS: curve.loss[-1],
            schema.LOSS_KIND: curve.metric,
        }
        # At step 0, or where the log is silent, the facts may know the tokens.
        if curve.n_tokens[-1] > 0:
            measured[N_TOKENS] = curve.n_tokens[-1]
        if self.status:
            measured[schema.STATUS] = self.status
        return {**_named(self.facts, measured), **measured}

    def _tokens(self, steps: Floats, batch_tokens: float | None) -> Floats:
        batch = batch_tokens or self.batch_tokens
        for name in TOKENS:
            if batch_tokens is None and name in self.metrics:
                at, tokens = self.metrics[name]
                return _interpolated(steps, at, tokens)
        return steps * batch

    @property
    def batch_tokens(self) -> float:
        """Tokens of one step as the configuration tells, NaN where it does not."""
        facts = {SPELLINGS.get(spelling(key), key): value for key, value in self.facts.items()}
        known = facts.get(BATCH_TOKENS)
        if known is None and BATCH_SEQUENCES in facts and CONTEXT in facts:
            known = float(facts[BATCH_SEQUENCES]) * float(facts[CONTEXT])
        try:
            return parse_number(str(known))
        except ValueError:
            return float("nan")


def collect(points: Iterable[tuple[str, float, Any]]) -> dict[str, tuple[Floats, Floats]]:
    """Return metrics by name from (metric, step, value) in the order logged.

    A step that was logged again, after a restart, counts as logged last; values that are no finite
    numbers are left out.
    """
    found: dict[str, dict[float, float]] = {}
    for name, step, value in points:
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            found.setdefault(name, {})[float(step)] = float(value)
    return {name: _sorted(at) for name, at in found.items()}


def status_of(word: Any) -> str:
    """Return the status that another program's word stands for, empty when it is unknown."""
    return STATUS.get(str(word).strip().lower(), "")


def _sorted(at: Mapping[float, float]) -> tuple[Floats, Floats]:
    steps = np.array(sorted(at))
    return steps, np.array([at[step] for step in steps.tolist()])


def _interpolated(steps: Floats, at: Floats, tokens: Floats) -> Floats:
    """Return tokens at other steps: between logged ones along a line, beyond them in proportion."""
    inside = np.interp(steps, at, tokens)
    with np.errstate(divide="ignore", invalid="ignore"):
        before = np.where(at[0] > 0, tokens[0] * steps / at[0], tokens[0])
        beyond = np.where(at[-1] > 0, tokens[-1] * steps / at[-1], tokens[-1])
    return np.where(steps < at[0], before, np.where(steps > at[-1], beyond, inside))


def _named(facts: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts under the schema's names where these are free, else under their own."""
    out: dict[str, Any] = {}
    for key, value in facts.items():
        names = (
            SPELLINGS.get(spelling(part)) for part in (key, key.replace("/", ".").split(".")[-1])
        )
        name = next((n for n in names if n and n not in out and n not in measured), key)
        if name not in measured and spelling(name) not in map(spelling, measured):
            out[name] = value
    return {
        key: value for key, value in out.items() if SPELLINGS.get(spelling(key), "") not in measured
    }
