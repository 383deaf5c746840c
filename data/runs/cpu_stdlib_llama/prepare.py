"""Train the runs of this table again: about 5 minutes of one core.

Run ``python data/runs/cpu_stdlib_llama/prepare.py``; it resumes if it is cut short.
The same processor and the same versions give the same bits; elsewhere expect differences of the
size of the seed noise. The card's hash is that of the shipped table.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from bayescale.harness.sweep import run_sweep

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
PLAN = REPOSITORY / "benchmarks" / "sweeps" / f"{HERE.name}.yaml"


def tell(share: float, doing: str) -> None:
    """Print one line of progress in place."""
    print(f"\r{share:6.1%}  {doing:60}", end="", flush=True)


if __name__ == "__main__":
    table = run_sweep(PLAN, REPOSITORY / "sweeps" / HERE.name, progress=tell)
    shutil.copyfile(table, HERE / "runs.csv")
    print(f"\nsha256 {hashlib.sha256(table.read_bytes()).hexdigest()}")
