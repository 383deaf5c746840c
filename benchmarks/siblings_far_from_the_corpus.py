"""What siblings are worth to networks far below any public compute; writes their results file.

Run from the repository's root; it needs no table but those shipped, and takes some four minutes:

    python benchmarks/siblings_far_from_the_corpus.py

Each group of `cpu_architectures` is cut to a third and to a tenth of its compute and pooled with
its siblings, in full or cut alike: the other architectures on its corpus, or its architecture on
the other corpus. Beside them the same group alone, and the usual practice. The spreads and what
siblings share of the discrepancy were chosen by the first, in full, among four pairs (NOTES.md).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from siblings import Pooled

from bayescale.forecasts.backtest import corpus_jobs
from bayescale.forecasts.corpus import load_corpus
from bayescale.forecasts.methods import ModelMethod, resolve_method
from bayescale.forecasts.running import Job, run_jobs
from bayescale.models.catalog import WEAK_MODEL, load_model
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import write_atomically

RESULT = Path(__file__).parent / "results" / "siblings_far_from_the_corpus.json"
FAMILY = "bayescale_architectures"
FACTORS = (3.0, 10.0)
SHARED = {"architectures of one corpus": 1, "corpora of one architecture": 2}
"""What siblings have in common: the part of ``table/dataset/architecture`` that is alike."""
SCORES = ["crps", "abs_error", "bias", "coverage_50", "coverage_80", "coverage_90", "width_90"]


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    report = {
        "command": "python benchmarks/siblings_far_from_the_corpus.py",
        "date": datetime.now(UTC).date().isoformat(),
        "model": load_model(f"{WEAK_MODEL}_partial").hash,
        "scores": {kind: scores(part) for kind, part in SHARED.items()},
    }
    content = json.dumps(report, indent=1)
    write_atomically(RESULT, lambda part: part.write_text(content + "\n", encoding="utf-8"))
    print(content)


def scores(part: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return mean scores by method and distance, groups with equal weight."""
    pooled, frames = load_model(f"{WEAK_MODEL}_partial"), []
    for job, siblings in _jobs(part):
        methods = {
            "siblings in full": Pooled(pooled, siblings),
            "siblings cut alike": Pooled(pooled, siblings, reach=1.0),
            "alone": ModelMethod(load_model(WEAK_MODEL)),
            "usual practice": resolve_method("huber_bootstrap"),
        }
        for name, method in methods.items():
            frames.append(run_jobs([job], method, backend="sequential").frame.assign(method=name))
    found = pd.concat(frames).groupby(["method", "cell"])[SCORES].mean().round(4)
    return {
        name: part.droplevel("method").to_dict("index") for name, part in found.groupby("method")
    }


def _jobs(part: int) -> Iterator[tuple[Job, tuple[RunsTable, ...]]]:
    tables = load_corpus(locked=True, families=(FAMILY,))[FAMILY]
    for name, table in tables:
        alike = name.split("/")[part]
        siblings = (t for other, t in tables if other != name and other.split("/")[part] == alike)
        chosen = tuple(siblings)
        for job in corpus_jobs({FAMILY: [(name, table)]}, FACTORS):
            yield job, chosen


if __name__ == "__main__":
    main()
