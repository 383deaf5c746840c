"""A group with no runs, drawn from the population of a partially pooled posterior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayescale.errors import ForecastError
from bayescale.inference.posterior import Posterior
from bayescale.laws.ops import from_unconstrained
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Constants, Problem


def with_new_group(posterior: Posterior, label: tuple[str, ...], seed: int = 0) -> Posterior:
    """Return the posterior with one more group, known only through the population.

    Parameters
    ----------
    posterior : Posterior
        A partially pooled fit.
    label : tuple of str
        The new group's label.
    seed : int
        Seed of the group's departure from the population.

    Raises
    ------
    ForecastError
        When the model does not pool, so that it knows nothing of a new group.
    """
    if not posterior.population:
        raise ForecastError(
            f"group {'/'.join(label)!r} has no runs, and model {posterior.spec.name!r} does not"
            f" pool groups; fitted: {', '.join('/'.join(known) for known in posterior.labels)}.",
            "Fit a model whose name holds '_partial' to forecast a new group.",
        )
    rng = np.random.default_rng([seed, len(posterior.labels)])
    problem = _empty_problem(posterior)
    draws = {
        symbol: np.concatenate([values, _new_values(posterior, problem, symbol, rng)], axis=2)
        for symbol, values in posterior.draws.items()
    }
    return replace(
        posterior,
        labels=(*posterior.labels, label),
        problems=(*posterior.problems, problem),
        draws=draws,
    )


def _empty_problem(posterior: Posterior) -> Problem:
    constants = [problem.constants for problem in posterior.problems]
    return Problem(
        spec=posterior.spec,
        inputs={name: np.empty(0) for name in posterior.law.inputs},
        log_loss=np.empty(0),
        trunks=np.empty(0, dtype=str),
        constants=Constants(
            reference=constants[0].reference,
            level=float(np.mean([c.level for c in constants])),
            log_compute_max=max(c.log_compute_max for c in constants),
        ),
    )


def _new_values(
    posterior: Posterior, problem: Problem, symbol: str, rng: np.random.Generator
) -> Floats:
    shape = (*next(iter(posterior.draws.values())).shape[:2], 1)
    if f"mu_{symbol}" in posterior.population:
        centre = posterior.population[f"mu_{symbol}"][:, :, None]
        spread = posterior.population[f"spread_{symbol}"][:, :, None]
        support = {c.symbol: c.support for c in posterior.law.coefficients}[symbol]
        return np.asarray(from_unconstrained(centre + spread * rng.standard_normal(shape), support))
    prior = {**posterior.spec.priors, **posterior.spec.scale_priors}[symbol]
    return np.asarray(prior.quantile(rng.uniform(size=shape), problem.constants.level))
