"""What pooling buys where the law is true: six groups of eight runs in simulated worlds.

    python benchmarks/pooled_worlds.py [MODEL ...] [--worlds 100] [--vary-beta]

In each world six groups are drawn about Chinchilla's published coefficients: sd .03 of alpha, .12
of E, 12 % of A and B. Each has eight runs, four sizes at 1e18 and four at 1e20 FLOPs, with 1 %
noise. Scored is the expected loss of the compute-optimal run at 1e21, 1e22 and 1e24 FLOPs (10, 100
and 10,000 times): coverage of the nominal 95 % interval, its width and the error of its median,
both relative to the true loss. ``MODEL/none`` fits the groups of a model apart. Results of a model
replace its entry in results/pooled_worlds.json. Pooled fits take a third of the usual effort: ends
of intervals need fewer draws than a user's gates ask for. With ``--cache FOLDER`` a stopped run
goes on where it was, and ``--minutes`` stops one.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.inference import pooled
from bayescale.runs.save import write_atomically

RESULT = Path(__file__).parent / "results" / "pooled_worlds.json"
MODELS = (
    "chinchilla_plain_correlated_partial",
    "coupled_gp_partial",
    "chinchilla_plain_weak/none",
)
CENTRE = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
GROUPS, BUDGETS, SIZES, REACH, NOISE = 6, (1e18, 1e20), 4, 0.6, 0.01
TARGETS = (1e21, 1e22, 1e24)
EFFORT = pooled.PooledEffort(chains=32, warm_up=15, kept=40, target_ess=150.0, target_rhat=1.05)
NAMES = ("10x", "100x", "10000x")


def optimum(flops: float) -> float:
    """Return the compute-optimal parameters of the law at the centre of the population."""
    a, b = CENTRE["alpha"], CENTRE["beta"]
    scale = (a * CENTRE["A"] / (b * CENTRE["B"])) ** (1 / (a + b))
    return float(scale * (flops / 6) ** (b / (a + b)))


def loss(group: dict[str, float], n: Any, d: Any) -> Any:
    """Return the true loss of a group."""
    return group["E"] + group["A"] / n ** group["alpha"] + group["B"] / d ** group["beta"]


def population(rng: np.random.Generator, vary_beta: bool) -> list[dict[str, float]]:
    """Return the true coefficients of the groups of one world."""
    return [
        {
            "E": CENTRE["E"] + 0.12 * rng.standard_normal(),
            "A": CENTRE["A"] * np.exp(0.12 * rng.standard_normal()),
            "B": CENTRE["B"] * np.exp(0.12 * rng.standard_normal()),
            "alpha": CENTRE["alpha"] + 0.03 * rng.standard_normal(),
            "beta": CENTRE["beta"] + 0.03 * vary_beta * rng.standard_normal(),
        }
        for _ in range(GROUPS)
    ]


def runs_of(groups: list[dict[str, float]], rng: np.random.Generator) -> pd.DataFrame:
    """Return the runs of one world; the groups are corpora named d0, d1, ..."""
    rows = []
    for k, group in enumerate(groups):
        for flops in BUDGETS:
            for n in optimum(flops) * np.geomspace(10**-REACH, 10**REACH, SIZES):
                d = flops / 6 / n
                noisy = loss(group, n, d) * np.exp(NOISE * rng.standard_normal())
                rows.append({"dataset": f"d{k}", "n_params": n, "n_tokens": d, "loss": noisy})
    return pd.DataFrame(rows)


def scored(posterior: bs.Posterior, groups: list[dict[str, float]], seed: int) -> pd.DataFrame:
    """Return coverage, width and error of every group and target of one world."""
    n = np.tile([optimum(flops) for flops in TARGETS], GROUPS)
    d = np.tile(TARGETS, GROUPS) / 6 / n
    labels = [(f"d{k}",) for k in range(GROUPS) for _ in TARGETS]
    made = bs.forecast(posterior, n_params=n, n_tokens=d, labels=labels, warn=False)
    draws = made.draws(4000, seed, noise=False)
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975], axis=0)
    group = np.repeat(np.arange(GROUPS), len(TARGETS))
    truth = np.array([loss(groups[k], n[i], d[i]) for i, k in enumerate(group)])
    return pd.DataFrame(
        {
            "target": np.tile(NAMES, GROUPS),
            "coverage_95": (low <= truth) & (truth <= high),
            "width": (high - low) / truth,
            "error": np.abs(middle / truth - 1.0),
        }
    )


def one_world(name: str, world: int, vary_beta: bool) -> pd.DataFrame:
    """Return the scores of one model in one world, with what the fit cost and its diagnostics."""
    model, _, pooling = name.partition("/")
    rng = np.random.default_rng([world, int(vary_beta)])
    groups = population(rng, vary_beta)
    runs = runs_of(groups, rng)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        posterior = bs.fit(
            runs, model, group="dataset", pooling=pooling or None, draws=2000, seed=world
        )
    seconds, found = time.process_time() - started, posterior.diagnostics
    return scored(posterior, groups, world).assign(
        world=world, cpu=seconds, ess=found.ess, khat=max(found.khat, default=np.nan)
    )


def measure(
    name: str, worlds: int, vary_beta: bool, cache: Path | None, minutes: float
) -> pd.DataFrame:
    """Return the scores of one model in as many worlds as the time allows."""
    stem = name.replace("/", "_") + ("_beta" if vary_beta else "")
    path = None if cache is None else cache / f"{stem}.csv"
    found = pd.read_csv(path) if path is not None and path.exists() else pd.DataFrame()
    ends = time.monotonic() + 60 * minutes
    for world in range(found["world"].nunique() if len(found) else 0, worlds):
        if time.monotonic() > ends:
            break
        found = pd.concat([found, one_world(name, world, vary_beta)], ignore_index=True)
        if path is not None:
            found.to_csv(path, index=False)
    return found


def entry(frame: pd.DataFrame, name: str, vary_beta: bool) -> dict[str, Any]:
    """Return what the result says of one model."""
    by_world = frame.groupby("world")[["cpu", "ess", "khat"]].first()
    worlds = len(by_world)
    return {
        "command": f"python benchmarks/pooled_worlds.py {name} --worlds {worlds}"
        + (" --vary-beta" if vary_beta else ""),
        "date": datetime.now(UTC).date().isoformat(),
        "worlds": worlds,
        "cpu_seconds_a_world": round(float(by_world["cpu"].mean()), 2),
        "median_ess": round(float(by_world["ess"].median())),
        "worlds_with_khat_above_0.7": int((by_world["khat"] > 0.7).sum()),
        "targets": _summary(frame),
    }


def _summary(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return means over worlds with standard errors, worlds being what is independent."""
    by_world = frame.groupby(["target", "world"])[["coverage_95", "width", "error"]].mean()
    out = {}
    for name in NAMES:
        found = by_world.loc[name]
        mean, se = found.mean(), found.sem()
        out[name] = {
            **{key: round(float(mean[key]), 5) for key in found},
            **{f"{key}_se": round(float(se[key]), 5) for key in found},
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--vary-beta", action="store_true", help="sd .03 of beta too")
    parser.add_argument("--cache", type=Path, help="folder of finished worlds")
    parser.add_argument("--minutes", type=float, default=600.0)
    asked = parser.parse_args()
    pooled.EFFORT = EFFORT
    for name in asked.models:
        frame = measure(name, asked.worlds, asked.vary_beta, asked.cache, asked.minutes)
        held = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        key = f"{name}, beta varies" if asked.vary_beta else name
        held[key] = entry(frame, name, asked.vary_beta)
        text = json.dumps(dict(sorted(held.items())), indent=1) + "\n"
        write_atomically(RESULT, lambda part, text=text: part.write_text(text))
        print(key, json.dumps(held[key]))


if __name__ == "__main__":
    main()
