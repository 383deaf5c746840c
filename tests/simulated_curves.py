"""Curves of known laws, with drift and noise: made anew from a seed, never stored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayescale.inference.curve_posterior import CurvePosterior
from bayescale.inference.curves import fit_curves
from bayescale.laws import load_law
from bayescale.models.curve_model import CurveModel, curve_model
from bayescale.models.curve_problem import CurveProblem, curve_problem
from bayescale.models.density import Density
from bayescale.models.drift import Places
from bayescale.runs.curves import Curve, Curves, read_curves
from bayescale.runs.schedule import Schedule

PEAK, STEPS, WARMUP = 3e-4, 24000, 2000

EDGE = 1e4
"""Last fitted step of drifting curves."""

MULTI_POWER = {
    "L_0": 2.5,
    "A": 0.65,
    "alpha": 0.43,
    "B": 500.0,
    "C": 2.0,
    "beta": 0.6,
    "gamma": 0.6,
}
"""Near the printed ones of a network of 400M parameters."""

SCHEDULES = {
    "constant": Schedule.constant(PEAK, warmup=WARMUP),
    "cosine": Schedule.cosine(PEAK, STEPS, final=0.1 * PEAK, warmup=WARMUP),
    "wsd": Schedule.wsd(PEAK, STEPS, decay=4000, final=0.1 * PEAK, warmup=WARMUP),
}


def scheduled_curves() -> Curves:
    """Return a run under each of three schedules, the last of which is kept from the fit."""
    frame = scheduled_frame(("constant", "cosine", "wsd"))
    return read_curves(frame, rate="learning_rate", warmup=WARMUP, group="family")


def fitted_to_two(curves: Curves) -> CurvePosterior:
    """Return the fit to all but the run under the last schedule."""
    fitted = tuple(curve for curve in curves if curve.run != "wsd")
    kept = Curves(curves.name, curves.along, curves.output, fitted, curves.group_columns)
    return fit_curves(kept, points=20)


def scheduled_frame(names: tuple[str, ...] = ("constant", "cosine"), seed: int = 0) -> pd.DataFrame:
    """Return losses of the multi-power law under some schedules, one row every 128 steps."""
    rng, law = np.random.default_rng(seed), load_law("multi_power")
    at = np.arange(WARMUP + 128, STEPS, 128).astype(float)
    rows = []
    for name in names:
        schedule = SCHEDULES[name]
        reference = {"at": 1.0, "area": 1.0, "peak": PEAK}
        read = law.sequence(at, schedule, reference)  # type: ignore[attr-defined]
        loss = law.evaluate(read, law.from_textbook(MULTI_POWER, reference))
        rate = schedule.rates[np.searchsorted(schedule.steps, at, side="right") - 1]
        noisy = loss * np.exp(1e-3 * rng.standard_normal(len(at)))
        held = {"run_id": name, "step": at, "loss": noisy, "learning_rate": rate}
        rows.append(pd.DataFrame({**held, "family": "simulated"}))
    return pd.concat(rows, ignore_index=True)


def drifting_curve(law: str, seed: int, n: int = 40) -> tuple[Curve, Curve]:
    """Return one of `drifting_curves`."""
    return next(drifting_curves(law, 1, seed, n))


def drifting_curves(law: str, number: int, seed: int, n: int = 40) -> Iterator[tuple[Curve, Curve]]:
    """Yield curves drawn from the prior of a law's model of curves: the fitted part, and whole.

    Coefficients, drift and noise are the model's own; the whole is an octave longer. Over the
    curves every coordinate has one draw in each of `number` strata of its prior, because so few
    plain draws miss its middle by more than a band of their ranks forgives.
    """
    for ((_, whole),) in drifting_groups(curve_model(law), 1, number, seed, n):
        yield whole.until(EDGE), whole


def drifting_groups(
    model: CurveModel, runs: int, number: int, seed: int, n: int = 40, families: str = ""
) -> Iterator[list[tuple[dict[str, float], Curve]]]:
    """Yield groups of siblings as `drifting_curves`: each run's coefficients, and its whole curve.

    Runs are called a, b, c ... and are fitted up to `EDGE`; `families` has a letter a run, where
    there are several.
    """
    rng = np.random.default_rng(seed)
    names = {chr(ord("a") + k): ("siblings", *families[k : k + 1]) for k in range(runs)}
    size = (number, len(_flat(model, names, [_steps(rng, 4)] * runs)[1].symbols))
    rng = np.random.default_rng(seed)
    strata = np.argsort(rng.uniform(size=size), axis=0)
    for p in (strata + rng.uniform(size=size)) / number:
        yield _group(model, names, p, rng, n)


def _steps(rng: np.random.Generator, n: int) -> np.ndarray:
    x = np.concatenate([rng.uniform(-4.0, np.log(2.0), n - 2), [0.0, np.log(2.0)]])
    return EDGE * np.exp(np.sort(x))


def _flat(
    model: CurveModel, names: dict[str, tuple[str, ...]], at: list[np.ndarray]
) -> tuple[CurveProblem, Density]:
    """Return the problem of curves that say nothing yet."""
    shown = [steps[steps <= EDGE] for steps in at]
    flat = [
        Curve(run=run, at=steps, output=np.full(len(steps), 3.0), group=group)
        for (run, group), steps in zip(names.items(), shown, strict=True)
    ]
    problem = curve_problem(model, flat, points=max(map(len, shown)))
    return problem, Density(problem)


def _group(
    model: CurveModel,
    names: dict[str, tuple[str, ...]],
    p: np.ndarray,
    rng: np.random.Generator,
    n: int,
) -> list[tuple[dict[str, float], Curve]]:
    every = [_steps(rng, n) for _ in names]
    problem, density = _flat(model, names, every)
    draw = density.prior_quantiles(p[None])
    sigma, tau = np.exp(draw[0, density.n_law :])
    parts = [problem.places_of(at, run) for run, at in zip(names, every, strict=True)]
    run = np.concatenate([part.run for part in parts])
    places = Places(
        np.concatenate([part.x for part in parts]), run, np.zeros(len(run)), np.zeros(len(run))
    )
    covariance = tau**2 * problem.covariance(places, places)
    mean = density.log_loss(draw, problem.inputs_at(np.concatenate(every), None, run))[0]
    factor = np.linalg.cholesky(covariance + 1e-12 * np.eye(len(run)))
    y = mean + factor @ rng.standard_normal(len(run))
    level = np.median([y[run == k][every[k] <= EDGE][-1] for k in range(len(names))])
    noise = (sigma**2 + model.spec.noise.floor**2) * np.exp(2.0 * (level - y))
    y = y + np.sqrt(noise) * rng.standard_normal(len(run))
    of_runs = problem.siblings.of_runs(density.constrain(draw))
    found = []
    for k, (name, group) in enumerate(names.items()):
        own = {s: float(v[0, k if v.shape[1] > 1 else 0]) for s, v in of_runs.items()}
        whole = Curve(run=name, at=every[k], output=np.exp(y[run == k]), group=group)
        found.append((own, whole))
    return found
