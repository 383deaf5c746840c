"""CPU seconds of a pooled fit: ``python benchmarks/pooling_speed.py [MODEL ...] [N ...]``.

Simulated groups of 100 runs each, N of them, whole posterior by the engine without compilation.
Each number is also given over the usual practice for one group: a Huber fit with 200 bootstrap
refits on 100 runs. Fits that were timed before are kept in the result, each with its own date and
load; run it on an idle machine.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecasts.baselines.huber_bootstrap import HuberBootstrap

RESULT = Path(__file__).parent / "results" / "pooling_speed.json"
MODELS = (
    "chinchilla_plain_partial",
    "coupled_gp_partial",
    "coupled_growing_gp_correlated_partial",
    "coupled_growing_gp_siblings_partial",
)
GROUPS = (1, 10, 100, 300)
RUNS = 100


def simulated(n_groups: int) -> pd.DataFrame:
    """Return groups of a Chinchilla law, exponents 6 % apart, .4 % noise."""
    rng = np.random.default_rng(n_groups)
    frames = []
    for k in range(n_groups):
        n_params = 10 ** rng.uniform(7.5, 9.5, RUNS)
        n_tokens = n_params * 10 ** rng.uniform(0.7, 2.0, RUNS)
        alpha, beta = np.array([0.34, 0.28]) * np.exp(0.06 * rng.standard_normal(2))
        loss = 1.7 + 0.35 * (n_params / 1e9) ** -alpha + 0.4 * (n_tokens / 2e10) ** -beta
        loss *= np.exp(0.004 * rng.standard_normal(RUNS))
        columns = {"n_params": n_params, "n_tokens": n_tokens, "loss": loss}
        frames.append(pd.DataFrame(columns).assign(dataset=f"d{k:03d}"))
    return pd.concat(frames, ignore_index=True)


def measure(model: str, n_groups: int) -> dict[str, float]:
    """Return CPU seconds of one fit, and how well it was made."""
    runs = simulated(n_groups)
    started = time.process_time()
    with warnings.catch_warnings(record=True):
        found = bs.fit(runs, model, group="dataset").diagnostics
    seconds = time.process_time() - started
    khat = np.array(found.khat)
    return {
        "cpu_seconds": seconds,
        "ess": found.ess,
        "rhat": found.rhat,
        "khat_max": float(khat.max()),
        "khat_bad_share": float((khat > 0.7).mean()),
    }


def usual() -> float:
    """Return CPU seconds of the usual practice on one group."""
    runs = bs.read_runs(simulated(1).drop(columns="dataset"), name="100 runs")
    at = {"n_params": np.array([7e9]), "n_tokens": np.array([1.4e11])}
    started = time.process_time()
    HuberBootstrap(refits=200)(runs, at)
    return time.process_time() - started


def main(words: Sequence[str]) -> None:
    known = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    models = known.get("models", {})
    reference = usual()
    for model in [word for word in words if not word.isdigit()] or MODELS:
        for n_groups in [int(word) for word in words if word.isdigit()] or GROUPS:
            made: dict[str, Any] = measure(model, n_groups)
            made["over_usual_practice"] = made["cpu_seconds"] / reference
            made |= {"date": datetime.now(UTC).date().isoformat(), "load": _load()}
            models.setdefault(model, {})[str(n_groups)] = made
            print(model, n_groups, made, flush=True)
            write(models, reference)


def write(models: dict[str, Any], reference: float) -> None:
    """Write what was measured so far."""
    stamp = {"command": "python benchmarks/pooling_speed.py", "runs_a_group": RUNS}
    stamp |= {"date": datetime.now(UTC).date().isoformat()}
    stamp |= {"load": _load(), "usual_practice_cpu_seconds": reference}
    text = json.dumps({**stamp, "models": models}, indent=1)
    RESULT.write_text(text + "\n", encoding="utf-8")


def _load() -> float:
    return round(os.getloadavg()[0], 2)


if __name__ == "__main__":
    main(sys.argv[1:])
