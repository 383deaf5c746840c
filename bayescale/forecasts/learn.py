"""Learn a corpus prior: random designs of a model's numbers, each scored by extrapolating.

Scores are kept by family, so that the prior learned without any one family, or from a bootstrap of
families, is an average over the same designs and never a refit. The average of the best designs is
shipped, never the best: picking the maximum of noisy scores is over-fitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import gammaln

from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predict import predict
from bayescale.forecasts.scores import crps_mixture, log_density
from bayescale.forecasts.tasks import Task
from bayescale.inference.amis import Effort, sample
from bayescale.inference.fit import run_arrays
from bayescale.inference.posterior import Diagnostics, Posterior
from bayescale.laws import load_law
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem, choose_constants
from bayescale.models.spec import ModelSpec

QUICK = Effort(starts=3, rounds=6, size=250, target_ess=150.0)
MAX_TRAIN, MAX_TEST_PER_CELL = 150, 40
DRAWS = 200


@dataclass
class ScoredTask:
    """One task made ready for many designs: arrays thinned, the last mode remembered."""

    family: str
    inputs: dict[str, Floats]
    log_loss: Floats
    trunks: np.ndarray
    at: dict[str, Floats]
    actual: Floats
    cells: np.ndarray
    mode: Floats | None = field(default=None)

    @classmethod
    def of(cls, family: str, task: Task, rng: np.random.Generator) -> ScoredTask:
        """Thin a task to the sizes that a search can afford."""
        law = load_law("coupled")
        train, test = _thinned(len(task.train), MAX_TRAIN, rng), _thinned_cells(task.cells, rng)
        inputs, log_loss, trunks = run_arrays(law, task.train)
        return cls(
            family=family,
            inputs={name: values[train] for name, values in inputs.items()},
            log_loss=log_loss[train],
            trunks=trunks[train],
            at={name: task.test.numbers(name)[test] for name in law.inputs},
            actual=np.log(task.test.numbers(law.output))[test],
            cells=task.cells[test],
        )

    def predict(self, spec: ModelSpec, rng: np.random.Generator) -> Mixture:
        """Return the predictive distribution of the test runs under one design."""
        constants = choose_constants(spec, self.inputs, self.log_loss)
        problem = Problem(
            spec=spec,
            inputs=self.inputs,
            log_loss=self.log_loss,
            trunks=self.trunks,
            constants=constants,
        )
        density = Density(problem)
        starts = None if self.mode is None else self.mode[None]
        weighted = sample(density, rng, QUICK, starts)
        self.mode = weighted.mode
        drawn = density.constrain(weighted.resample(DRAWS, rng))
        posterior = Posterior(
            spec=spec,
            group_columns=(),
            labels=((),),
            problems=(problem,),
            draws={symbol: values[None] for symbol, values in drawn.items()},
            population={},
            diagnostics=_UNKNOWN,
            notes=(),
            provenance={},
        )
        parts = predict(posterior, 0, self.at)
        return Mixture(parts.mean, parts.variance)


_UNKNOWN = Diagnostics(
    engine="amis", khat=(), ess=float("nan"), rhat=float("nan"), divergences=0, cpu_seconds=0.0
)


def score(spec: ModelSpec, tasks: Sequence[ScoredTask], seed: int = 0) -> dict[str, Floats]:
    """Return robust log score and CRPS of each family under one design.

    Parameters
    ----------
    spec : ModelSpec
        The design.
    tasks : sequence of ScoredTask
        Of every family.
    seed : int
        Seed of the importance sampler; equal seeds compare designs on equal noise.

    Returns
    -------
    dict of str to array, shape (2,)
        By family: mean robust log score and mean CRPS, points averaged within a cell, cells within
        a bin, bins with equal weight.
    """
    cells: dict[str, dict[str, list[Floats]]] = {}
    for k, task in enumerate(tasks):
        predicted = task.predict(spec, np.random.default_rng([seed, k]))
        values = np.stack(
            [robust_log_score(predicted, task.actual), crps_mixture(predicted, task.actual)]
        )
        for name in np.unique(task.cells):
            mean = values[:, task.cells == name].mean(axis=1)
            cells.setdefault(task.family, {}).setdefault(name, []).append(mean)
    return {
        family: np.mean([np.mean(found, axis=0) for found in bins.values()], axis=0)
        for family, bins in cells.items()
    }


def robust_log_score(predicted: Mixture, actual: Floats) -> Floats:
    """Return the log of 97 % of the predictive density and 3 % of a t3 of sd-scale .15."""
    median = np.median(predicted.mean, axis=0)
    z = (actual - median) / 0.15
    wide = gammaln(2.0) - gammaln(1.5) - 0.5 * np.log(3.0 * np.pi) - np.log(0.15)
    wide = wide - 2.0 * np.log1p(z**2 / 3.0)
    return np.logaddexp(np.log(0.97) + log_density(predicted, actual), np.log(0.03) + wide)


def _thinned(size: int, limit: int, rng: np.random.Generator) -> np.ndarray:
    return np.arange(size) if size <= limit else np.sort(rng.choice(size, limit, replace=False))


def _thinned_cells(cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    parts = []
    for name in np.unique(cells):
        rows = np.flatnonzero(cells == name)
        parts.append(rows[_thinned(len(rows), MAX_TEST_PER_CELL, rng)])
    return np.concatenate(parts)
