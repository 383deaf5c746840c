"""Curves of one group made ready for a density: thinned, their history, their correlated errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bayescale.laws import Law, Prior, load_law
from bayescale.laws.sequence import sequence_inputs
from bayescale.models.curve_model import CurveModel, reads_schedule
from bayescale.models.discrepancy import Floats, Whitening, whiten
from bayescale.models.drift import Drift, Places, drift_covariance
from bayescale.models.problem import Constants, Problem
from bayescale.models.siblings import Siblings
from bayescale.runs.curves import Curve
from bayescale.runs.schedule import Schedule

MAX_POINTS = 1500
"""Points of a group after thinning: one eigendecomposition of them takes two seconds."""

RUN = "run"
"""Beside a law's inputs: index of the run, where runs differ in coefficients."""


@dataclass(frozen=True, kw_only=True)
class CurveProblem(Problem):
    """Curves of runs that share a law's coefficients, wholly or in part, thinned.

    Parameters
    ----------
    drift : Drift
        Shape of the error along and between runs.
    runs : tuple of str
        Names of the runs.
    places : Places
        Where each point stands.
    weights : array, shape (n,)
        Measurements averaged in each point.
    schedules : tuple of Schedule or None
        Learning rate of each run.
    families : tuple of tuple of str
        Family of each run.
    clocks : tuple of float
        Last fitted step of each run's family. Families are compared at like shares of it.
    common : mapping of str to float
        Share of the prior's variance that runs of a family have in common, of coefficients that
        they do not share wholly.
    across : float
        Share of what a family has in common that families have in common.
    """

    drift: Drift
    runs: tuple[str, ...]
    places: Places
    weights: Floats
    schedules: tuple[Schedule | None, ...]
    families: tuple[tuple[str, ...], ...]
    clocks: tuple[float, ...]
    common: Mapping[str, float] = field(default_factory=dict)
    across: float = 1.0

    @property
    def model(self) -> CurveModel:
        """What the curves were made ready under."""
        return CurveModel(spec=self.spec, drift=self.drift, common=self.common, across=self.across)

    @cached_property
    def siblings(self) -> Siblings:
        """How the runs share coefficients."""
        level = self.constants.level
        return Siblings(super().coordinates, self.common, self.families, self.across, level)

    @property
    def coordinates(self) -> dict[str, Prior]:
        """Priors of what is sampled of the law: `Siblings.coordinates`."""
        return self.siblings.coordinates()

    def coefficients(
        self, values: Mapping[str, Floats], inputs: Mapping[str, Floats]
    ) -> Mapping[str, Floats]:
        """Return the coefficients of each point's own run, (S, n), or (S, 1) for one and all."""
        if not self.siblings.apart:
            return values
        run = np.asarray(inputs[RUN], dtype=int)
        found = self.siblings.of_runs(values)
        return {s: v if v.shape[1] == 1 else v[:, run] for s, v in found.items()}

    @cached_property
    def reaches_beyond(self) -> bool:
        """Whether a fitted point lies beyond the last fitted step: none does."""
        return False

    @cached_property
    def ratios(self) -> dict[str, Floats]:
        """What the law reads at each point."""
        return self.indexed(self.inputs, self.places.run)

    @cached_property
    def whitening(self) -> Whitening:
        """The rotation under which residuals are independent."""
        noise = np.diag(self.noise_scale(self.log_loss) / self.weights)
        return whiten(self.covariance(self.places, self.places), noise, len(self))

    def noise_scale(self, linked: Floats) -> Floats:
        """Return the noise variance of one measurement over that at the level, same shape."""
        power = self.drift.noise_power if self.law.output_support == "positive" else 0.0
        return np.asarray(np.exp(2.0 * power * (self.constants.level - linked)))

    def covariance(self, places: Places, others: Places) -> Floats:
        """Return the unit-tau covariance of the error at some places with others, (m, n)."""
        assert self.spec.discrepancy is not None
        return drift_covariance(self.drift, self.spec.discrepancy, places, others)

    def places_of(self, at: Floats, run: str, schedule: Schedule | None = None) -> Places:
        """Return where steps of a run stand; of no fitted name, a new one of the first family."""
        index = self.runs.index(run) if run in self.runs else -1
        family = family_indices(self.families)[index] if index >= 0 else 0
        x = np.log(at / self.clock_of(run))
        return Places(x, np.full(len(at), index), np.full(len(at), family), fallen(at, schedule))

    def clocks_of(self, run: Floats) -> Floats:
        """Return the clocks of runs by index, below 0 for one of the only family; same shape."""
        return np.asarray(self.clocks)[np.maximum(np.asarray(run, dtype=int), 0)]

    def clock_of(self, run: str) -> float:
        """Return the clock of a run, of no fitted name one of the only family."""
        return self.clocks[self.runs.index(run) if run in self.runs else 0]

    def family_of(self, group: tuple[str, ...]) -> tuple[str, ...]:
        """Return the family of a further run of some group: the only one, or the group's own."""
        return self.families[0] if len(set(self.families)) == 1 else group

    def inputs_at(
        self, at: Floats, schedule: Schedule | None, run: Floats | None = None
    ) -> dict[str, Floats]:
        """Return what the law reads at steps of a schedule, of runs by index; the first's if None.

        Shapes (m,), histories of the learning rate (changes, m).
        """
        run = np.zeros(len(at)) if run is None else run
        reference = self.constants.reference
        if not reads_schedule(self.law):  # a schedule is read at its own steps
            at = at * (reference["at"] / self.clocks_of(run))
        read = sequence_inputs(self.law, at, schedule, reference)
        return self.indexed(read, run)

    def indexed(self, read: Mapping[str, Floats], run: Floats) -> dict[str, Floats]:
        """Return what the law reads, with the index of each point's run where runs differ."""
        return {**read, RUN: run} if self.siblings.apart else dict(read)

    def curves(self) -> tuple[Curve, ...]:
        """Return the thinned points as curves, each with the measurements behind it."""
        at = self.clocks_of(self.places.run) * np.exp(self.places.x)
        output = np.asarray(self.law.inverse_link(self.log_loss))
        made = []
        for k, run in enumerate(self.runs):
            own = self.places.run == k
            made.append(
                Curve(
                    run=run,
                    at=at[own],
                    output=output[own],
                    schedule=self.schedules[k],
                    group=self.families[k],
                    counts=self.weights[own],
                )
            )
        return tuple(made)


def curve_problem(model: CurveModel, curves: Sequence[Curve], points: int = 60) -> CurveProblem:
    """Return curves of one group as one problem.

    Parameters
    ----------
    model : CurveModel
        From `curve_model`.
    curves : sequence of Curve
        Of one group; those of one `Curve.group` are a family.
    points : int
        Points kept of each run, fewer where they would pass `MAX_POINTS`; each is the mean of its
        stretch, with its share of the noise.
    """
    law = load_law(model.spec.law)
    reference = _reference(curves)
    points = max(4, min(points, MAX_POINTS // len(curves)))
    families = tuple(curve.group for curve in curves)
    clocks = _clocks(curves)
    thinned = [
        thin(law, curve, {**reference, "at": clock}, points)
        for curve, clock in zip(curves, clocks, strict=True)
    ]
    y = np.concatenate([part.y for part in thinned])
    return CurveProblem(
        spec=model.spec,
        inputs=_joined([part.inputs for part in thinned]),
        log_loss=y,
        trunks=np.full(len(y), ""),
        constants=Constants(
            reference=reference,
            level=float(np.median([part.y[-1] for part in thinned])),
            log_compute_max=float(np.log(reference["at"])),
        ),
        drift=model.drift,
        common=model.common,
        across=model.across,
        families=families,
        clocks=clocks,
        runs=tuple(curve.run for curve in curves),
        places=places_of_runs(
            np.concatenate([part.x for part in thinned]),
            np.repeat(np.arange(len(curves)), [len(part.y) for part in thinned]),
            families,
            clocks,
            [curve.schedule for curve in curves],
        ),
        weights=np.concatenate([part.weights for part in thinned]),
        schedules=tuple(curve.schedule for curve in curves),
    )


def places_of_runs(
    x: Floats,
    run: Floats,
    families: Sequence[tuple[str, ...]],
    clocks: Sequence[float],
    schedules: Sequence[Schedule | None],
) -> Places:
    """Return where points of several runs stand.

    Parameters
    ----------
    x, run : array, shape (n,)
        Log step over the run's clock, and index of the run, rising.
    families : sequence of tuple of str
        One a run.
    clocks : sequence of float
        Last fitted step of each run's family.
    schedules : sequence of Schedule or None
        One a run.
    """
    parts = [
        fallen(clock * np.exp(x[run == k]), schedule)
        for k, (clock, schedule) in enumerate(zip(clocks, schedules, strict=True))
    ]
    return Places(x, run, family_indices(families)[run], np.concatenate(parts))


def family_indices(families: Sequence[tuple[str, ...]]) -> Floats:
    """Return the index of each run's family, (runs,), in the order of their first runs."""
    known = list(dict.fromkeys(families))
    return np.array([known.index(family) for family in families])


def fallen(at: Floats, schedule: Schedule | None) -> Floats:
    """Return the fall of the rate since its peak at steps `at`, over the peak, same shape."""
    if schedule is None:
        return np.zeros(len(at))
    since = np.maximum(at, schedule.peaks_at)
    rate = schedule.rates[np.searchsorted(schedule.steps, since, side="right") - 1]
    return np.asarray(1.0 - rate / schedule.peak)


@dataclass(frozen=True)
class Thinned:
    """Means of stretches of a curve: log step over the reference, linked output, inputs, counts."""

    x: Floats
    y: Floats
    inputs: Mapping[str, Floats]
    weights: Floats


def thin(law: Law, curve: Curve, reference: Mapping[str, float], points: int) -> Thinned:
    """Return a curve as at most `points` means.

    Stretches are as long in the mean of log step and step, so that neither the fall at the start
    nor a decay at the end is one point. Measurements at one step are one point in any case.

    Parameters
    ----------
    law : Law
        Says the scale of the output and what is read.
    curve : Curve
        The curve.
    reference : mapping of str to float
        See `sequence_inputs`.
    points : int
        Most points.
    """
    x, y = np.log(curve.at / reference["at"]), np.asarray(law.link(curve.output))
    stretch = np.unique(curve.at, return_inverse=True)[1]
    if stretch[-1] >= points:
        progress = 0.5 * (_progress(x) + _progress(curve.at))
        stretch = np.unique(np.floor(progress * points * (1 - 1e-9)), return_inverse=True)[1]
    counts = np.asarray(np.bincount(stretch, curve.measurements), dtype=float)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(stretch, values * curve.measurements) / counts)

    read = sequence_inputs(law, curve.at, curve.schedule, reference)
    inputs = {
        name: mean(values)
        if values.ndim == 1
        else np.array([mean(row) for row in values]).reshape(len(values), len(counts))
        for name, values in read.items()
    }
    return Thinned(mean(x), mean(y), inputs, counts)


def _progress(values: Floats) -> Floats:
    return (values - values[0]) / (values[-1] - values[0])


def _clocks(curves: Sequence[Curve]) -> tuple[float, ...]:
    """Return the last step of each curve's family."""
    last: dict[tuple[str, ...], float] = {}
    for curve in curves:
        last[curve.group] = max(last.get(curve.group, 0.0), float(curve.at[-1]))
    return tuple(last[curve.group] for curve in curves)


def _reference(curves: Sequence[Curve]) -> dict[str, float]:
    """Return the last step, and the largest area and peak where runs have schedules."""
    last = max(float(curve.at[-1]) for curve in curves)
    found = {"at": last}
    schedules = [(c.schedule, c.at[-1]) for c in curves if c.schedule is not None]
    if schedules:
        found["area"] = max(float(s.area(end)) for s, end in schedules)
        found["peak"] = max(s.peak for s, _ in schedules)
    return found


def _joined(parts: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Return inputs of runs side by side; runs with fewer changes of rate get idle ones."""
    joined = {}
    for name, values in parts[0].items():
        arrays = [part[name] for part in parts]
        if values.ndim == 2:
            depth = max(len(array) for array in arrays)
            idle = 1.0 if name == "rate" else 0.0
            arrays = [
                np.pad(a, ((0, depth - len(a)), (0, 0)), constant_values=idle) for a in arrays
            ]
        joined[name] = np.concatenate(arrays, axis=-1)
    return joined
