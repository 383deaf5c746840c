"""What pooling does to tables that are no siblings; writes results/strangers.json.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/strangers.py

One table of every public family, drawn by a seed, cut as in a backtest and pooled with one whole
table of each of three other families: other corpora, tokenizers, architectures and recipes. A
model of siblings claims that such groups are alike; what that claim costs where it is false is
what to know before it is made. Beside each pooled model the same table alone, every model with the
numbers it has without the tested family. Takes half an hour.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from siblings import ALONE, FACTORS, Pooled, evaluation_of, pooled_without

from bayescale.errors import ForecastError
from bayescale.forecasts.backtest import corpus_jobs
from bayescale.forecasts.corpus import load_corpus, load_rules
from bayescale.forecasts.methods import ModelMethod
from bayescale.forecasts.running import Job, run_jobs
from bayescale.forecasts.summary import family_scores
from bayescale.models.catalog import load_model
from bayescale.models.learned import without_families
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import write_atomically

RESULT = Path(__file__).parent / "results" / "strangers.json"
POOLED = ("coupled_gp", "coupled_growing_gp_siblings")
STRANGERS = 3
SCORES = ["crps", "abs_error", "bias", "coverage_50", "coverage_80", "coverage_90", "width_90"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder of finished tasks")
    cache = parser.parse_args().cache
    frames: dict[str, list[pd.DataFrame]] = {}
    for job, strangers in jobs(np.random.default_rng(0)):
        for name, method in methods_of(job.family, strangers).items():
            made = run_jobs([job], method, backend="sequential", cache=cache)
            frames.setdefault(name, []).append(made.frame)
        print(job.family, job.task.factor, flush=True)
    report = {
        "command": "python benchmarks/strangers.py",
        "date": datetime.now(UTC).date().isoformat(),
        "models": {name: load_model(f"{name}_partial").hash for name in POOLED},
        "factors": FACTORS,
        "methods": {name: summary(pd.concat(parts)) for name, parts in frames.items()},
    }
    content = json.dumps(report, indent=1)
    write_atomically(RESULT, lambda part: part.write_text(content + "\n", encoding="utf-8"))
    print(content)


def jobs(rng: np.random.Generator) -> Iterator[tuple[Job, tuple[RunsTable, ...]]]:
    """Return the tasks of one table a family, each with whole tables of other families."""
    corpus = load_corpus()
    families = sorted(corpus)
    drawn = {family: corpus[family][rng.integers(len(corpus[family]))] for family in families}
    for family, (name, table) in drawn.items():
        try:
            found = corpus_jobs({family: [(name, table)]}, FACTORS, load_rules())
        except ForecastError:
            continue
        others = rng.permutation([other for other in families if other != family])[:STRANGERS]
        strangers = tuple(drawn[other][1].usable()[0] for other in others)
        for job in found:
            yield replace(job, evaluation=evaluation_of(table)), strangers


def methods_of(family: str, strangers: tuple[RunsTable, ...]) -> dict[str, Pooled | ModelMethod]:
    """Return pooled models and those without pooling, by name."""
    pooled = {f"{name}_partial": Pooled(pooled_without(name, family), strangers) for name in POOLED}
    alone = {
        name: ModelMethod(without_families(replace(load_model(name), hedge=None), (family,)))
        for name in ALONE
    }
    return {**pooled, **alone}


def summary(frame: pd.DataFrame) -> dict[str, Any]:
    """Return mean scores over families, and of each family."""
    scores = family_scores(frame).set_index("family")[SCORES].round(4)
    return {
        "mean": scores.mean().round(4).to_dict(),
        "families": scores.to_dict("index"),
    }


if __name__ == "__main__":
    main()
