"""Hold the pooled engine to NUTS: coefficients, population and forecasts of every group.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/pooled_engines_agree.py [TABLE]

``marin`` is three corpora, one of them cut at 3e19 FLOPs, by `coupled_gp_partial`, and
``marin_correlated`` and ``marin_siblings`` the same by `coupled_growing_gp_correlated_partial` and
`coupled_growing_gp_siblings_partial`;
``simulated`` is a world of `pooled_worlds.py` (six groups of eight runs) by
`chinchilla_plain_correlated_partial`. Forecasts are the expected log loss of each group at 3 and 30
times the largest compute of all.
Means must agree within .1 posterior sd and sds within 5 %, plus three Monte Carlo standard errors
of the number compared. Results of a table replace its entry in the file.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pooled_worlds

import bayescale as bs
from bayescale.forecasts.corpus import load_corpus
from bayescale.forecasts.predict import predict
from bayescale.inference import pooled
from bayescale.inference.nuts import sample_nuts
from bayescale.inference.posterior import Posterior, convergence
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import log_compute

RESULT = Path(__file__).parent / "results" / "pooled_engines_agree.json"
TABLES = {
    "marin": "coupled_gp_partial",
    "marin_correlated": "coupled_growing_gp_correlated_partial",
    "marin_siblings": "coupled_growing_gp_siblings_partial",
    "simulated": "chinchilla_plain_correlated_partial",
}
CUT = 3.1e19
FACTORS = (3.0, 30.0)
DRAWS = {"marin": 1500, "marin_correlated": 1500, "marin_siblings": 1500, "simulated": 3000}
EFFORT = pooled.PooledEffort(chains=64, warm_up=25, kept=100, target_ess=2000.0)
MEAN_TOLERANCE, SD_TOLERANCE = 0.1, 0.05


def frame_of(table: str) -> pd.DataFrame:
    """Return the runs of one of `TABLES`, with a column that tells groups apart."""
    if table == "simulated":
        rng = np.random.default_rng([0, 0])
        return pooled_worlds.runs_of(pooled_worlds.population(rng, vary_beta=False), rng)
    parts = []
    for name, runs in load_corpus(families=("marin",))["marin"]:
        frame = runs.usable()[0].frame
        compute = 6.0 * frame["n_params"] * frame["n_tokens"]
        cut = compute <= CUT if "comma" in name else compute > 0.0
        parts.append(frame[cut].assign(dataset=name))
    return pd.concat(parts, ignore_index=True)


def quantities(
    posterior: Posterior, draws: dict[str, Floats], shared: dict[str, Floats]
) -> dict[str, Floats]:
    """Return everything compared, by name, each of shape (chain, draw)."""
    out = {
        f"{symbol} of {'/'.join(label)}": np.log(values[:, :, g])
        for symbol, values in draws.items()
        for g, label in enumerate(posterior.labels)
    }
    out |= {name: values for name, values in shared.items() if values.ndim == 2}
    made = Posterior(**{**vars(posterior), "draws": draws, "population": shared, "alone": {}})
    for g, label in enumerate(posterior.labels):
        parts = predict(made, g, points(posterior, g))
        shape = (*next(iter(draws.values())).shape[:2], len(FACTORS))
        means = parts.mean.reshape(shape)
        for k, factor in enumerate(FACTORS):
            out[f"{factor:g}x of {'/'.join(label)}"] = means[:, :, k]
    return out


def points(posterior: Posterior, group: int) -> dict[str, Floats]:
    """Return runs beyond everyone's largest, at the group's median D/N."""
    inputs = posterior.problems[group].inputs
    ratio = float(np.median(inputs["n_tokens"] / inputs["n_params"]))
    largest = max(
        log_compute(problem.law, problem.positions).max() for problem in posterior.problems
    )
    product = np.exp(largest) * np.array(FACTORS)
    return {"n_params": np.sqrt(product / ratio), "n_tokens": np.sqrt(product * ratio)}


def compare(table: str) -> dict[str, Any]:
    """Return how far the engines are apart on one table."""
    started = time.process_time()
    pooled.EFFORT = EFFORT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = bs.fit(frame_of(table), TABLES[table], group="dataset", draws=20_000, seed=1)
    fast = time.process_time() - started
    draws, shared, found = sample_nuts(list(ours.problems), draws=DRAWS[table], seed=1)
    theirs = quantities(ours, draws, shared)
    mine = quantities(ours, ours.draws, ours.population)
    rows = {name: _apart(mine[name], theirs[name], ours.diagnostics.ess) for name in theirs}
    missed = [name for name, row in rows.items() if not row["agrees"]]
    return {
        "model": TABLES[table],
        "model_hash": ours.spec.hash,
        "runs": [len(problem) for problem in ours.problems],
        "quantities": len(rows),
        "agree": len(rows) - len(missed),
        "missed": {name: rows[name] for name in missed},
        "largest": {k: max(row[k] for row in rows.values()) for k in ("mean", "sd")},
        "ours": {"ess": round(ours.diagnostics.ess), "cpu_seconds": round(fast, 1)},
        "nuts": {
            "least_ess": round(min(row["ess"] for row in rows.values())),
            "divergences": found.divergences,
            "rhat": round(found.rhat, 4),
            "cpu_seconds": round(time.process_time() - started - fast, 1),
        },
    }


def _apart(ours: Floats, theirs: Floats, our_ess: float) -> dict[str, Any]:
    """Return the difference of means in sds, and of sds as a share, and whether both may be."""
    _, ess = convergence({"quantity": theirs})
    error = 3.0 * np.sqrt(1.0 / ess + 1.0 / our_ess)
    mean = abs(ours.mean() - theirs.mean()) / theirs.std()
    sd = abs(ours.std() / theirs.std() - 1.0)
    agrees = mean <= MEAN_TOLERANCE + error and sd <= SD_TOLERANCE + error / np.sqrt(2.0)
    made = {"mean": round(float(mean), 4), "sd": round(float(sd), 4)}
    return {**made, "ess": float(ess), "agrees": bool(agrees)}


def main(asked: Sequence[str]) -> None:
    for table in asked or TABLES:
        found = compare(table)
        known = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
        stamp = {"command": "python benchmarks/pooled_engines_agree.py " + table}
        known[table] = {**stamp, "date": datetime.now(UTC).date().isoformat(), **found}
        RESULT.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        print(table, json.dumps(known[table]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
