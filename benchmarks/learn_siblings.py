"""Learn how far siblings depart, leaving each family out; writes results/sibling_spreads.json.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/learn_siblings.py

The tasks of `siblings.py`, siblings in full. Every task is solved at a grid of spreads and slopes
(`on_siblings.laplace`); a design, which is a prior of both, weighs the grid by its density times
the evidence, and is scored as the search for a corpus prior scores its own (`forecasts.learn`). The
average of the best designs is taken, over all families for the model files and without the tested
one for `siblings.py`.
"""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from on_siblings.designs import FLOOR, LEVEL, log_prior, spread_unit
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
from bayescale.runs.runs_table import RunsTable

MODEL = "coupled_growing_gp_correlated_partial"
RESULT = Path(__file__).parent / "results" / "sibling_spreads.json"

FLOORS = np.log((0.03, 0.08, 0.2, 0.5))
RESTS = np.log((0.03, 0.1, 0.2, 0.4, 0.8))
SLOPES = (-0.5, 0.25, 1.0, 1.75, 2.5)
GRID = np.array(list(itertools.product(FLOORS, RESTS, SLOPES)))

DESIGNS = np.array(
    list(
        itertools.product(
            np.log((0.03, 0.06, 0.12, 0.25, 0.5)),
            np.log((0.03, 0.08, 0.2, 0.4, 0.8)),
            (0.0, 0.4, 0.8, 1.2, 1.6, 2.0),
        )
    )
)
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
        print(family or "all", np.round(np.append(np.exp(found[:2]), found[2]), 3).tolist())


def add_scores(cells: Cells, job: Job, siblings: tuple[RunsTable, ...]) -> None:
    """Add the scores of every design on one task to its family's, by bin."""
    spec = without_families(load_model(MODEL), (job.family,))
    problems = problems_of(spec, [job.task.train, *siblings])
    floor, rest, slopes = GRID.T
    units = {symbol: spread_unit(symbol) for symbol in problems[0].law.symbols[1:]}
    spreads = [unit * np.exp(floor if s == FLOOR else rest) for s, unit in units.items()]
    level = np.full(len(GRID), np.exp(spec.spreads[LEVEL].arguments["mu"]))
    solved = Laplace(problems, np.column_stack([level, *spreads]), slopes)
    test, law = job.task.test, problems[0].law
    parts = solved.predictions({name: test.numbers(name) for name in law.inputs}, DRAWS, seed=0)
    mean = np.stack([part.mean.mean(axis=0) for part in parts])
    variance = np.stack([part.variance.mean(axis=0) + part.mean.var(axis=0) for part in parts])
    actual = np.log(test.numbers(law.output))
    values = np.stack(
        [scored(design, solved.log_evidence, mean, variance, actual) for design in DESIGNS]
    )
    for cell in np.unique(job.task.cells):
        found = values[:, :, job.task.cells == cell].mean(axis=2)
        cells.setdefault(str(cell), []).append(found)


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
