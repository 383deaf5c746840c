"""Losses from a GPU: check it, measure it, train on it. README.md has the order and the minutes.

    python benchmarks/gpu.py check    is what it computes right?
    python benchmarks/gpu.py speed    tokens/s and utilisation of every shape, way and stack
    python benchmarks/gpu.py rivals   stacked training against a plain loop
    python benchmarks/gpu.py train PLAN.json ...

It needs PyTorch, NumPy and this repository, nothing else: set PYTHONPATH to the repository where
bayescale is not installed. Every command but ``check`` stops itself after ``--seconds`` and goes on
from there when it is started again. ``--rehearse`` runs it on the CPU at a size of seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the slow forms lie in tests/

from on_gpu.bench import copy_bytes, matmul_flops
from on_gpu.checks import all_checks
from on_gpu.rivals import rivals
from on_gpu.speed import Row, speeds
from on_gpu.training import Session, corpus_of, read_plan, restore, train_plans

from bayescale.errors import BayescaleError
from bayescale.harness.record import hardware
from bayescale.harness.runs_file import write_whole

ARCHIVE = "gpu-runs.tar.gz"
STOPPED = 3
"""Exit status of a command that has more to do."""
STATUSES = {"finished": 0, "failed": 1, "stopped": STOPPED}


def main() -> int:
    asked = _arguments()
    warnings.filterwarnings("ignore", message="Dynamo detected a call to a `functools.lru_cache`")
    device = "cpu" if asked.rehearse else "cuda"
    if device == "cuda" and not torch.cuda.is_available():
        print("gpu.py: PyTorch sees no GPU. Use --rehearse to try it on the CPU.", file=sys.stderr)
        return 2
    # Products in float32 inside the kernels; bfloat16 has rounded more before they begin.
    torch.set_float32_matmul_precision("high")
    if asked.rehearse:
        torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    try:
        return COMMANDS[asked.command](asked, device)
    except BayescaleError as error:
        print(error, file=sys.stderr)
        return 2


def check(asked: argparse.Namespace, device: str) -> int:
    rows = []
    for row in all_checks(device, tiny=asked.rehearse):
        rows.append(row)
        _save(asked, device, "gpu_check", rows, {})
    _show(rows, ("check", "found", "limit", "passed", "note"))
    return 0 if all(row["passed"] for row in rows) else 1


def speed(asked: argparse.Namespace, device: str) -> int:
    columns = ("d_model", "n_layers", "n_params_nonembedding", "n_members", "way", "step_ms")
    columns += ("tokens_per_second", "utilisation")
    found, known = _ceilings(asked, device), _known(asked, "gpu_speed")
    cases = speeds(
        device,
        found["matmul_flops"],
        tiny=asked.rehearse,
        seconds=0.01 if asked.rehearse else 0.5,
        known=known,
    )
    return _collected(asked, device, "gpu_speed", known, cases, found, columns)


def versus(asked: argparse.Namespace, device: str) -> int:
    columns = ("d_model", "n_params_nonembedding", "n_members", "ratio", "least_ratio")
    columns += ("utilisation", "least_utilisation", "passed")
    found, known = _ceilings(asked, device), _known(asked, "gpu_rivals")
    done = frozenset(row["d_model"] for row in known)
    seconds = 0.01 if asked.rehearse else 0.5
    cases = rivals(device, found["matmul_flops"], tiny=asked.rehearse, seconds=seconds, done=done)
    return _collected(asked, device, "gpu_rivals", known, cases, found, columns)


def train(asked: argparse.Namespace, device: str) -> int:
    if asked.resume is not None:
        restore(asked.resume, asked.out)
    session = Session(
        packed=asked.pack,
        out=asked.out,
        device=device,
        seconds=asked.seconds,
        compile_from=asked.compile_from,
        archive=asked.archive or asked.out / ARCHIVE,
        rehearsal=asked.rehearse,
    )
    # Whatever is missing shows here, before anything is trained.
    plans = [read_plan(path) for path in asked.plans]
    for plan in plans:
        corpus_of(plan, session)
    outcome = train_plans(plans, session, budget=asked.budget)
    kept = session.archive
    session.say(f"{outcome}; {kept.name} has {kept.stat().st_size / 1e6:.2f} MB")
    return STATUSES[outcome]


COMMANDS = {"check": check, "speed": speed, "rivals": versus, "train": train}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        one = commands.add_parser(name)
        one.add_argument("--out", type=Path, default=Path("gpu-runs"), help="folder of results")
        one.add_argument("--seconds", type=float, default=540.0, help="stop after as many")
        one.add_argument("--rehearse", action="store_true", help="on the CPU, at tiny size")
        if name == "train":
            one.add_argument("plans", nargs="+", type=Path, help="what gpu_pack.py wrote")
            one.add_argument("--pack", type=Path, default=Path("gpu-pack"), help="packed corpora")
            one.add_argument(
                "--budget", type=float, default=float("inf"), help="seconds of all sizes"
            )
            one.add_argument("--compile-from", type=int, default=256, help="width")
            one.add_argument("--archive", type=Path, help=f"where {ARCHIVE} goes, if not in --out")
            one.add_argument("--resume", type=Path, help=f"{ARCHIVE} of an earlier machine")
    return parser.parse_args()


def _ceilings(asked: argparse.Namespace, device: str) -> dict[str, float]:
    size, n_bytes = (128, 1 << 20) if asked.rehearse else (8192, 1 << 32)
    return {"matmul_flops": matmul_flops(device, size), "copy_bytes": copy_bytes(device, n_bytes)}


def _collected(
    asked: argparse.Namespace,
    device: str,
    name: str,
    rows: list[Row],
    cases: Iterable[Row],
    found: dict[str, float],
    columns: tuple[str, ...],
) -> int:
    """Save after every case, stop where another as long would be late, show the table last."""
    ends, status = [time.time()], 0
    for row in cases:
        rows.append(row)
        _save(asked, device, name, rows, found)
        ends.append(time.time())
        longest = max(after - before for before, after in pairwise(ends))
        if ends[-1] - ends[0] + longest > asked.seconds:
            status = STOPPED
            break
    _show(rows, columns)
    matmul, copied = found["matmul_flops"] / 1e12, found["copy_bytes"] / 1e12
    print(f"bf16 products {matmul:.4g} TFLOP/s, copy {copied:.4g} TB/s")
    if status:
        print("stopped in time: start it again for the rest")
    return status


def _known(asked: argparse.Namespace, name: str) -> list[Row]:
    path = asked.out / f"{name}.json"
    return json.loads(path.read_text())["rows"] if path.is_file() else []


def _save(
    asked: argparse.Namespace, device: str, name: str, rows: list[Row], found: dict[str, float]
) -> None:
    report = {
        "command": f"python benchmarks/gpu.py {asked.command}",
        "hardware": hardware(device),
        "torch": torch.__version__,
        **found,
        "rows": rows,
    }
    write_whole(asked.out / f"{name}.json", json.dumps(report, indent=1) + "\n")


def _show(rows: list[Row], columns: tuple[str, ...]) -> None:
    texts = [columns, *([_text(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in texts) for i in range(len(columns))]
    for line in texts:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)))


def _text(value: object) -> str:
    shown = "" if value is None else str(value)
    return f"{value:.4g}" if isinstance(value, float) else shown


if __name__ == "__main__":
    sys.exit(main())
