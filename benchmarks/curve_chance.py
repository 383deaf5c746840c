"""How often intervals that are exactly right would be scored outside .85 to .95 by chance.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/curve_chance.py

A table of `curves.py` has few curves, and the points of one are held or missed together: the share
that 90 % intervals hold is far from .90 however right they are. Here the hidden points are drawn
from the forecast itself, 4000 times, jointly along and between the curves of a table, and scored
like measured ones. The measured share's rank among the drawn ones is uniform, ties broken at
random, where forecasts are right; so is that of the mean squared normal score, which is low for
intervals that are too wide. At most 60 points of a curve are taken.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from curve_parts import kept, learning_curves
from curves import scheduled
from scipy.special import ndtri

import bayescale as bs
from bayescale.forecasts.curve_conditional import Conditional, Stretch, stretch_of
from bayescale.forecasts.curve_forecast import few_points
from bayescale.inference.curve_fit import CurveFit

OUT = Path(__file__).parent / "results" / "curve_chance.json"

POINTS, BLOCK, REPEATS = 60, 50, 4
BAND = (0.85, 0.95)

COPIES = "p20"
"""In the names of five runs of double descent that differ in their seed alone."""


@dataclass(frozen=True)
class Scored:
    """Shares held and mean squared normal scores of curves, shape (..., curves) both."""

    held: np.ndarray
    squared: np.ndarray

    def column(self, curve: int) -> Scored:
        """Return the scores of one curve."""
        return Scored(self.held[..., curve], self.squared[..., curve])

    def averaged(self) -> Scored:
        """Return the means over curves."""
        return Scored(self.held.mean(axis=-1), self.squared.mean(axis=-1))


def thinned(curve: bs.Curve) -> bs.Curve:
    """Return every so manieth point of a curve, at most `POINTS`."""
    every = -(-len(curve) // POINTS)
    return kept(curve, np.arange(len(curve)) % every == every - 1)


def drawn(fit: CurveFit, hidden: Sequence[bs.Curve], rng: np.random.Generator) -> np.ndarray:
    """Return linked outputs of some curves, jointly, shape (draws, points)."""
    blocks = [fit.x[k : k + BLOCK] for k in range(0, len(fit.x), BLOCK)]
    parts = [_drawn(replace(fit, x=x), hidden, rng) for x in blocks]
    mean = np.concatenate([mean for mean, _ in parts])
    around = np.concatenate([around for _, around in parts], axis=1)
    centre = mean.mean(axis=0)
    wider = np.sqrt(few_points(fit))
    return (centre + wider * (mean - centre + around)).reshape(-1, mean.shape[1])


def _drawn(
    fit: CurveFit, hidden: Sequence[bs.Curve], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return means (S, m) and what is drawn around them (REPEATS, S, m)."""
    curve, stretches = Conditional(fit), _stretches(fit, hidden)
    mean = np.concatenate([curve.mean(own) for own in stretches], axis=1)
    covariance = np.block([[curve.covariance(a, b) for b in stretches] for a in stretches])
    points = np.arange(mean.shape[1])
    covariance[:, points, points] += curve.noise(mean)
    z = rng.standard_normal((REPEATS, *mean.shape, 1))
    return mean, (np.linalg.cholesky(covariance) @ z)[..., 0]


def _stretches(fit: CurveFit, hidden: Sequence[bs.Curve]) -> list[Stretch]:
    """Return the steps of the curves, those that were not fitted told apart."""
    found = []
    for k, curve in enumerate(hidden):
        own = stretch_of(fit.problem, curve.at, curve.run, curve.schedule)
        run = np.where(own.places.run < 0, -1 - k, own.places.run)
        found.append(replace(own, places=replace(own.places, run=run)))
    return found


def table(
    posterior: bs.CurvePosterior, hidden: Sequence[bs.Curve], rng: np.random.Generator
) -> tuple[Scored, Scored]:
    """Return the scores of drawn (draws, curves) and measured (curves,) points of one group."""
    fits = posterior.of_group(posterior.group_of(hidden[0].run) or hidden[0].group)
    truths = np.concatenate([drawn(fit, hidden, rng) for fit in fits])
    ends = np.cumsum([len(curve) for curve in hidden])[:-1]
    pairs = [
        _scored(posterior, curve, np.vstack([own, np.log(curve.output)]))
        for curve, own in zip(hidden, np.split(truths, ends, axis=1), strict=True)
    ]
    held, squared = (np.column_stack(columns) for columns in zip(*pairs, strict=True))
    return Scored(held[:-1], squared[:-1]), Scored(held[-1], squared[-1])


def _scored(
    posterior: bs.CurvePosterior, curve: bs.Curve, log_output: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share held and the mean squared normal score of rows of points."""
    forecast = bs.forecast_curve(posterior, curve.at, run=curve.run, schedule=curve.schedule)
    below = np.array([forecast.mixture.cdf(row) for row in log_output])
    scores = ndtri(np.clip(below, 1e-9, 1.0 - 1e-9))
    return (np.abs(below - 0.5) <= 0.45).mean(axis=1), (scores**2).mean(axis=1)


def rank(measured: float, simulated: np.ndarray, rng: np.random.Generator) -> float:
    """Return the share of simulated values below a measured one, ties broken at random."""
    below, same = (simulated < measured).mean(), (simulated == measured).mean()
    return round(float(below + rng.uniform() * same), 3)


def summary(
    simulated: Scored, measured: Scored, names: Sequence[str], rng: np.random.Generator
) -> dict[str, Any]:
    """Return what chance does to a table's share, and where the measured one lies."""
    share = simulated.held.mean(axis=1)
    within = (share >= BAND[0]) & (share <= BAND[1])
    quantiles = np.quantile(share, [0.05, 0.25, 0.5, 0.75, 0.95])
    curves = {
        name: _ranked(measured.held[k], measured.squared[k], simulated.column(k), rng)
        for k, name in enumerate(names)
    }
    return {
        "right": round(float(within.mean()), 3),
        "share_where_right": quantiles.round(3).tolist(),
        **_ranked(measured.held.mean(), measured.squared.mean(), simulated.averaged(), rng),
        "curves": curves,
    }


def _ranked(
    held: float, squared: float, simulated: Scored, rng: np.random.Generator
) -> dict[str, float]:
    return {
        "share": round(float(held), 3),
        "rank_of_share": rank(held, simulated.held, rng),
        "squared": round(float(squared), 3),
        "rank_of_squared": rank(squared, simulated.squared, rng),
    }


def schedule_tables(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Return the summary of every size of network under the multi-power law's schedules."""
    found = {}
    for family, posterior, hidden in scheduled():
        if family.startswith("mpl"):
            shown = [thinned(curve) for curve in hidden]
            simulated, measured = table(posterior, shown, rng)
            found[family] = summary(simulated, measured, [curve.run for curve in shown], rng)
    return found


def double_descent(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Return the summary of its curves, each fitted alone; and of repeats as one and the same."""
    every = [part for part in learning_curves(inner=False) if part.domain == "double_descent"]
    posterior = bs.fit_curves(
        bs.Curves("double descent", "at", "loss", tuple(part.fitted for part in every)).apart()
    )
    pairs = [table(posterior, [thinned(part.hidden)], rng) for part in every]
    simulated, measured = (_beside(scores) for scores in zip(*pairs, strict=True))
    names = [part.fitted.run for part in every]
    copies = [k for k, name in enumerate(names) if COPIES in name]
    first = np.array([copies[0] if k in copies else k for k in range(len(names))])
    as_one = Scored(simulated.held[:, first], simulated.squared[:, first])
    return {
        "double descent": summary(simulated, measured, names, rng),
        "double descent, repeats as one": summary(as_one, measured, names, rng),
    }


def _beside(scores: Sequence[Scored]) -> Scored:
    pairs = ((own.held, own.squared) for own in scores)
    return Scored(*(np.concatenate(of, axis=-1) for of in zip(*pairs, strict=True)))


def main() -> None:
    started, rng = time.process_time(), np.random.default_rng(0)
    tables = {**schedule_tables(rng), **double_descent(rng)}
    for name, found in tables.items():
        quantiles = ", ".join(f"{q:.2f}" for q in found["share_where_right"])
        print(
            f"{name}: right intervals score .85 to .95 in {found['right']:.0%}, share at 5, 25, 50,"
            f" 75, 95 %: {quantiles}; measured {found['share']:.3f}, rank"
            f" {found['rank_of_share']:.2f}; squared scores {found['squared']:.2f}, rank"
            f" {found['rank_of_squared']:.3f}"
        )
    held = {
        "command": "python benchmarks/curve_chance.py",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cpu_seconds": round(time.process_time() - started, 1),
        "scores": tables,
    }
    OUT.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
