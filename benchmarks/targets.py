"""Measure the speed targets of the design and write benchmarks/results/targets.json.

Run from the repository's root, on an idle machine:

    python benchmarks/targets.py

Every time is also given as a ratio to a baseline measured in the same run: one Huber fit with
bootstrap on the same runs, the usual practice.
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
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecasts.baselines.huber_bootstrap import HuberBootstrap
from bayescale.laws import load_law

OUT = Path("benchmarks/results/targets.json")
REPEATS = 7


def main() -> None:
    runs = simulated_runs(132)
    points = {"n_params": np.geomspace(1e9, 2e10, 10), "n_tokens": np.geomspace(2e10, 4e11, 10)}
    baseline = cpu_seconds(lambda: HuberBootstrap(refits=200, residuals=True)(runs, points), 1)
    posterior = bs.fit(runs)
    scenario = plan()
    library = cpu_seconds(lambda: quantiles(runs, points), REPEATS)
    decision = cpu_seconds(lambda: bs.decide(posterior, scenario), REPEATS)
    process = fresh_process(runs.frame, points)
    result = {
        "command": "python benchmarks/targets.py",
        "date": str(date.today()),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average_before": [round(x, 2) for x in os.getloadavg()],
        "huber_bootstrap_200_cpu_seconds": round(baseline, 3),
        "forecast_132_runs_10_points_warm_cpu_seconds": round(library, 4),
        "forecast_over_huber_bootstrap": round(library / baseline, 4),
        "bayescale_forecast_fresh_process_wall_seconds": round(process, 2),
        "decision_cpu_milliseconds": round(1000 * decision, 1),
    }
    OUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def simulated_runs(n_runs: int) -> bs.RunsTable:
    """Return runs of the Chinchilla law on a grid, with 0.5 % noise."""
    law, rng = load_law("chinchilla"), np.random.default_rng(1)
    n_params = np.exp(rng.uniform(np.log(5e7), np.log(2e9), n_runs))
    inputs = {"n_params": n_params, "n_tokens": n_params * np.exp(rng.uniform(1.0, 5.0, n_runs))}
    textbook = law.from_textbook(law.published[1].textbook, {"n_params": 1.0, "n_tokens": 1.0})
    loss = law.evaluate(inputs, textbook) * np.exp(0.005 * rng.standard_normal(n_runs))
    return bs.read_runs(pd.DataFrame({**inputs, "loss": loss}), name="simulated")


def quantiles(runs: bs.RunsTable, points: dict[str, np.ndarray]) -> None:
    """Fit and forecast: what one library call does."""
    bs.forecast(bs.fit(runs), **points).to_frame()


def plan() -> bs.Scenario:
    """Return one candidate, one target and three pilots."""
    return bs.Scenario.from_dict(
        {
            "title": "benchmark",
            "candidates": [{"name": "big", "n_params": 7e9, "n_tokens": 1.4e11}],
            "target": {"loss": 2.2},
            "price": {
                "usd_per_gpu_hour": 2.5,
                "peak_flops": 989e12,
                "mfu": 0.4,
                "flops_convention": "6ND",
                "failure_allowance": 0.1,
            },
            "value": {"usd": 2e5},
            "pilots": [
                {"name": f"pilot {size:g}", "n_params": size, "n_tokens": 20 * size}
                for size in (1e9, 2e9, 3e9)
            ],
        }
    )


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median CPU time of `work`, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)


def fresh_process(frame: pd.DataFrame, points: dict[str, np.ndarray]) -> float:
    """Return the smallest wall time of `bayescale forecast` over five processes."""
    with tempfile.TemporaryDirectory() as folder:
        table, at, out = (Path(folder) / name for name in ("runs.csv", "at.csv", "out.csv"))
        frame.to_csv(table, index=False)
        pd.DataFrame(points).to_csv(at, index=False)
        command = [sys.executable, "-m", "bayescale", "forecast", str(table)]
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([*command, "--at", str(at), "--out", str(out)], check=True)
            times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
