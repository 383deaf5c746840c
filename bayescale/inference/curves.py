"""Fit laws to the curves of training runs: each group's coefficients, its drift and its noise."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayescale.errors import ConvergenceWarning, InferenceError, RunsTableError
from bayescale.inference.curve_posterior import CurveFit, CurvePosterior
from bayescale.inference.importance import ESS_MIN, KHAT_MAX, fails, importance_sample
from bayescale.inference.threads import one_thread
from bayescale.laws import Law, load_law
from bayescale.models.curve_model import curve_model
from bayescale.models.curve_problem import CurveProblem, curve_problem
from bayescale.models.drift import Drift
from bayescale.models.spec import ModelSpec
from bayescale.runs.curves import Curve, Curves

ALONE = ("learning_curve_m3", "learning_curve_m4")
"""Laws pooled by default for curves without a schedule."""

SCHEDULED = ("multi_power",)
"""The default for curves that have one."""

MAX_RUNS = 375
"""Beyond this a run would be left fewer than four points."""

Fits = dict[tuple[str, ...], tuple[CurveFit, ...]]


def fit_curves(
    curves: Curves,
    laws: str | Law | Sequence[str | Law] = (),
    *,
    priors: Mapping[str, Any] | None = None,
    points: int = 60,
    draws: int = 500,
    seed: int = 0,
) -> CurvePosterior:
    """Infer the coefficients of a law of curves, how curves drift from it, and their noise.

    Parameters
    ----------
    curves : Curves
        From `read_curves`. Runs of one group share coefficients and part of the drift.
    laws : str, Law, or sequence of them
        A `SequenceLaw`, or any law of one input, read along the curve. Several are pooled with
        equal weights, which the curves do not move. Default: the multi-power law for curves with
        schedules, else the learning curves M3 and M4.
    priors : mapping, optional
        A user's own priors, as for `fit`; for a single law.
    points : int
        Points kept of each run, means of stretches of it. As many as the curve has fit it whole.
    draws : int
        Posterior draws a law and group.
    seed : int
        Seed of everything random.

    Returns
    -------
    CurvePosterior
        One fit a group and law.

    Raises
    ------
    InferenceError
        For priors beside several laws, or a curve of fewer than four points.
    LawError
        For a law of schedules and a run without one, or a law of several inputs.

    Warns
    -----
    ConvergenceWarning
        When importance weights of a fit miss their gates.
    """
    wanted = _laws(laws, curves)
    _check_priors(priors, wanted)
    started = time.process_time()
    groups = curves.groups()
    _check(curves, groups)
    shared = max(len(group) for group in groups.values()) > 1
    own = [curve_model(law, shared=shared) for law in wanted]
    models = [(spec.with_priors(priors or {}), drift) for spec, drift in own]
    with one_thread():
        fits = _fitted(models, groups, points, draws, seed)
    made = CurvePosterior(
        name=curves.name,
        along=curves.along,
        output=curves.output,
        group_columns=curves.group_columns,
        fits=fits,
        cpu_seconds=time.process_time() - started,
    )
    _warn_of_gates(made)
    return made


def refit_with(fits: Sequence[CurveFit], observed: Curve, seed: int = 0) -> tuple[CurveFit, ...]:
    """Return the fits of a group with one run more, under the same models.

    Parameters
    ----------
    fits : sequence of CurveFit
        One a law; their thinned points stand for the curves.
    observed : Curve
        What the new run has shown.
    seed : int
        Seed of everything random.
    """
    made = []
    with one_thread():
        for j, fit in enumerate(fits):
            problem = fit.problem
            curves = (*problem.curves(), observed)
            joined = curve_problem(problem.spec, problem.drift, curves)
            made.append(_drawn(joined, len(fit.x), [seed, 0, j]))
    return tuple(made)


def _laws(laws: str | Law | Sequence[str | Law], curves: Curves) -> tuple[Law, ...]:
    single = isinstance(laws, str | Law)
    names: Sequence[str | Law] = (laws,) if single else tuple(laws)  # type: ignore[assignment,arg-type]
    if not names:
        scheduled = all(curve.schedule is not None for curve in curves)
        names = SCHEDULED if scheduled else ALONE
    found = tuple(load_law(law) if isinstance(law, str) else law for law in names)
    supports = {law.name: law.output_support for law in found}
    if len(set(supports.values())) > 1:
        said = ", ".join(f"{name} {support}" for name, support in supports.items())
        raise InferenceError(f"laws with different outputs cannot be pooled: {said}.")
    return found


def _check_priors(priors: Mapping[str, Any] | None, laws: Sequence[Law]) -> None:
    if priors and len(laws) > 1:
        names = ", ".join(law.name for law in laws)
        raise InferenceError(
            f"priors on {', '.join(priors)} were given for {len(laws)} laws: {names}.",
            "Name one law.",
        )


def _check(curves: Curves, groups: Mapping[tuple[str, ...], Sequence[Curve]]) -> None:
    for curve in curves:
        distinct = len(np.unique(curve.at))
        if distinct < 4:
            raise RunsTableError(
                f"curve {curve.run!r}: {distinct} distinct values of {curves.along}, expected at"
                " least 4.",
                "Log more often, or leave the run out with where=.",
            )
    largest = max(len(group) for group in groups.values())
    if largest > MAX_RUNS:
        raise InferenceError(
            f"a group of {curves.name!r} holds {largest} runs that share coefficients; it takes at"
            f" most {MAX_RUNS}.",
            "Give group= columns that tell more of them apart, or leave group= out.",
        )


def _fitted(
    models: Sequence[tuple[ModelSpec, Drift]],
    groups: Mapping[tuple[str, ...], Sequence[Curve]],
    points: int,
    draws: int,
    seed: int,
) -> Fits:
    return {
        label: tuple(
            _drawn(curve_problem(*model, group, points), draws, [seed, k, j])
            for j, model in enumerate(models)
        )
        for k, (label, group) in enumerate(groups.items())
    }


def _drawn(problem: CurveProblem, draws: int, seed: Sequence[int]) -> CurveFit:
    weighted = importance_sample(problem, seed[0], 1000 * seed[1] + seed[2])
    rng = np.random.default_rng([*seed, 1])
    return CurveFit(
        problem=problem,
        x=weighted.resample(draws, rng),
        khat=weighted.khat,
        ess=weighted.ess,
        trusted=not fails(weighted),
    )


def _warn_of_gates(made: CurvePosterior) -> None:
    missed = [
        f"{'/'.join(label)} under {fit.problem.law.name} (khat {fit.khat:.2f}, ESS {fit.ess:.0f})"
        for label, fits in made.fits.items()
        for fit in fits
        if not fit.trusted
    ]
    if missed:
        more = f" and {len(missed) - 3} more" if len(missed) > 3 else ""
        warnings.warn(
            f"importance weights miss khat {KHAT_MAX} or ESS {ESS_MIN:.0f}: "
            f"{', '.join(missed[:3])}{more}. Take a law with fewer coefficients, or more points.",
            ConvergenceWarning,
            stacklevel=3,
        )
