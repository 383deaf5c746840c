"""Learn one number of a learned model again, as it ships; move it in its files.

Run from the repository's root, with the public tables at hand, after learn_prior.py:

    python benchmarks/refine_prior.py coupled_growing_gp kappa

The search of learn_prior.py scores a model on a few tasks of each family, without hedge or caution.
Here it is scored as it ships, on every task, along one number: each family by the numbers learned
without it. The gains are kept by family, so that leaving one out later moves the number by the
others' word.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from learn_prior import BASELINE, HEDGES, MODELS, baseline_scores, write_models

from bayescale.forecasts.backtest import backtest_corpus
from bayescale.forecasts.corpus import load_corpus, load_rules
from bayescale.forecasts.methods import ModelMethod
from bayescale.inference.threads import one_thread
from bayescale.models.catalog import load_model
from bayescale.models.corpus_prior import CorpusPrior, Line, gain, load_corpus_prior
from bayescale.models.discrepancy import Floats
from bayescale.models.learned import CAUTION, STARTS, cautious, hypers, numbers, spec_of
from bayescale.models.spec import ModelSpec
from bayescale.runs.runs_table import RunsTable

STEPS = (-2.0, -1.5, -1.0, -0.5, 0.0)
SEEDS = (0, 1, 2)

Tables = list[tuple[str, RunsTable]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=tuple(STARTS))
    parser.add_argument("number", help="name of the number, as in models/learned.py")
    parser.add_argument("--folder", type=Path, default=Path("../shared/data"))
    arguments = parser.parse_args()
    started = time.process_time()
    path = MODELS / "priors" / f"{arguments.model}.json"
    prior = replace(load_corpus_prior(path), line=None)
    column = [hyper.name for hyper in hypers(arguments.model)].index(arguments.number)
    corpus, baseline = load_corpus(folder=arguments.folder), baseline_scores(BASELINE)
    spec, usual = load_model(arguments.model), np.array([baseline[f] for f in prior.families])
    gains = np.zeros((len(STEPS), len(prior.families)))
    with one_thread():
        for row, step in enumerate(STEPS):
            specs = stepped(spec, prior, column, step)
            for seed in SEEDS:
                found = gain(*scores(specs, seed, corpus), usual)
                gains[row] += found / len(SEEDS)
                print(f"{step:+.1f} seed {seed}: mean gain {found.mean():.4f}", flush=True)
    line = Line(column, np.array(STEPS), gains)
    made = {
        "command": f"python benchmarks/refine_prior.py {arguments.model} {arguments.number}",
        "date": str(date.today()),
        "seeds": list(SEEDS),
        "hedge": HEDGES[arguments.model].to_dict() if arguments.model in HEDGES else None,
        "caution": dict(CAUTION.get(arguments.model, {})),
        "cpu_seconds": round(time.process_time() - started),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    refined = load_corpus_prior(prior.with_line(line, made).save(path))
    write_models(arguments.model, refined, spec.noise.trunk_correlation)
    for left in ((), *((family,) for family in prior.families)):
        value = numbers(refined.average(left), arguments.model)[arguments.number]
        print(f"{arguments.number} {value:.4f} without {', '.join(left) or 'none'}")


def stepped(spec: ModelSpec, prior: CorpusPrior, column: int, step: float) -> dict[str, ModelSpec]:
    """Return by family what is learned without it, one number moved a step."""
    made = {}
    for family in prior.families:
        design = cautious(prior.average((family,)), spec.name)
        design[column] += step
        learned, trunk = numbers(design, spec.name), spec.noise.trunk_correlation
        alone = spec_of(learned, spec.name, spec.title, trunk)
        made[family] = replace(alone, hedge=HEDGES.get(spec.name))
    return made


def scores(
    specs: Mapping[str, ModelSpec], seed: int, corpus: Mapping[str, Tables]
) -> tuple[Floats, Floats]:
    """Return log score and CRPS of each family under its own model."""
    rules, found = load_rules(), []
    for family, spec in specs.items():
        made = backtest_corpus({family: corpus[family]}, ModelMethod(spec, seed), rules=rules)
        found.append(made.summary("family")[["log_score", "crps"]].iloc[0])
    log_score, crps = np.array(found, dtype=float).T
    return log_score, crps


if __name__ == "__main__":
    main()
