"""Learn one number of a learned model again, with the hedge in place; move it in its files.

Run from the repository's root, with the public tables at hand, after learn_prior.py:

    python benchmarks/refine_prior.py coupled_growing_gp kappa

The search of learn_prior.py scores a model alone, on a few tasks of each family. Here the model is
scored as it ships, on every task, along one number: each family by the numbers learned without it.
The gains are kept by family, so that leaving one out later moves the number by the others' word.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
from learn_prior import BASELINE, HEDGE, MODELS, TITLES, baseline_scores, write_models

from bayescale.forecasts.backtest import backtest_corpus
from bayescale.forecasts.corpus import load_corpus, load_rules
from bayescale.forecasts.methods import ModelMethod
from bayescale.inference.threads import one_thread
from bayescale.models.catalog import load_model
from bayescale.models.corpus_prior import CorpusPrior, Line, load_corpus_prior
from bayescale.models.discrepancy import Floats
from bayescale.models.learned import STARTS, hypers, numbers, spec_of
from bayescale.runs.runs_table import RunsTable

STEPS = (-1.2, -0.9, -0.6, -0.3, 0.0, 0.3)
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
    gains = np.zeros((len(STEPS), len(prior.families)))
    with one_thread():
        for (row, step), seed in product(enumerate(STEPS), SEEDS):
            found = gains_at(arguments.model, prior, column, step, seed, corpus, baseline)
            gains[row] += found / len(SEEDS)
            print(f"{step:+.1f} seed {seed}: mean gain {found.mean():.4f}", flush=True)
    line = Line(column, np.array(STEPS), gains)
    made = {
        "command": f"python benchmarks/refine_prior.py {arguments.model} {arguments.number}",
        "date": str(date.today()),
        "seeds": list(SEEDS),
        "hedge": HEDGE.to_dict(),
        "cpu_seconds": round(time.process_time() - started),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    refined = load_corpus_prior(prior.with_line(line, made).save(path))
    write_models(arguments.model, refined, load_model(arguments.model).noise.trunk_correlation)
    for left in ((), *((family,) for family in prior.families)):
        value = numbers(refined.average(left), arguments.model)[arguments.number]
        print(f"{arguments.number} {value:.4f} without {', '.join(left) or 'none'}")


def gains_at(
    model: str,
    prior: CorpusPrior,
    column: int,
    step: float,
    seed: int,
    corpus: Mapping[str, Tables],
    baseline: Mapping[str, float],
) -> Floats:
    """Return the gain of each family, predicted without itself, at one step along the line."""
    rules, out = load_rules(), []
    trunk = load_model(model).noise.trunk_correlation
    for family in prior.families:
        design = prior.average((family,))
        design[column] += step
        spec = spec_of(numbers(design, model), model, TITLES[model], trunk)
        method = ModelMethod(replace(spec, hedge=HEDGE), seed)
        found = backtest_corpus({family: corpus[family]}, method, rules=rules)
        scores = found.summary("family").iloc[0]
        out.append(scores["log_score"] - np.log(scores["crps"] / baseline[family]))
    return np.array(out)


if __name__ == "__main__":
    main()
