"""Learn how far siblings depart, leaving each family out; writes results/sibling_spreads.json.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/learn_siblings.py

The tasks of `siblings.py`, siblings in full. Every task is solved at a grid of spreads, one for the
three exponents, and slopes (`on_siblings.laplace`); a design, which is a prior of both, weighs the
grid by its density times the evidence, and is scored as the search for a corpus prior scores its
own (`forecasts.learn`). The average of the best designs is taken, over all families for the model
files and without the tested one for `siblings.py`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from on_siblings.designs import FLOOR, LEVEL, OF_PARAMS, log_prior, spread_unit
from on_siblings.laplace import Laplace
from scipy.special import softmax
from siblings import FAMILIES, USUAL, jobs_of, problems_of

from bayescale.forecasts.learn import robust_log_score
from bayescale.forecasts.methods import resolve_method
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.running import Job, run_jobs
from bayescale.forecasts.scores import crps_mixture
from bayescale.forecasts.summary import family_scores
from bayescale.inference.resampling import systematic_picks
from bayescale.inference.threads import one_thread
from bayescale.models.catalog import load_model
from bayescale.models.corpus_prior import CorpusPrior
from bayescale.models.learned import without_families
from bayescale.models.problem import Problem
from bayescale.runs.runs_table import RunsTable

MODEL = "coupled_growing_gp_siblings_partial"
RESULT = Path(__file__).parent / "results" / "sibling_spreads.json"

FLOORS = np.log((0.03, 0.08, 0.2, 0.5))
OF_PARAMS_SHARES = np.log((0.03, 0.1, 0.3, 0.9))
EXPONENTS = np.log((0.01, 0.03, 0.1, 0.3, 0.9, 2.7))
SLOPES = (-0.5, 0.25, 1.0, 1.75, 2.5)
GRID = np.array(list(itertools.product(FLOORS, OF_PARAMS_SHARES, EXPONENTS, SLOPES)))
AT_ONCE = 80

LOWEST = np.array([np.log(0.03), np.log(0.03), 0.0, 0.5])
HIGHEST = np.array([np.log(0.5), np.log(0.8), 2.0, 2.0])
DESIGNS = LOWEST + (HIGHEST - LOWEST) * np.random.default_rng(0).uniform(size=(150, 4))
COMPONENTS, DRAWS = 33, 60

Cells = dict[str, list[np.ndarray]]
"""By bin: robust log score and CRPS of every design, (designs, 2)."""


def main() -> None:
    started, scores, usual = time.process_time(), [], {}
    with one_thread():
        for family in FAMILIES:
            cells: Cells = {}
            frames = []
            for job, siblings in jobs_of(family):
                add_scores(cells, job, siblings)
                made = run_jobs([job], resolve_method(USUAL), backend="sequential")
                frames.append(made.frame)
            scores.append(np.mean([np.mean(found, axis=0) for found in cells.values()], axis=0))
            usual[family] = float(family_scores(pd.concat(frames))["crps"].iloc[0])
            print(family, round(time.process_time() - started), "CPU s", flush=True)
    provenance = {
        "command": "python benchmarks/learn_siblings.py",
        "date": datetime.now(UTC).date().isoformat(),
        "cpu_seconds": round(time.process_time() - started),
    }
    learned = CorpusPrior.of(DESIGNS, np.stack(scores, axis=1), FAMILIES, usual, provenance)
    learned.save(RESULT)
    for family in ("", *FAMILIES):
        found = learned.average((family,) if family else ())
        print(family or "all", np.round(np.append(np.exp(found[:2]), found[2:]), 3).tolist())


def add_scores(cells: Cells, job: Job, siblings: tuple[RunsTable, ...]) -> None:
    """Add the scores of every design on one task to its family's, by bin."""
    spec = without_families(load_model(MODEL), (job.family,))
    problems = problems_of(spec, [job.task.train, *siblings])
    level = spec.spreads[LEVEL].arguments["mu"]
    test, law = job.task.test, problems[0].law
    at = {name: test.numbers(name) for name in law.inputs}
    parts = [solved(problems, values, level) for values in np.split(GRID, len(GRID) // AT_ONCE)]
    log_evidence = np.concatenate([part.log_evidence for part in parts])
    made = [mixture for part in parts for mixture in part.predictions(at, DRAWS, seed=0)]
    mean = np.stack([part.mean.mean(axis=0) for part in made])
    variance = np.stack([part.variance.mean(axis=0) + part.mean.var(axis=0) for part in made])
    actual = np.log(test.numbers(law.output))
    values = np.stack([scored(design, log_evidence, mean, variance, actual) for design in DESIGNS])
    for cell in np.unique(job.task.cells):
        found = values[:, :, job.task.cells == cell].mean(axis=2)
        cells.setdefault(str(cell), []).append(found)


def solved(problems: Sequence[Problem], values: np.ndarray, level: float) -> Laplace:
    """Return a task solved at some values of the grid, given the log spread of levels."""
    known = {LEVEL: np.full(len(values), level), FLOOR: values[:, 0], OF_PARAMS: values[:, 1]}
    logs = [known.get(symbol, values[:, 2]) for symbol in problems[0].law.symbols]
    units = [1.0, *(spread_unit(symbol) for symbol in problems[0].law.symbols[1:])]
    spreads = [unit * np.exp(log) for unit, log in zip(units, logs, strict=True)]
    return Laplace(problems, np.column_stack(spreads), values[:, 3])


def scored(
    design: np.ndarray,
    log_evidence: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    actual: np.ndarray,
) -> np.ndarray:
    """Return robust log score and CRPS (2, P) of the grid as a design weighs it."""
    weights = softmax(log_prior(design, GRID) + log_evidence)
    picks = systematic_picks(weights, COMPONENTS, np.random.default_rng(0))
    predicted = Mixture(mean[picks], variance[picks])
    return np.stack([robust_log_score(predicted, actual), crps_mixture(predicted, actual)])


if __name__ == "__main__":
    main()
