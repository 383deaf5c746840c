"""Make tables of what a GPU machine sent back: one Parquet file a plan, one more for its large run.

    python benchmarks/gpu_tables.py gpu-runs.tar.gz [--out gpu-tables]

Arms of one plan, such as the architectures of ``gpu_architectures``, become one table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd
from on_gpu.training import restore

from bayescale.errors import BayescaleError
from bayescale.harness.runs_file import HELD_BACK, RUNS

SWEEPS = Path(__file__).parent / "sweeps"


def tables(runs: Path, out: Path, names: list[str]) -> list[Path]:
    """Write the tables of the plans that have rows and return their paths.

    A folder belongs to the plan by whose name its own begins, or is a plan of its own.
    """
    plans: dict[str, list[Path]] = {}
    for folder in sorted(path.parent for path in runs.glob(f"*/{RUNS}")):
        known = [name for name in names if folder.name.startswith(name)]
        plans.setdefault(max(known, key=len, default=folder.name), []).append(folder)
    written = []
    for name, folders in plans.items():
        for file in (RUNS, HELD_BACK):
            paths = [folder / file for folder in folders if (folder / file).is_file()]
            parts = [part for part in map(pd.read_csv, paths) if len(part)]
            if parts:
                target = (out / name / file).with_suffix(".parquet")
                target.parent.mkdir(parents=True, exist_ok=True)
                pd.concat(parts, ignore_index=True).to_parquet(target, compression="zstd")
                written.append(target)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--out", type=Path, default=Path("gpu-tables"))
    asked = parser.parse_args()
    names = [path.stem for path in SWEEPS.glob("gpu_*.yaml")]
    with tempfile.TemporaryDirectory() as folder:
        try:
            restore(asked.archive, Path(folder))
        except BayescaleError as error:
            print(error, file=sys.stderr)
            return 2
        written = tables(Path(folder), asked.out, names)
    for path in written:
        print(f"{path}: {len(pd.read_parquet(path))} rows, {path.stat().st_size} bytes")
    if not written:
        print(f"{asked.archive}: no unit has reached a token budget yet", file=sys.stderr)
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main())
