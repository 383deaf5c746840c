"""Predict the hidden ends of public curves and schedules, beside the published errors.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/curves.py

Published splits. Learning curves: error is the root mean square on log loss of a curve's test
points, averaged over curves. Schedules: root mean square of the loss on a schedule's points,
averaged over schedules. Coverage is of the hidden points, averaged alike. Only scores are written.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecasts.corpus import PUBLIC_DATA
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

BENCHMARK = {"IC": "IC", "NMT": "language", "LM": "language", "BB": "language"}
PARTS = {"nano": "language", "double_descent": "double descent"}
WARMUP = 2160


def public(name: str) -> pd.DataFrame:
    """Read a public table."""
    return pd.read_csv(Path(os.environ.get(PUBLIC_DATA, "../shared/data")) / f"{name}.csv")


def split(curves: bs.Curves, test: set[tuple[str, float]]) -> Iterator[tuple[bs.Curve, bs.Curve]]:
    """Yield the fitted and the hidden part of each curve."""
    for curve in curves:
        hidden = np.array([(curve.run, at) in test for at in curve.at])
        yield kept(curve, ~hidden), kept(curve, hidden)


def kept(curve: bs.Curve, points: np.ndarray) -> bs.Curve:
    """Return some points of a curve."""
    counts = curve.measurements[points]
    return replace(curve, at=curve.at[points], output=curve.output[points], counts=counts)


def averaged(curve: bs.Curve) -> bs.Curve:
    """Return a fitted curve of vision or BIG-Bench as the means that its points are.

    Their fitted points stand on a geometric grid, off the steps at which anything was logged, and
    are smoother the wider the grid: each is a mean of what was logged around it. The narrowest gap
    is that of the log. None ever rises and neighbours are equal, three points of thirds and four of
    quarters: an isotonic regression, in which equal points are one mean.
    """
    gaps = np.diff(curve.at)
    around = 0.5 * (np.append(gaps, gaps[-1]) + np.insert(gaps, 0, gaps[0]))
    counts = np.maximum(around / gaps.min(), 1.0)
    block = np.concatenate([[0], np.cumsum(np.diff(curve.output) != 0.0)])
    whole = np.bincount(block, counts)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(block, counts * values) / whole

    return replace(
        curve, at=np.exp(mean(np.log(curve.at))), output=mean(curve.output), counts=whole
    )


def learning_curves(laws: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return scores of the benchmark's three parts, and of the domains of language."""
    revisiting = public("revisiting").rename(columns={"tokens": "n_tokens"})
    widths = public("nano_double_descent")
    rows: list[dict[str, object]] = []
    for frame, along, column, parts in (
        (revisiting, "n_tokens", "domain", BENCHMARK),
        (widths, "width", "family", PARTS),
    ):
        said = frame.groupby("run_id")[column].first()
        test = frame[frame["split"] == "test"]
        keys = set(zip(test["run_id"], test[along].astype(float), strict=True))
        found = bs.read_curves(frame, along=along)
        parted = [
            (averaged(fitted) if said[fitted.run] in ("IC", "BB") else fitted, hidden)
            for fitted, hidden in split(found, keys)
        ]
        for domain in parts:
            own = [pair for pair in parted if said[pair[0].run] == domain]
            every = replace(found, curves=tuple(fitted for fitted, _ in own))
            posterior = bs.fit_curves(every, laws)
            shared = posterior.cpu_seconds / len(own)
            for _, hidden in own:
                scores = scored(posterior, hidden) | {"cpu_seconds": shared}
                rows.append({"part": parts[domain], "domain": domain, **scores})
    table = pd.DataFrame(rows)
    whole = {part: means(of) for part, of in table.groupby("part")}
    language = table[table["part"] == "language"]
    domains = {f"language: {domain}": means(of) for domain, of in language.groupby("domain")}
    return {**whole, **domains}


def scored(posterior: bs.CurvePosterior, hidden: bs.Curve) -> dict[str, float]:
    """Return the scores of one curve's hidden points."""
    forecast = bs.forecast_curve(posterior, hidden.at, run=hidden.run, schedule=hidden.schedule)
    scores = score_points(forecast.mixture, np.log(hidden.output))
    error = np.log(forecast.median) - np.log(hidden.output)
    fits = [fit for group in posterior.fits.values() for fit in group]
    return {
        "rmsle": float(np.sqrt(np.mean(error**2))),
        "rmse": float(np.sqrt(np.mean((forecast.median - hidden.output) ** 2))),
        **{name: float(np.mean(values)) for name, values in scores.items()},
        "bad_khat": float(np.mean([not fit.trusted for fit in fits])),
    }


def means(table: pd.DataFrame) -> dict[str, float]:
    """Return mean scores over curves, and how many there are."""
    return {"curves": len(table), **table.select_dtypes("number").mean().to_dict()}


def schedules() -> dict[str, dict[str, float]]:
    """Return scores of each size: fitted to three schedules, tested on six others."""
    frame = public("lr_schedule_curves")
    found = {}
    for family, part in frame.groupby("family"):
        warmup = WARMUP if str(family).startswith("mpl") else 0
        curves = bs.read_curves(part, rate="learning_rate", warmup=warmup, group="family")
        test = set(part.loc[part["split"] == "test", "run_id"])
        fitted = tuple(curve for curve in curves if curve.run not in test)
        posterior = bs.fit_curves(replace(curves, curves=fitted))
        rows = [scored(posterior, curve) for curve in curves if curve.run in test]
        found[str(family)] = means(pd.DataFrame(rows)) | {"cpu_seconds": posterior.cpu_seconds}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--laws", nargs="*", default=(), help="instead of the default pool")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    started = time.process_time()
    scores = {**learning_curves(tuple(asked.laws)), **({} if asked.laws else schedules())}
    for part, of in scores.items():
        of.update({f"published_{name}": value for name, value in PUBLISHED.get(part, {}).items()})
        print(
            f"{part:16} {of['curves']:.0f} curves: rmsle {of['rmsle']:.4f}, rmse {of['rmse']:.5f},"
            f" 90 % holds {of['coverage_90']:.3f}, width {of['width_90']:.4f},"
            f" {of['cpu_seconds']:.2f} s, {PUBLISHED.get(part, '')}"
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
