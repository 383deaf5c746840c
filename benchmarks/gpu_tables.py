"""Make tables of what a GPU machine sent back: one Parquet file a plan, one more for its large run.

    python benchmarks/gpu_tables.py gpu-runs.tar.gz [--out gpu-tables]

Arms of one plan, such as the architectures of ``gpu_architectures``, become one table.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd
from on_gpu.training import restore

from bayescale.harness.runs_file import HELD_BACK, RUNS

SWEEPS = Path(__file__).parent / "sweeps"


def tables(runs: Path, out: Path, names: list[str]) -> list[Path]:
    """Write the tables of the plans that have rows and return their paths."""
    written = []
    for name in names:
        for file in (RUNS, HELD_BACK):
            parts = [pd.read_csv(path) for path in sorted(runs.glob(f"{name}*/{file}"))]
            parts = [part for part in parts if len(part)]
            if parts:
                target = (out / name / file).with_suffix(".parquet")
                target.parent.mkdir(parents=True, exist_ok=True)
                pd.concat(parts, ignore_index=True).to_parquet(target, compression="zstd")
                written.append(target)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--out", type=Path, default=Path("gpu-tables"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        restore(asked.archive, Path(folder))
        names = sorted(path.stem for path in SWEEPS.glob("gpu_*.yaml"))
        for path in tables(Path(folder), asked.out, names):
            print(f"{path}: {len(pd.read_parquet(path))} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
