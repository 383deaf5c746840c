"""NUTS through nutpie: the reference engine, and the one for partial pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import nutpie
import pymc as pm

from bayescale.errors import InferenceError
from bayescale.inference.posterior import Diagnostics, convergence
from bayescale.inference.tempered import TemperedEffort, tempered_draws
from bayescale.inference.threads import one_thread
from bayescale.models.build import (
    build_model,
    needs_rotation,
    problem_data,
    reach_beyond,
    samples_centred,
)
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.population import population_names, population_of
from bayescale.models.problem import Problem


@dataclass(frozen=True)
class Compiled:
    """A model and its machine code, whose data can be swapped.

    Parameters
    ----------
    model : pm.Model
        From `build_model`.
    code : nutpie CompiledModel
        Log density and gradient in machine code.
    """

    model: pm.Model
    code: Any

    def starting_at(self, starts: Floats) -> Compiled:
        """Return the same with chains that start at any of some points (S, group, P)."""

        def start(seed: Any) -> Floats:
            point = starts[np.random.default_rng(seed).integers(len(starts))]
            return np.ascontiguousarray(point.T).ravel()

        return Compiled(self.model, replace(self.code, initial_point_func=start))


LONGER = 4
"""How many times the draws, of which one in as many is kept, once the first did not mix."""

ARRIVING = TemperedEffort(sweeps=16)
"""Ensembles whose last members chains start from."""

SMALL_STEPS = 0.99
"""The acceptance rate that their step is chosen for."""

_COMPILED: dict[tuple[Any, ...], Compiled] = {}


Sampled = tuple[dict[str, Floats], dict[str, Floats], Diagnostics]


def sample_until_mixed(
    problems: Sequence[Problem], *, draws: int, seed: int, rhat_max: float
) -> Sampled:
    """Draw as `sample_nuts` does, and with longer chains of smaller steps where they miss a gate.

    The second time, and at once where the law says that it needs chains, they start where tempered
    ensembles arrive: from prior draws a chain may climb a mode that holds next to no probability,
    and stay.

    Parameters
    ----------
    problems, draws, seed
        As for `sample_nuts`; as many draws come back.
    rhat_max : float
        The gate of R-hat; that of divergences is none.
    """
    starts = arrivals(problems, seed) if problems[0].law.needs_chains else None
    found = sample_nuts(problems, draws=draws, seed=seed, starts=starts)
    if found[2].rhat <= rhat_max and not found[2].divergences:
        return found
    return sample_nuts(
        problems,
        draws=draws,
        seed=seed,
        tune=1600,
        thin=LONGER,
        target_accept=SMALL_STEPS,
        starts=arrivals(problems, seed) if starts is None else starts,
    )


def arrivals(problems: Sequence[Problem], seed: int) -> Floats | None:
    """Return points (S, group, P) where tempered ensembles arrive; None where a prior is derived.

    A prior on a derived quantity has coordinates of its own under NUTS.
    """
    if problems[0].spec.derived_priors:
        return None
    rng = np.random.default_rng([seed, 3])
    with one_thread():
        last = [tempered_draws(Density(problem), ARRIVING, rng)[:, -1] for problem in problems]
    return np.stack(last, axis=1)


def sample_nuts(
    problems: Sequence[Problem],
    *,
    draws: int,
    seed: int,
    chains: int = 4,
    tune: int = 800,
    thin: int = 1,
    target_accept: float | None = None,
    starts: Floats | None = None,
) -> Sampled:
    """Draw from the joint posterior of several groups under one model.

    Parameters
    ----------
    problems : sequence of Problem
        One a group.
    draws, tune : int
        Draws kept and thrown away, per chain.
    seed : int
        Seed of starts and chains.
    chains : int
        Independent chains.
    thin : int
        Draw this many times as many, and keep one in so many.
    target_accept : float, optional
        Acceptance rate that the step is chosen for; by default what the model calls for.
    starts : array, shape (S, group, P), optional
        Where chains start, one of them each; by default at draws of the prior.

    Returns
    -------
    draws : dict of str to array, shape (chain, draw, group)
        The law's coefficients, ``sigma`` and, where there is a discrepancy, ``tau``.
    population : dict of str to array, shape (chain, draw) or (chain, draw, .)
        What groups share, as `Posterior.population` has it; empty without pooling.
    diagnostics : Diagnostics
        R-hat and bulk ESS over both, divergences.

    Raises
    ------
    InferenceError
        When the sampler cannot start or breaks off.

    References
    ----------
    Hoffman and Gelman (2014), The No-U-Turn Sampler, JMLR 15; Seyboldt, nutpie.
    """
    for problem in problems:
        _check_finite(problem)
    spec, law = problems[0].spec, problems[0].law
    compiled = compile_model(problems)
    if starts is not None:
        compiled = compiled.starting_at(starts)
    trace = _sample(
        compiled,
        _data_of(compiled, problems),
        draws=thin * draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=target_accept or _target_accept(problems[0]),
    )
    kept: Mapping[str, Any] = trace["posterior"].isel(draw=slice(None, None, thin))
    group_values = {s: np.asarray(kept[s].values) for s in (*law.symbols, *spec.scale_priors)}
    names = population_names(population_of(problems), problems[0].constants.anchors)
    population = {name: np.asarray(kept[name].values) for name in names}
    rhat, ess = convergence({**group_values, **population})
    return (
        group_values,
        population,
        Diagnostics(
            engine="nuts",
            khat=(),
            ess=ess,
            rhat=rhat,
            divergences=int(trace["sample_stats"]["diverging"].values.sum()),
            cpu_seconds=0.0,
        ),
    )


def compile_model(problems: Sequence[Problem]) -> Compiled:
    """Return the machine code of a model, compiled once a process.

    Parameters
    ----------
    problems : sequence of Problem
        Only the law, the model, the number of groups, whether any needs a rotation and whether any
        reaches beyond c* matter.
    """
    first = problems[0]
    needs = (needs_rotation(problems), reach_beyond(problems), samples_centred(problems))
    levels = [(f.column, f.levels) for f in population_of(problems).factors]
    key = (first.law, first.spec.hash, len(problems), len(first.constants.anchors), *levels, *needs)
    if key not in _COMPILED:
        model = build_model(problems)
        _COMPILED[key] = Compiled(model, nutpie.compile_pymc_model(model, backend="numba"))
    return _COMPILED[key]


def _check_finite(problem: Problem) -> None:
    # nutpie leaves threads behind when it cannot start, and they bring the process down at exit.
    density = Density(problem)
    value = float(density(density.prior_quantiles(np.full((1, len(density.symbols)), 0.5)))[0])
    if not np.isfinite(value):
        raise InferenceError(
            f"model {problem.spec.name!r}: the log density of {len(problem)} runs is {value} at the"
            " prior's median, so no sampler can start.",
            "Check the table with `bayescale check`, and the model's priors.",
        )


def _target_accept(problem: Problem) -> float:
    # Small steps where a funnel waits: tau against sigma, or a spread against its offsets.
    funnel = problem.spec.discrepancy is not None or problem.spec.pools
    return 0.95 if funnel else 0.9


def _data_of(compiled: Compiled, problems: Sequence[Problem]) -> dict[str, np.ndarray[Any, Any]]:
    """Return what the code reads of the problems' data, after telling the model about all of it.

    Starting points come from the model and the density from the code: both must see the new data.
    Some data fall out of the code when it is simplified.
    """
    data = problem_data(problems)
    pm.set_data(data, model=compiled.model)
    # The keys of nutpie's own table are names in one version and random in the next.
    functions = (compiled.code.logp_func, compiled.code.expand_func)
    read = {variable.name for function in functions for variable in function.get_shared()}
    assert "data_log_loss" in read
    return {name: values for name, values in data.items() if name in read}


def _sample(compiled: Compiled, data: Mapping[str, Any], **settings: Any) -> Any:
    way_out = "Check the table with `bayescale check`, or use a model with fewer coefficients."
    try:
        code = compiled.code.with_data(**data)
        return nutpie.sample(code, progress_bar=False, save_warmup=False, **settings)
    except (RuntimeError, ValueError) as error:
        raise InferenceError(f"nutpie could not sample: {_first_words(error)}.", way_out) from error
    except BaseException as error:
        # A Rust panic derives from BaseException and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise InferenceError(f"nutpie broke off: {_first_words(error)}.", way_out) from error


def _first_words(error: BaseException) -> str:
    """Return a Rust error on one line, without the backtrace it carries."""
    return " ".join(str(error).partition("Stack backtrace")[0].split()).rstrip(".:")
