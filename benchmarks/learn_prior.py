"""Learn the corpus prior of a model; write models/priors/MODEL.json and its model files.

Run from the repository's root, with the public tables at hand:

    python benchmarks/learn_prior.py coupled_growing_gp --scores scores.npz

Designs are drawn in stages, each around the best of all families so far; every design's score is
kept by family, so that leaving a family out later only averages other columns of the same table.
An interrupted search goes on from the scores file.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import yaml

from bayescale.forecasts.corpus import load_corpus, load_rules
from bayescale.forecasts.learn import ScoredTask, score
from bayescale.forecasts.tasks import make_tasks
from bayescale.inference.threads import one_thread
from bayescale.models.catalog import list_models, load_model
from bayescale.models.corpus_prior import CorpusPrior
from bayescale.models.hedge import Hedge
from bayescale.models.learned import base_of, cautious, hypers, numbers, spec_of, taught
from bayescale.models.spec import LearnedFrom, ModelSpec

STAGES = {
    "coupled_gp": ((120, 1.0), (100, 0.6), (80, 0.4), (140, 0.4), (120, 0.3)),
    "coupled_growing_gp": ((150, 0.4), (150, 0.3), (120, 0.25)),
}
"""Designs of each stage, and their spread as a share of a hyperparameter's own step."""

TASKS_PER_FAMILY = 10
SEED = 11
BASELINE = Path("benchmarks/results/backtest_huber_bootstrap.json")
MODELS = Path("models")
TITLES = {
    "coupled_gp": "Coupled law with a Gaussian-process discrepancy, prior learned on public tables",
    "coupled_growing_gp": "Coupled law, a discrepancy that grows where tokens are few or D/N is"
    " unusual, prior learned on public tables, the discrepancy half as large again",
}

HEDGES = {"coupled_gp": Hedge(model="coupled_gp_weak", weight=0.125)}
"""Not learned: of the first default, one forecast in eight trusts no other table (NOTES.md)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=tuple(STAGES))
    parser.add_argument("--scores", type=Path, default=Path("scores.npz"))
    parser.add_argument("--folder", type=Path, default=Path("../shared/data"))
    arguments = parser.parse_args()
    started = time.process_time()
    tasks, hashes = corpus_tasks(arguments.folder)
    families = sorted({task.family for task in tasks})
    baseline = baseline_scores(BASELINE)
    designs, scores, spent = load(arguments.scores, len(hypers(arguments.model)), len(families))
    trunk = load_model("coupled_gp_weak").noise.trunk_correlation
    rng = np.random.default_rng(SEED)
    moved, stages = hypers(arguments.model), STAGES[arguments.model]
    draws = [rng.standard_normal((count, len(moved))) for count, _ in stages]
    with one_thread():
        for stage, (normal, (_, spread)) in enumerate(zip(draws, stages, strict=True)):
            first = sum(len(d) for d in draws[:stage])
            centre = np.array([h.start for h in moved])
            if stage:
                known = CorpusPrior.of(designs[:first], scores[:first], families, baseline, {})
                centre = known.average()
            for k in range(max(len(designs) - first, 0), len(normal)):
                step = np.array([h.step for h in moved])
                design = centre + spread * step * normal[k] * (k > 0)
                candidate = numbers(design, arguments.model)
                found = score(spec_of(candidate, "candidate", "", trunk), tasks)
                designs = np.vstack([designs, design])
                scores = np.concatenate([scores, [[found[f] for f in families]]])
                seconds = spent + time.process_time() - started
                np.savez(arguments.scores, designs=designs, scores=scores, seconds=seconds)
                print(stage, k, f"{seconds:.0f} s", flush=True)
    provenance = {
        "command": f"python benchmarks/learn_prior.py {arguments.model}",
        "date": str(date.today()),
        "tables_sha256": hashes,
        "tasks": len(tasks),
        "range": fitted_range(tasks),
        "cpu_seconds": round(spent + time.process_time() - started),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    learned = CorpusPrior.of(designs, scores, families, baseline, provenance)
    learned.save(MODELS / "priors" / f"{arguments.model}.json")
    write_models(arguments.model, learned, trunk)
    print(json.dumps(numbers(learned.average(), arguments.model), indent=1))


def baseline_scores(path: Path) -> dict[str, float]:
    """Return the CRPS of the usual practice by family."""
    families = json.loads(path.read_text(encoding="utf-8"))["families"]
    return {family: scores["crps"] for family, scores in families.items()}


def write_models(name: str, learned: CorpusPrior, trunk: float) -> None:
    """Write a model file whose numbers are the average of the best designs, and pooled versions."""
    seen = {key: tuple(values) for key, values in learned.provenance["range"].items()}
    source = LearnedFrom(hash=learned.hash, **seen)
    design = cautious(learned.average(), name)
    alone = spec_of(numbers(design, name), name, TITLES[name], trunk, source)
    _write(replace(alone, hedge=HEDGES.get(name)), "its numbers and hash pin models/priors.")
    for other in list_models():
        if other != name and base_of(other) == name:
            spec = taught(load_model(other), learned, source)
            _write(spec, "the numbers of its base; spreads and level are stated and kept.")


def _write(spec: ModelSpec, said: str) -> None:
    body = yaml.safe_dump(spec.to_dict(), sort_keys=False, width=100)
    head = f"# Written by benchmarks/learn_prior.py: {said}\n"
    (MODELS / f"{spec.name}.yaml").write_text(head + body, encoding="utf-8")


def corpus_tasks(folder: Path) -> tuple[list[ScoredTask], dict[str, str]]:
    """Return up to TASKS_PER_FAMILY tasks of each unlocked family, and the tables' fingerprints."""
    rng, rules, out, hashes = np.random.default_rng(SEED), load_rules(), [], {}
    for family, tables in load_corpus(folder=folder).items():
        tasks = []
        for name, runs in tables:
            hashes[f"{family}/{name}"] = runs.fingerprint[:16]
            tasks.extend(make_tasks(runs, rules=rules.get(family)))
        chosen = rng.permutation(len(tasks))[:TASKS_PER_FAMILY]
        out.extend(ScoredTask.of(family, tasks[k], rng) for k in sorted(chosen))
    return out, hashes


def fitted_range(tasks: list[ScoredTask]) -> dict[str, list[float]]:
    """Return the smallest and largest covariates of the fitted runs: where the prior has been."""
    flops = [6.0 * float((t.inputs["n_params"] * t.inputs["n_tokens"]).max()) for t in tasks]
    ratio = [float(np.median(t.inputs["n_tokens"] / t.inputs["n_params"])) for t in tasks]
    return {
        "largest_flops": [min(flops), max(flops)],
        "median_tokens_per_param": [min(ratio), max(ratio)],
    }


def load(path: Path, n_hypers: int, n_families: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return designs, scores and CPU seconds of an interrupted search, empty when there is none."""
    if not path.exists():
        return np.empty((0, n_hypers)), np.empty((0, n_families, 2)), 0.0
    with np.load(path) as saved:
        return saved["designs"], saved["scores"], float(saved["seconds"])


if __name__ == "__main__":
    main()
