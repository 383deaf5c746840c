"""Two thousand runs of two hundred records through the whole path: time, memory, and growth.

    python benchmarks/load.py [--runs 125 500 2000] [--workers 2] [--folder FOLDER]

Runs are simulated: a unit writes the records of a known law instead of training, everything else
is what a sweep does. Each stage is a process of its own, so that its memory is its own:

engine   units in worker processes, one append and one fsync a record
read     `read_runs` of the folder of JSONL files
compact  all records to one Parquet file
parquet  `read_runs` of that file
query    DuckDB: the best loss by size
fit      the last record of every run, the recommended model
table    `runs.csv` and the callback of a sweep, as after every finished unit

Growth is the slope of log seconds and of log memory over log runs between the two largest loads,
imports included: 1 is proportional. CPU seconds are without those of the engine's workers. The cost
of an fsync is that of the folder's file system and is measured beside the rest.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.harness import record
from bayescale.harness.accounting import count_params
from bayescale.harness.config import (
    ArchitectureConfig,
    DataConfig,
    FactsConfig,
    Member,
    OptimConfig,
    RunConfig,
    TrainConfig,
)
from bayescale.harness.counter import uniforms
from bayescale.harness.data import open_batches
from bayescale.harness.evaluate import Evaluation
from bayescale.harness.job import Job, Stop, Tell
from bayescale.harness.measure import Measurement
from bayescale.harness.train import Outcome

RESULT = Path(__file__).parent / "results" / "load.json"
RECORDS, BATCH_TOKENS, N_SIZES = 200, 1024, 20
STAGES = ("engine", "table", "read", "compact", "parquet", "query", "fit")
FSYNCS = 200


def unit(number: int) -> RunConfig:
    """One of twenty sizes, one of five token budgets per parameter, one of many seeds."""
    width, ratio = 8 * (1 + number % N_SIZES), 10 * 2 ** (number // N_SIZES % 5)
    shape = ArchitectureConfig(
        d_model=width, n_layers=2, n_heads=width // 8, ffn_width=8, vocab_size=8, context=16
    )
    longest = math.ceil(max(ratio * count_params(shape) / BATCH_TOKENS, 2 * RECORDS))
    steps = np.linspace(longest / RECORDS, longest, RECORDS).round().astype(int)
    return RunConfig(
        architecture=shape,
        data=DataConfig(
            corpus="synthetic_zipf",
            eval_tokens=1024,
            facts=FactsConfig(vocab_size=8, key_tokens=3),
        ),
        optim=OptimConfig(warmup_tokens=0),
        train=TrainConfig(
            batch_tokens=BATCH_TOKENS,
            milestones=tuple(int(step) * BATCH_TOKENS for step in steps),
            schedule="constant",
            decay_fraction=0.9,
        ),
        members=(Member(seed=number, learning_rate=0.01),),
    )


def simulate(job: Job, progress: Tell | None = None, should_stop: Stop | None = None) -> Outcome:
    """Write what training would have written; it asks nobody whether to stop."""
    del should_stop
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "config.json").write_text(job.config.to_json() + "\n")
    batches, seed = open_batches(job.config, None), job.config.members[0].seed
    n_params, milestones = count_params(job.config.architecture), job.config.train.milestones
    noise = uniforms((seed,), len(milestones)) - 0.5
    nothing = Measurement(found=Evaluation(loss=1.0, loss_se=0.001))
    unit_hash = job.config.content_hash
    one = record.run_row(job.config, 0, 1, batches, nothing, "finished")
    for n_tokens, jitter in zip(milestones, noise.tolist(), strict=True):
        loss = (0.8 + 8 / n_params**0.35 + 30 / n_tokens**0.3) * math.exp(0.01 * jitter)
        step = n_tokens // BATCH_TOKENS
        row = one | {"run_id": f"{one['trunk']}-{step}", "step": step, "n_tokens": n_tokens}
        row |= {"flops": one["flops"] * step, "loss": loss}
        found = record.RunRecord(
            row=row,
            config_hash=unit_hash,
            tokens_sha256="",
            torch_version="none",
            hardware="simulated",
            cpu_seconds=0.0,
        )
        record.append(job.folder, [found])
    if progress is not None:
        progress(1.0)
    return "finished"


def run_engine(folder: Path, n_runs: int, workers: int) -> dict[str, Any]:
    from bayescale.harness.engine import run_jobs

    configs = [unit(number) for number in range(n_runs)]
    jobs = [Job(config=c, folder=folder / "units" / c.content_hash) for c in configs]
    run_jobs(jobs, workers=workers, work=simulate)
    return {"records": n_runs * len(configs[0].train.milestones)}


def run_table(folder: Path, *_: int) -> dict[str, Any]:
    from bayescale.harness.runs_file import rows_of, write_table

    folders = sorted((folder / "units").iterdir())
    write_table(folder / "runs.csv", folders)
    return {"rows": len(rows_of(folders))}


def run_read(folder: Path, *_: int) -> dict[str, Any]:
    import bayescale as bs

    return {"rows": len(bs.read_runs(folder))}


def run_compact(folder: Path, *_: int) -> dict[str, Any]:
    from bayescale.runs.records import compact

    lines = sum(path.stat().st_size for path in folder.glob("units/*/records.jsonl"))
    return {"jsonl_mb": lines / 1e6, "parquet_mb": compact(folder).stat().st_size / 1e6}


def run_parquet(folder: Path, *_: int) -> dict[str, Any]:
    import bayescale as bs

    return {"rows": len(bs.read_runs(folder / "records.parquet"))}


def run_query(folder: Path, *_: int) -> dict[str, Any]:
    from bayescale.runs.records import query

    asked = "SELECT n_params, min(loss) AS best FROM records GROUP BY n_params"
    return {"rows": len(query(folder / "records.parquet", asked))}


def run_fit(folder: Path, *_: int) -> dict[str, Any]:
    import bayescale as bs
    from bayescale.runs.schema import LOSS, STEP, TRUNK

    frame = bs.read_runs(folder / "records.parquet").frame
    last = frame.loc[frame.groupby(TRUNK)[STEP].idxmax()]
    start = time.perf_counter()
    posterior = bs.fit(last.reset_index(drop=True), engine="amis")
    return {
        "rows": len(last),
        "mean_loss": float(last[LOSS].mean()),
        "fit_alone_seconds": time.perf_counter() - start,
        "khat": max(posterior.diagnostics.khat),
    }


def stage(name: str, folder: Path, n_runs: int, workers: int) -> dict[str, Any]:
    """Run one stage in this process, and say what it took, children included."""
    work: Callable[..., dict[str, Any]] = globals()[f"run_{name}"]
    start = time.perf_counter()
    found = work(folder, n_runs, workers)
    seconds = time.perf_counter() - start
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": seconds,
        "cpu_seconds": sum(each.ru_utime + each.ru_stime for each in used),
        "peak_mb": used[0].ru_maxrss / 1024,
        **found,
    }


def in_own_process(name: str, folder: Path, n_runs: int, workers: int) -> dict[str, Any]:
    words = ["--stage", name, "--folder", str(folder), "--runs", str(n_runs)]
    done = subprocess.run(
        [sys.executable, __file__, *words, "--workers", str(workers)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{n_runs:5d} {name:8s} {json.dumps(found)}", flush=True)
    return found


def fsync_ms(folder: Path) -> float:
    """Time of one append of a record's size that must reach the disk."""
    with (folder / "fsync").open("ab") as file:
        start = time.perf_counter()
        for _ in range(FSYNCS):
            file.write(b"x" * 1000)
            file.flush()
            os.fsync(file.fileno())
    return 1000 * (time.perf_counter() - start) / FSYNCS


def growth(by_runs: dict[int, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Slope of log seconds and log memory over log runs, between the two largest loads."""
    (small, large) = sorted(by_runs)[-2:]
    ratio = math.log(large / small)
    return {
        name: {
            measure: math.log(by_runs[large][name][measure] / by_runs[small][name][measure]) / ratio
            for measure in ("seconds", "cpu_seconds", "peak_mb")
        }
        for name in STAGES
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, nargs="+", default=[125, 500, 2000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--stage", choices=STAGES)
    asked = parser.parse_args()
    if asked.stage:
        print(json.dumps(stage(asked.stage, asked.folder, asked.runs[0], asked.workers)))
        return
    for n_runs in asked.runs:
        folder = Path(tempfile.mkdtemp(dir=asked.folder))
        try:
            found = {name: in_own_process(name, folder, n_runs, asked.workers) for name in STAGES}
            note(n_runs, found | {"fsync_ms": fsync_ms(folder)}, asked.workers)
        finally:
            shutil.rmtree(folder)


def note(n_runs: int, found: dict[str, Any], workers: int) -> None:
    """Put one load into the result file; what was measured before stays."""
    before = json.loads(RESULT.read_text())["loads"] if RESULT.is_file() else {}
    loads = {int(n): load for n, load in before.items()} | {n_runs: found}
    made = {
        "records_per_run": RECORDS,
        "workers": workers,
        "loads": {n: loads[n] for n in sorted(loads)},
        "growth": growth(loads) if len(loads) > 1 else {},
    }
    RESULT.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
