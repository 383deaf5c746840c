"""Put every law's own model to tables drawn from its prior: how many 90 % intervals hold the truth.

python benchmarks/laws_recovery.py [LAW ...] [--tables 100]

What `make calibrate` asserts, with its numbers written down: coverage pooled over coordinates and
tables, its standard error, the chance that a right sampler lies so far from .9 (the catalogue fails
where that is below .01 over the number of laws), and the share of tables on which the engine passes
its gates.
Laws are kept in the result as they finish; one that is named is done again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from by_law import measure_each

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # simulated tables lie in tests/

from bayescale.inference.threads import one_thread
from bayescale.laws import list_laws, load_law
from tests.calibration.test_laws_recovery import (
    Recovered,
    alarm,
    p_value,
    recovered,
    standard_error,
)

OUT = Path(__file__).parent / "results" / "laws_recovery.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("laws", nargs="*", choices=[[], *list_laws()], help="those not yet done")
    parser.add_argument("--tables", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no law after these")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    measure_each(asked.out, asked.laws, lambda name: scored(name, asked.tables), asked.seconds)


def scored(name: str, n_tables: int) -> dict[str, Any]:
    """Return what the tables of one law showed."""
    cpu = time.process_time()
    with one_thread():
        found: list[Recovered] = [recovered(name, table) for table in range(n_tables)]
    inside = np.array([one.held for one in found])
    shares = inside.mean(axis=1)
    coverage, error = float(shares.mean()), standard_error(shares, inside.shape[1])
    return {
        "engine": "tempered" if load_law(name).needs_chains else "amis",
        "tables": n_tables,
        "coordinates": inside.shape[1],
        "coverage_90": round(coverage, 4),
        "standard_error": round(error, 4),
        "p_value": float(f"{p_value(coverage, error):.3g}"),
        "holds": p_value(coverage, error) > alarm(),
        "passes_gates": float(np.mean([one.passes for one in found])),
        "cpu_seconds_a_table": round((time.process_time() - cpu) / n_tables, 3),
    }


if __name__ == "__main__":
    main()
