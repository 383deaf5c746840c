"""Time fits of curves as they grow: ``python benchmarks/curve_speed.py``.

Simulated curves, 1e3 to 1e5 points: runs of 1000 points each with coefficients of their own, read
along a law of one input; runs that share the coefficients of a law of schedules; and single curves
kept whole. CPU seconds of one call, and as a ratio to one least-squares fit of the same points by
SciPy in the same process, because the machine may be busy.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

import bayescale as bs

RESULT = Path(__file__).parent / "results" / "curve_speed.json"
POINTS = 1000
PEAK, STEPS = 3e-4, 50_000


def curve(name: str, points: int, rng: np.random.Generator, group: str) -> bs.Curve:
    """Return a noisy power law under a cosine."""
    at = np.linspace(1000.0, STEPS, points)
    schedule = bs.Schedule.cosine(PEAK, STEPS * rng.uniform(1.0, 2.0), warmup=500.0)
    rate = schedule.rates[np.searchsorted(schedule.steps, at, side="right") - 1]
    loss = 2.2 + 40.0 * at**-0.5 - 0.12 * (1.0 - rate / PEAK)
    noisy = loss * np.exp(2e-3 * rng.standard_normal(points))
    return bs.Curve(run=name, at=at, output=noisy, schedule=schedule, group=(group,))


def curves(runs: int, points: int, *, shared: bool) -> bs.Curves:
    """Return runs of one group, or of one each."""
    rng = np.random.default_rng(0)
    made = tuple(curve(f"r{k}", points, rng, "g" if shared else f"r{k}") for k in range(runs))
    return bs.Curves("simulated", "step", "loss", made, ("group",))


def least(every: bs.Curves) -> None:
    """Fit a floor and a power to each curve by least squares on log loss."""
    for one in every:
        x, y = np.log(one.at / one.at[-1]), np.log(one.output)
        least_squares(
            lambda t, x=x, y=y: np.log(np.exp(t[0]) + np.exp(t[1] - np.exp(t[2]) * x)) - y,
            [0.5, -1.0, -1.0],
        )


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    started = time.process_time()
    call()
    return time.process_time() - started


def main() -> None:
    cases = {
        "own coefficients, learning_curve_m3": (False, "learning_curve_m3", 60, (1, 10, 100)),
        "shared coefficients, multi_power": (True, "multi_power", 60, (1, 10, 100)),
        "whole, learning_curve_m3": (False, "learning_curve_m3", POINTS, (1, 3)),
    }
    bs.fit_curves(curves(1, 100, shared=False), "learning_curve_m3")
    rows = []
    for name, (shared, law, points, sizes) in cases.items():
        for runs in sizes:
            every = curves(runs, POINTS, shared=shared)
            ours = cpu_seconds(lambda: bs.fit_curves(every, law, points=points))  # noqa: B023
            usual = cpu_seconds(lambda: least(every))  # noqa: B023
            row = {"case": name, "points": runs * POINTS, "runs": runs}
            rows.append({**row, "cpu_seconds": round(ours, 2), "ratio": round(ours / usual, 1)})
            print(rows[-1], flush=True)
    held = {
        "command": "python benchmarks/curve_speed.py",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "rows": rows,
    }
    RESULT.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
