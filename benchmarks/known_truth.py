"""How often 90 % intervals hold where the Chinchilla law is exactly true, by the floor's share.

    python benchmarks/known_truth.py [MODEL ...]

Tables of 20, 60 and 150 runs (isoFLOP slices, scattered, or at 20 tokens a parameter; noise .05 to
3 % of the loss) with a known law, and one new run 30 and 300 times beyond the largest. The floor's
share of the loss at 1e9 parameters and 2e10 tokens goes from .55 to .81, that of Chinchilla's
published refit is .72: the default has learned on public tables that floors are lower than such
runs alone would say. Writes ``results/known_truth.json``.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.errors import BayescaleWarning
from bayescale.runs.save import write_atomically

RESULTS = Path(__file__).parent / "results" / "known_truth.json"
NOISE, SIZES = (5e-4, 2e-3, 5e-3, 1e-2, 3e-2), (20, 60, 150)
DESIGNS, FACTORS, REPEATS = ("scattered", "isoflop", "one_ratio"), (30.0, 300.0), 6
SHARES = (0.5, 0.62, 0.66, 0.70, 0.74, 0.85)
"""Edges of the bins of the floor's share."""


def runs_of(design: str, n_runs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters and tokens of a table of runs."""
    n_params = 10 ** rng.uniform(7.7, 9.2, n_runs)
    if design == "scattered":
        return n_params, n_params * 10 ** rng.uniform(0.5, 2.2, n_runs)
    if design == "one_ratio":
        return n_params, 20.0 * n_params
    flops = np.resize(10 ** np.linspace(18.5, 20.5, 5), n_runs)
    n_params = np.sqrt(flops / 120.0) * 10 ** rng.uniform(-0.6, 0.6, n_runs)
    return n_params, flops / 6.0 / n_params


def worlds() -> Iterator[tuple[float, float, pd.DataFrame, pd.DataFrame]]:
    """Yield noise, the floor's share, a table, and the larger runs with their losses."""
    for k, (noise, n_runs, design, _) in enumerate(product(NOISE, SIZES, DESIGNS, range(REPEATS))):
        rng = np.random.default_rng([1, k])
        floor, size, data = rng.uniform(1.5, 2.1), *rng.uniform(0.25, 0.6, 2)
        alpha, beta = rng.uniform(0.28, 0.40), rng.uniform(0.26, 0.40)
        n_params, n_tokens = runs_of(design, n_runs, rng)
        flops = 6.0 * (n_params * n_tokens).max() * np.array(FACTORS)
        n_params = np.append(n_params, np.sqrt(flops / 120.0))
        n_tokens = np.append(n_tokens, 20.0 * np.sqrt(flops / 120.0))
        law = floor + size * (n_params / 1e9) ** -alpha + data * (n_tokens / 2e10) ** -beta
        loss = law * np.exp(noise * rng.standard_normal(len(law)))
        frame = pd.DataFrame({"n_params": n_params, "n_tokens": n_tokens, "loss": loss})
        yield noise, floor / (floor + size + data), frame[:n_runs], frame[n_runs:]


def scored(model: str | None) -> pd.DataFrame:
    """Return one row a table and factor: whether the interval holds, and how wide it is."""
    rows = []
    for noise, share, table, larger in worlds():
        posterior = bs.fit(table, model, seed=1)
        forecast = bs.forecast(posterior, larger.drop(columns="loss"), warn=False)
        low, high = forecast.interval(0.9).T
        held = (low <= larger["loss"]) & (larger["loss"] <= high)
        for factor, inside, width in zip(FACTORS, held, np.log(high / low), strict=True):
            rows.append((noise, share, factor, bool(inside), float(width)))
    return pd.DataFrame(rows, columns=["noise", "share", "factor", "held", "width"])


def summary(made: pd.DataFrame) -> dict[str, object]:
    """Return coverage and mean width by factor, and coverage by the floor's share."""
    bins = pd.cut(made["share"], SHARES)
    by_share = made.groupby([bins, "factor"], observed=True)["held"].agg(["mean", "size"])
    by_factor = made.groupby("factor")[["held", "width"]].mean().round(3)
    return {
        "tables": len(made) // len(FACTORS),
        "by_factor": by_factor.to_dict("index"),
        "by_share": [
            {
                "share": str(share),
                "factor": factor,
                "held": round(row["mean"], 3),
                "n": int(row["size"]),
            }
            for (share, factor), row in by_share.iterrows()
        ],
    }


def main() -> None:
    """Score the models asked for, and keep what others scored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["recommended"])
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name in parser.parse_args().models:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayescaleWarning)
            made = summary(scored(None if name == "recommended" else name))
        kept[name] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **made}
        print(name, json.dumps(made["by_factor"]))
        content = json.dumps(kept, indent=1) + "\n"
        write_atomically(RESULTS, partial(Path.write_text, data=content, encoding="utf-8"))


if __name__ == "__main__":
    main()
