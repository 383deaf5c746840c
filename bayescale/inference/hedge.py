"""The posterior of the model that hedges another one, on the same runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bayescale.inference.amis import EFFORTS, Effort
from bayescale.inference.importance import importance_sample, resampled
from bayescale.inference.posterior import Posterior
from bayescale.models.catalog import load_model
from bayescale.models.delivery import BEYOND
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem, choose_constants
from bayescale.models.spec import ModelSpec

_LIGHT = (Effort(size=400, target_ess=300.0), *EFFORTS)
"""A hedge gives few of the draws, but the tails of every interval."""


def hedged(main: Posterior, seed: int, priors: Mapping[str, Any] | None = None) -> Posterior:
    """Return a posterior with the one that hedges it, always drawn by importance sampling.

    Parameters
    ----------
    main : Posterior
        What is hedged; returned as it is when its model does not hedge, or pools its groups: what
        siblings say is no guess from other tables.
    seed : int
        Seed of the fit.
    priors : mapping, optional
        A user's own priors, which hold for both.
    """
    if main.spec.hedge is None or main.spec.pools:
        return main
    spec = load_model(main.spec.hedge.model).with_priors(priors or {})
    spec = replace(spec, pooling=main.spec.pooling)
    problems = tuple(_problem(spec, problem) for problem in main.problems)
    weighted = [
        importance_sample(problem, seed, group, _LIGHT, _start(main, group, problem))
        for group, problem in enumerate(problems)
    ]
    n_draws = max(1, round(main.spec.hedge.weight * main.n_draws))
    draws, diagnostics = resampled(problems, weighted, n_draws, seed)
    made = {"model": spec.name, "model_hash": spec.hash}
    other = replace(
        main,
        spec=spec,
        problems=problems,
        draws=draws,
        population={},
        diagnostics=diagnostics,
        notes=(),
        provenance={**main.provenance, **made},
    )
    return replace(main, hedge=other)


def _start(main: Posterior, group: int, problem: Problem) -> Floats | None:
    """Return the middle of what is hedged in the other model's coordinates, shape (1, P)."""
    if problem.spec.law != main.spec.law or {*main.draws} != {*Density(problem).symbols}:
        return None
    middle = {name: np.median(values) for name, values in main.coefficients(group).items()}
    law, reference = problem.law, problem.constants.reference
    textbook = law.textbook(middle, main.problems[group].constants.reference)
    return Density(problem).unconstrain({**middle, **law.from_textbook(textbook, reference)})


def _problem(spec: ModelSpec, main: Problem) -> Problem:
    """Return the same runs under another model, with constants that later runs do not move."""
    fitted = main.excess(main.positions) <= BEYOND
    inputs = {name: values[fitted] for name, values in main.inputs.items()}
    own, given = choose_constants(spec, inputs, main.log_loss[fitted]), main.constants
    fixed = replace(given, reference=own.reference, covariates=own.covariates, anchors=())
    return replace(main, spec=spec, constants=fixed)
