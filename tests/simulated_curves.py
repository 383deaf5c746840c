"""Curves of known laws, with drift and noise: made anew from a seed, never stored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayescale.inference.curve_posterior import CurvePosterior
from bayescale.inference.curves import fit_curves
from bayescale.laws import load_law
from bayescale.models.curve_model import curve_model
from bayescale.models.curve_problem import curve_problem
from bayescale.models.density import Density
from bayescale.runs.curves import Curve, Curves, read_curves
from bayescale.runs.schedule import Schedule

PEAK, STEPS, WARMUP = 3e-4, 24000, 2000

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
    rng = np.random.default_rng(seed)
    spec, drift = curve_model(law, shared=False)
    size = (number, len(spec.priors) + len(spec.scale_priors))
    strata = np.argsort(rng.uniform(size=size), axis=0)
    for k, p in enumerate((strata + rng.uniform(size=size)) / number):
        x = np.sort(np.concatenate([rng.uniform(-4.0, np.log(2.0), n - 2), [0.0, np.log(2.0)]]))
        at = 1e4 * np.exp(x)
        flat = Curve(run=f"{law} {k}", at=at[x <= 0.0], output=np.full((x <= 0.0).sum(), 3.0))
        problem = curve_problem(spec, drift, [flat], points=n)
        density = Density(problem)
        draw = density.prior_quantiles(p[None])
        sigma, tau = np.exp(draw[0, density.n_law :])
        places = problem.places_of(at, flat.run)
        covariance = tau**2 * problem.covariance(places, places)
        mean = density.log_loss(draw, problem.inputs_at(at, None))[0]
        y = mean + np.linalg.cholesky(covariance + 1e-12 * np.eye(n)) @ rng.standard_normal(n)
        level = y[x <= 0.0][-1]
        noise = (sigma**2 + spec.noise.floor**2) * np.exp(2.0 * (level - y))
        y = y + np.sqrt(noise) * rng.standard_normal(n)
        whole = Curve(run=flat.run, at=at, output=np.exp(y), group=(flat.run,))
        yield whole.until(at[x <= 0.0][-1]), whole
