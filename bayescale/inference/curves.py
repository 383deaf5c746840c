"""Fit laws to the curves of training runs: each group's coefficients, its drift and its noise."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bayescale.arguments import (
    COUNT,
    MAPPING,
    NAME,
    SEED,
    Kind,
    check_arguments,
    one_of,
    several,
)
from bayescale.errors import ConvergenceWarning, InferenceError, RunsTableError
from bayescale.inference.curve_draws import draw_curves
from bayescale.inference.curve_fit import CurveFit
from bayescale.inference.curve_posterior import CurvePosterior
from bayescale.inference.fit import RHAT_MAX
from bayescale.inference.importance import ESS_MIN, KHAT_MAX
from bayescale.inference.threads import one_thread
from bayescale.laws import Law, load_law
from bayescale.models.curve_model import CurveModel, CurvePooling, curve_model, reads_schedule
from bayescale.models.curve_problem import curve_problem
from bayescale.runs.curves import Curve, Curves, read_curves

ALONE = ("learning_curve_m3", "learning_curve_m4")
"""Laws pooled by default for curves without a schedule."""

SCHEDULED = ("multi_power",)
"""The default for curves that have one."""

MAX_RUNS = 375
"""Beyond this a run would be left fewer than four points."""

MAX_SIBLINGS = 20
"""Runs of a group that differ in coefficients: 45 of M4's, and 18 runs were sampled well."""

Fits = dict[tuple[str, ...], tuple[CurveFit, ...]]


_IS_LAW = one_of(str, Law)
_LAWS = Kind("the name of a law, a law, or several", lambda x: _IS_LAW(x) or several(_IS_LAW)(x))


def fit_curves(
    curves: Any,
    laws: str | Law | Sequence[str | Law] = (),
    *,
    pooling: CurvePooling | None = None,
    common: Mapping[str, float] | None = None,
    priors: Mapping[str, Any] | None = None,
    points: int = 60,
    draws: int = 500,
    seed: int = 0,
) -> CurvePosterior:
    """Infer the coefficients of a law of curves, how curves drift from it, and their noise.

    Parameters
    ----------
    curves : Curves, DataFrame, or path
        From `read_curves`, whose ``group=`` says which runs are siblings, or what it reads as it
        stands.
    laws : str, Law, or sequence of them
        A `SequenceLaw`, or any law of one input, read along the curve. Several are pooled with
        equal weights, which the curves do not move. Default: the multi-power law for curves with
        schedules, else the learning curves M3 and M4.
    pooling : {"complete", "nested", "partial", "none"}, optional
        What siblings share. ``complete``: all coefficients; the default of laws that read the
        learning rate. ``partial``: part of the drift, the noise and what the model says of the
        coefficients, never the level; the default of other laws, where a group of one is the fit
        alone. ``nested``: siblings alike in all group columns share so, and those alike in all but
        the last, each set up to the end of its own curves, have coefficients almost alike.
        ``none``: every run is fitted alone.
    common : mapping of str to float, optional
        For partial pooling under a single law: by coefficient, the share of its prior's variance
        that siblings have in common, from 0, not shared, to 1, shared wholly.
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
        For priors or shares beside several laws, shares without partial pooling, or more runs in a
        group than it takes.
    RunsTableError
        For a curve of fewer than four points.
    LawError
        For a law of schedules and a run without one, or a law of several inputs.

    Warns
    -----
    ConvergenceWarning
        When a fit misses its gates, and tempered ensembles did not help.
    """
    check_arguments(
        "fit_curves",
        InferenceError,
        laws=(laws, _LAWS),
        pooling=(pooling, NAME.or_none),
        common=(common, MAPPING.or_none),
        priors=(priors, MAPPING.or_none),
        points=(points, COUNT),
        draws=(draws, COUNT),
        seed=(seed, SEED),
    )
    curves = curves if isinstance(curves, Curves) else read_curves(curves)
    wanted = _laws(laws, curves)
    _check_single("priors on", priors, wanted)
    _check_single("shares of", common, wanted)
    started = time.process_time()
    curves = curves.apart() if pooling == "none" else curves
    columns = _columns(curves, pooling)
    groups = curves.groups(len(columns))
    models = _models(wanted, groups, pooling, common or {}, priors or {})
    _check(curves, groups, models)
    with one_thread():
        fits = _fitted(models, groups, points, draws, seed)
    made = CurvePosterior(
        name=curves.name,
        along=curves.along,
        output=curves.output,
        group_columns=columns,
        fits=fits,
        cpu_seconds=time.process_time() - started,
    )
    _warn_of_gates(made)
    return made


def _columns(curves: Curves, pooling: CurvePooling | None) -> tuple[str, ...]:
    """Return the columns that tell fits apart."""
    columns = curves.group_columns
    if pooling != "nested":
        return columns
    if len(columns) < 2:
        raise InferenceError(
            f"curves {curves.name!r} have the group columns {', '.join(columns)}, but nested"
            " pooling needs two or more: what is alike first, and within it what differs.",
            "Give group= two columns, or pooling='partial'.",
        )
    return columns[:-1]


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
            family = problem.family_of(observed.group)
            curves = (*problem.curves(), replace(observed, group=family))
            joined = curve_problem(problem.model, curves)
            made.append(draw_curves(joined, len(fit.x), [seed, 0, j]))
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


def _check_single(what: str, given: Mapping[str, Any] | None, laws: Sequence[Law]) -> None:
    if given and len(laws) > 1:
        names = ", ".join(law.name for law in laws)
        raise InferenceError(
            f"{what} {', '.join(given)} were given for {len(laws)} laws: {names}.",
            "Name one law.",
        )


def _models(
    laws: Sequence[Law],
    groups: Mapping[tuple[str, ...], Sequence[Curve]],
    pooling: CurvePooling | None,
    common: Mapping[str, float],
    priors: Mapping[str, Any],
) -> list[CurveModel]:
    alone = max(len(group) for group in groups.values()) == 1
    made = []
    for law in laws:
        asked = pooling or ("complete" if reads_schedule(law) else "partial")
        model = curve_model(law, "none" if alone and asked == "complete" else asked)
        if common:
            model = model.sharing(common)
        spec = model.spec.with_priors(priors)
        if spec.derived_priors and model.common and not alone:
            raise InferenceError(
                f"priors on {', '.join(spec.derived_priors)} were given for runs that differ in"
                f" {law.symbols[0]}, and so in what these mean.",
                f"Give a prior of {', '.join(law.derived[q] for q in spec.derived_priors)}, or"
                " pooling='none'.",
            )
        made.append(replace(model, spec=spec))
    return made


def _check(
    curves: Curves,
    groups: Mapping[tuple[str, ...], Sequence[Curve]],
    models: Sequence[CurveModel],
) -> None:
    for curve in curves:
        distinct = len(np.unique(curve.at))
        if distinct < 4:
            raise RunsTableError(
                f"curve {curve.run!r}: {distinct} distinct values of {curves.along}, expected at"
                " least 4.",
                "Log more often, or leave the run out with where=.",
            )
    largest = max(len(group) for group in groups.values())
    differ = any(model.common for model in models)
    most, share = (MAX_SIBLINGS, "in part") if differ else (MAX_RUNS, "wholly")
    if largest > most:
        raise InferenceError(
            f"a group of {curves.name!r} holds {largest} runs that share coefficients {share}; it"
            f" takes at most {most}.",
            "Give group= columns that tell more of them apart, or leave group= out.",
        )


def _fitted(
    models: Sequence[CurveModel],
    groups: Mapping[tuple[str, ...], Sequence[Curve]],
    points: int,
    draws: int,
    seed: int,
) -> Fits:
    return {
        label: tuple(
            draw_curves(curve_problem(model, group, points), draws, [seed, k, j])
            for j, model in enumerate(models)
        )
        for k, (label, group) in enumerate(groups.items())
    }


def _warn_of_gates(made: CurvePosterior) -> None:
    missed = [
        f"{'/'.join(label)} under {fit.problem.law.name} ({fit.diagnosis})"
        for label, fits in made.fits.items()
        for fit in fits
        if not fit.trusted
    ]
    if missed:
        more = f" and {len(missed) - 3} more" if len(missed) > 3 else ""
        warnings.warn(
            f"draws miss khat {KHAT_MAX}, R-hat {RHAT_MAX} or ESS {ESS_MIN:.0f}:"
            f" {', '.join(missed[:3])}{more}. Take a law with fewer coefficients, or more points.",
            ConvergenceWarning,
            stacklevel=3,
        )
