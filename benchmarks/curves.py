"""Predict the hidden ends of public curves and schedules, beside the published errors.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/curves.py [--inner]

Published splits. Learning curves: error is the root mean square on log loss of a curve's test
points, averaged over curves; each is fitted alone, with its siblings (`curve_parts.py`), whose
fitted parts alone are read too, and in vision with all curves of its data set. Schedules: root mean
square of the loss on a schedule's points, averaged over schedules. Coverage is of the hidden
points, averaged alike. Only scores are written. `--inner` scores parts of the fitted parts instead,
prints them by domain and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from curve_parts import Parted, learning_curves, public

import bayescale as bs
from bayescale.forecasts.scores import score_points

OUT = Path(__file__).parent / "results" / "curves.json"

PUBLISHED = {
    "IC": {"NSL-PFN": 0.0280, "BNSL": 0.0406, "M4": 0.0415, "MCMC(M4)": 0.0422},
    "language": {"NSL-PFN": 0.0194, "BNSL": 0.0223, "MCMC(M4)": 0.0235},
    "double descent": {"NSL-PFN": 0.0335, "BNSL": 0.0468, "MCMC(BNSL)": 0.0494},
    "mpl_25M": {"multi-power law": 0.00465},
    "mpl_100M": {"multi-power law": 0.00592},
    "mpl_400M": {"multi-power law": 0.00730},
}
"""Mean errors of Lee et al. (2025), arXiv:2505.23032, and Luo et al. (2025), arXiv:2503.12811."""

WARMUP = 2160


TOGETHER, NESTED = " together", " nested"
"""After a part's name: curves fitted with their siblings, and with families of siblings."""

FAMILIES = ("IC",)
"""Domains in which siblings have families beside them."""

NESTED_POINTS = 25
"""Points of a curve where eighteen are fitted as one."""


def scored_learning_curves(laws: Sequence[str], *, inner: bool) -> pd.DataFrame:
    """Return the scores of every curve, alone, together with its siblings, and with families."""
    parted = list(learning_curves(inner=inner))
    rows: list[dict[str, object]] = []
    for domain in dict.fromkeys(curve.domain for curve in parted):
        own = [curve for curve in parted if curve.domain == domain]
        for way, posterior in _fitted(own, laws):
            shared = {"way": way, "cpu_seconds": posterior.cpu_seconds / len(own)}
            for curve in own:
                scores = scored(posterior, curve.hidden)
                rows.append({"part": curve.part, "domain": domain, **shared, **scores})
    return pd.DataFrame(rows)


def _fitted(own: Sequence[Parted], laws: Sequence[str]) -> Iterator[tuple[str, bs.CurvePosterior]]:
    """Yield the fits of a domain's curves, and what follows its name there."""
    curves = _curves(own)
    yield "", bs.fit_curves(curves, laws, pooling="none")
    yield TOGETHER, bs.fit_curves(curves, laws, pooling="partial")
    if own[0].domain in FAMILIES:
        yield NESTED, bs.fit_curves(curves, laws, pooling="nested", points=NESTED_POINTS)


def _curves(parted: Sequence[Parted]) -> bs.Curves:
    every = tuple(replace(part.fitted, group=(part.task, part.siblings)) for part in parted)
    return bs.Curves(parted[0].domain, "at", "loss", every, ("task", "siblings"))


def by_part(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return mean scores of the benchmark's three parts, and of the domains of language."""
    whole = {part + way: means(of) for (part, way), of in table.groupby(["part", "way"])}
    language = table[table["part"] == "language"].groupby(["domain", "way"])
    return {**whole, **{f"language: {domain}{way}": means(of) for (domain, way), of in language}}


def scored(posterior: bs.CurvePosterior, hidden: bs.Curve) -> dict[str, float]:
    """Return the scores of one curve's hidden points."""
    forecast = bs.forecast_curve(posterior, hidden.at, run=hidden.run, schedule=hidden.schedule)
    scores = score_points(forecast.mixture, np.log(hidden.output))
    error = np.log(forecast.median) - np.log(hidden.output)
    fits = posterior.of_group(posterior.group_of(hidden.run) or hidden.group)
    return {
        "rmsle": float(np.sqrt(np.mean(error**2))),
        "rmse": float(np.sqrt(np.mean((forecast.median - hidden.output) ** 2))),
        **{name: float(np.mean(values)) for name, values in scores.items()},
        "bad_khat": float(np.mean([not fit.trusted for fit in fits])),
    }


def means(table: pd.DataFrame) -> dict[str, float]:
    """Return mean scores over curves, and how many there are."""
    return {"curves": len(table), **table.select_dtypes("number").mean().to_dict()}


def scheduled() -> Iterator[tuple[str, bs.CurvePosterior, list[bs.Curve]]]:
    """Yield each size, the fit to its three schedules, and the runs under others."""
    frame = public("lr_schedule_curves")
    for family, part in frame.groupby("family"):
        warmup = WARMUP if str(family).startswith("mpl") else 0
        curves = bs.read_curves(part, rate="learning_rate", warmup=warmup, group="family")
        test = set(part.loc[part["split"] == "test", "run_id"])
        fitted = tuple(curve for curve in curves if curve.run not in test)
        posterior = bs.fit_curves(replace(curves, curves=fitted))
        yield str(family), posterior, [curve for curve in curves if curve.run in test]


def schedules() -> dict[str, dict[str, float]]:
    """Return scores of each size: fitted to three schedules, tested on six others."""
    found = {}
    for family, posterior, hidden in scheduled():
        rows = pd.DataFrame([scored(posterior, curve) for curve in hidden])
        found[family] = means(rows) | {"cpu_seconds": posterior.cpu_seconds}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--laws", nargs="*", default=(), help="instead of the default pool")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--inner", action="store_true", help="parts of the fitted parts")
    asked = parser.parse_args()
    started = time.process_time()
    table = scored_learning_curves(asked.laws, inner=asked.inner)
    if asked.inner:
        columns = ["rmsle", "crps", "coverage_90", "width_90", "bad_khat", "cpu_seconds"]
        print(table.groupby(["domain", "way"])[columns].mean().round(4).to_string())
        return
    scores = {**by_part(table), **({} if asked.laws else schedules())}
    for part, of in scores.items():
        published = PUBLISHED.get(part.removesuffix(TOGETHER).removesuffix(NESTED), {})
        of.update({f"published_{name}": value for name, value in published.items()})
        print(
            f"{part:22} {of['curves']:.0f} curves: rmsle {of['rmsle']:.4f}, rmse {of['rmse']:.5f},"
            f" 90 % holds {of['coverage_90']:.3f}, width {of['width_90']:.4f},"
            f" {of['cpu_seconds']:.2f} s, {published or ''}"
        )
    held = {
        "command": "python benchmarks/curves.py",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cpu_seconds": round(time.process_time() - started, 1),
        "scores": {
            part: {name: float(f"{value:.4g}") for name, value in of.items()}
            for part, of in scores.items()
        },
    }
    asked.out.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
