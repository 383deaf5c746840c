"""Time what the design promises a user, on simulated tables: ``python benchmarks/timings.py``.

CPU seconds of warm calls are medians of five; a fresh process is wall time, the best of three.
Each is also given as a ratio to the usual practice on the same 150 runs in the same process: one
Huber fit by L-BFGS with 200 bootstrap refits.
Run it on an idle machine; nothing here is asserted, in a test or elsewhere.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecasts.baselines.huber_bootstrap import HuberBootstrap

RESULT = Path(__file__).parent / "results" / "timings.json"
USUAL = "Huber fit with 200 bootstrap refits, 150 runs, CPU"
CANDIDATES = [{"name": "big", "n_params": 7e9, "n_tokens": 1.4e11}]
PILOTS = [{"name": "mid", "n_params": 2e9, "n_tokens": 4e10}]
PLAN = {
    "title": "timing",
    "candidates": CANDIDATES,
    "pilots": PILOTS,
    "target": {"loss": 2.25},
    "price": {"usd_per_gpu_hour": 2.5, "peak_flops": 989e12, "mfu": 0.4},
    "value": {"usd": 200000},
}


def simulated(n_runs: int) -> pd.DataFrame:
    """Return runs of a Chinchilla law with .4 % noise on a spread of N and D."""
    rng = np.random.default_rng(n_runs)
    n_params = 10 ** rng.uniform(7, 9, n_runs)
    n_tokens = n_params * 10 ** rng.uniform(0.7, 2.2, n_runs)
    loss = 1.7 + 400 / n_params**0.34 + 410 / n_tokens**0.28
    loss *= np.exp(0.004 * rng.standard_normal(n_runs))
    return pd.DataFrame({"n_params": n_params, "n_tokens": n_tokens, "loss": loss})


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the median CPU seconds of five calls after a first one."""
    call()
    taken = []
    for _ in range(5):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def wall_seconds(*arguments: str) -> float:
    """Return the wall seconds of the best of three fresh processes of the command line."""
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        command = [sys.executable, "-m", "bayescale", *arguments]
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return min(taken)


def measure() -> dict[str, float]:
    """Return seconds by what was timed."""
    usual = bs.read_runs(simulated(150), name="150 runs")
    at = {"n_params": np.array([7e9]), "n_tokens": np.array([1.4e11])}
    found = {USUAL: cpu_seconds(lambda: HuberBootstrap(refits=200)(usual, at))}
    for n_runs in (50, 150, 250):
        runs = bs.read_runs(simulated(n_runs), name=f"{n_runs} runs")

        def predict(runs: bs.RunsTable = runs) -> object:
            return bs.forecast(bs.fit(runs), n_params=7e9, n_tokens=1.4e11).interval(0.9)

        found[f"fit and forecast, {n_runs} runs, CPU"] = cpu_seconds(predict)
    posterior = bs.fit(simulated(150))
    found["decide, from draws, CPU"] = cpu_seconds(lambda: bs.decide(posterior, PLAN))
    found["allocate, from draws, CPU"] = cpu_seconds(lambda: bs.allocate(posterior, flops=1e22))
    with tempfile.TemporaryDirectory() as folder:
        runs_file, points = Path(folder) / "runs.csv", Path(folder) / "points.csv"
        simulated(150).to_csv(runs_file, index=False)
        pd.DataFrame(CANDIDATES).to_csv(points, index=False)
        arguments = ("forecast", str(runs_file), "--at", str(points), "--json")
        found["bayescale forecast, fresh process, wall"] = wall_seconds(*arguments)
    return found


if __name__ == "__main__":
    load = round(os.getloadavg()[0], 2)
    seconds = measure()
    ratios = {what: value / seconds[USUAL] for what, value in seconds.items()}
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": load}
    stamp = datetime.now(UTC).date().isoformat()
    record = {"command": "python benchmarks/timings.py", "date": stamp, **machine}
    record |= {"seconds": seconds, "over_usual_practice": ratios}
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for what, value in seconds.items():
        print(f"{value:8.3f} s  {what}")
