"""Tables simulated from a law: inputs over the ranges that a study would hold, outputs with noise.

Inputs that enter as ratios are spread evenly in their log over `Quantity.typical`, plain ones
evenly, unless the law's family in `printed` states a design of its own. Noise is normal on the
scale of the likelihood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from bayescale.laws import Law
from bayescale.models.density import Density
from bayescale.models.from_law import plain_weak
from bayescale.models.problem import Problem, choose_constants

from .printed import DESIGNS, FROM_THE_TOP

Arrays = dict[str, np.ndarray]

FAR = 4.0
"""E-folds between a design's centre and a printed run beyond which the design is moved."""


def design(law: Law, n_runs: int, rng: np.random.Generator) -> Arrays:
    """Return the inputs of `n_runs` runs, in their own units."""
    if law.name in DESIGNS:
        return DESIGNS[law.name](n_runs, rng)
    return {name: spread(law, name, n_runs, rng) for name in law.inputs}


def spread(law: Law, name: str, n_runs: int, rng: np.random.Generator) -> np.ndarray:
    """Return values of one input over its typical range, one in each of `n_runs` strata."""
    quantity = law.quantity(name)
    share = (rng.permutation(n_runs) + rng.uniform(size=n_runs)) / n_runs
    low, high = quantity.typical
    if quantity.enters == "plain":
        return low + share * (high - low)
    return np.exp(np.log(low) + share * np.log(high / low))


def own_frame(law: Law, n_runs: int = 60, seed: int = 0) -> pd.DataFrame:
    """Return runs of the law with coefficients of its own, and its prior's median noise.

    They are the first printed ones, on a design about the run that they are printed for; or, where
    none are printed, the medians of the prior at the table's middle; or at its upper end, for
    those that count from there.
    """
    rng = np.random.default_rng(seed)
    inputs = design(law, n_runs, rng)
    if law.published and law.name not in FROM_THE_TOP:
        textbook, at = law.published[0].textbook, law.published[0].at
        inputs = about(law, inputs, at)
        coefficients = law.from_textbook(textbook, dict.fromkeys(law.inputs, 1.0))
        linked = law.link(law.evaluate(inputs, coefficients))
    else:
        top = np.log(10.0) if law.name in FROM_THE_TOP else np.inf
        centre = {name: middle(inputs[name], top) for name in law.ratios}
        centre = {name: centre.get(law.quantity(name).shares or name, 1.0) for name in law.inputs}
        ratios = {name: values / centre[name] for name, values in inputs.items()}
        medians = {c.symbol: c.prior.quantile(0.5, 1.1) for c in law.coefficients}
        linked = law.link(law.evaluate(ratios, medians))
    output = law.inverse_link(linked + rng.normal(0.0, law.noise.quantile(0.5), n_runs))
    return pd.DataFrame({**inputs, law.output: output})


def middle(values: np.ndarray, below_top: float) -> float:
    """Return the geometric mean of the values at most so many e-folds below the largest."""
    logs = np.log(values)
    return float(np.exp(logs[logs >= logs.max() - below_top].mean()))


def about(law: Law, inputs: Arrays, at: Mapping[str, float]) -> Arrays:
    """Return a design moved, where inputs enter as ratios, so that its centre is `at`.

    All of it is moved or nothing, so that ratios such as D / N stay near those of the printed run;
    inputs that share a reference move together.
    """
    own = {name: law.quantity(name).shares or name for name in law.ratios}
    factors = {name: at[of] / np.exp(np.log(inputs[of]).mean()) for name, of in own.items()}
    if not factors or np.abs(np.log([*factors.values()])).max() < FAR:
        return inputs
    return {name: values * factors.get(name, 1.0) for name, values in inputs.items()}


def empty_problem(law: Law, n_runs: int = 60, seed: int = 0, level: float = 1.1) -> Problem:
    """Return a design under the law's default model, its outputs still to be drawn.

    The level stands for the median of the outputs that will be, on the likelihood's scale.
    """
    spec = plain_weak(law)
    inputs = design(law, n_runs, np.random.default_rng(seed))
    outputs = np.full(n_runs, level)
    return Problem(
        spec=spec,
        inputs=inputs,
        log_loss=outputs,
        trunks=np.full(n_runs, ""),
        constants=choose_constants(spec, inputs, outputs),
    )


def replicate(problem: Problem, rng: np.random.Generator) -> tuple[Problem, np.ndarray]:
    """Return the problem with outputs drawn from its prior, and the coordinates they came from."""
    prior = Density(problem)
    truth = prior.sample_prior(1, rng)
    errors = np.sqrt(prior.variances(truth)) * rng.standard_normal((1, len(problem)))
    return replace(problem, log_loss=(prior.log_loss(truth) + errors)[0]), truth[0]
