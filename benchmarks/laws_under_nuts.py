"""Sample every law's own model with NUTS, on the law's own table of 60 runs.

python benchmarks/laws_under_nuts.py [LAW ...] [--engine tempered]

The tables are those of `tests/laws/simulated_tables.py`: printed coefficients, or the medians of
the prior. R-hat must be at most 1.01 without a divergence. Laws are kept in the result as they
finish; without a name those are done that are not in it, each in a process of its own. Tempered
ensembles are put to the laws that need them, R-hat being that between ensembles.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from by_law import measure_each

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # simulated tables lie in tests/

from bayescale.errors import ConvergenceWarning
from bayescale.inference.fit import RHAT_MAX, Engine, fit
from bayescale.laws import list_laws, load_law
from tests.laws.simulated_tables import own_frame

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("laws", nargs="*", choices=[[], *list_laws()], help="those not yet done")
    parser.add_argument("--seconds", type=float, default=1800.0, help="longest that one may take")
    parser.add_argument("--engine", choices=["nuts", "tempered"], default="nuts")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(sampled(asked.laws[0], asked.engine)))
        return
    hard = [name for name in list_laws() if load_law(name).needs_chains]
    laws = asked.laws or (hard if asked.engine == "tempered" else [])
    out = RESULTS / f"laws_under_{asked.engine}.json"
    measure_each(out, laws, lambda name: apart(name, asked.engine, asked.seconds))


def apart(name: str, engine: Engine, seconds: float) -> dict[str, Any]:
    """Return what a process of its own measures, which may take so long and no longer."""
    command = [sys.executable, __file__, name, "--engine", engine, "--alone"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    except subprocess.TimeoutExpired:
        return {"passes": False, "not_done_after_seconds": seconds}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def sampled(name: str, engine: Engine) -> dict[str, Any]:
    """Return R-hat, divergences, effective draws and CPU seconds, compilation included."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = fit(own_frame(load_law(name)), f"{name}_plain_weak", engine=engine).diagnostics
    return {
        "passes": found.rhat <= RHAT_MAX and not found.divergences,
        "rhat": round(found.rhat, 4),
        "divergences": found.divergences,
        "ess": round(found.ess),
        "cpu_seconds": round(time.process_time() - started, 1),
    }


if __name__ == "__main__":
    main()
