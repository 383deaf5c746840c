"""A model as a `pm.Model`: native PyMC priors around the one likelihood of `models.density`.

Everything measured stands in `pm.Data` and no other variable has its length, so that a model is
compiled once and other runs are swapped in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy import linalg

from bayescale.errors import ModelError
from bayescale.models.delivery import log_evidence, promised, undelivered
from bayescale.models.density import log_likelihood, variances
from bayescale.models.pooling import (
    GROUP,
    Variable,
    declare,
    declare_pooled,
    declare_product,
    level_dim,
)
from bayescale.models.population import Population, population_of
from bayescale.models.problem import Problem

CENTRED_FROM = 50
"""Runs a group from which groups are sampled about their population directly."""


def build_model(problems: Sequence[Problem]) -> pm.Model:
    """Return the joint model of several groups under one model spec.

    Parameters
    ----------
    problems : sequence of Problem
        One a group; complete pooling has one.

    Returns
    -------
    pm.Model
        With a ``group`` dimension, the law's coefficients, ``sigma`` and, where there is a
        discrepancy, ``tau``; under pooling also the population (see `models.pooling`) and, where
        siblings share part of the discrepancy, its ``weights``.

    Raises
    ------
    ModelError
        When there is no group, the groups' specs differ, or a prior cannot be pooled.
    """
    _check_problems(problems)
    data, population = problem_data(problems), population_of(problems)
    coords: dict[str, Any] = {GROUP: np.arange(len(problems))}
    coords |= {level_dim(factor.column): factor.levels for factor in population.factors}
    coords |= {"weight": np.arange(n)} if (n := len(problems[0].constants.anchors)) else {}
    with pm.Model(coords=coords) as model:
        swapped = {name: pm.Data(name, value) for name, value in data.items()}
        values = _values(problems[0], swapped, population, samples_centred(problems))
        if "weight" in coords:
            values["weights"] = pm.Normal("weights", dims="weight")
        pm.Potential("log_likelihood", _log_likelihood(problems[0], values, swapped))
    return model


def samples_centred(problems: Sequence[Problem]) -> tuple[str, ...]:
    """Return the pooled coefficients that are sampled about their population directly.

    Offsets sample well where groups are small, the values themselves where groups are large.
    """
    spec = problems[0].spec
    if min(len(problem) for problem in problems) >= CENTRED_FROM:
        return tuple(spec.spreads or {})
    return spec.centred


def needs_rotation(problems: Sequence[Problem]) -> bool:
    """Return whether the residuals of any group are correlated."""
    return any(problem.whitening.rotation is not None for problem in problems)


def reach_beyond(problems: Sequence[Problem]) -> bool:
    """Return whether any group has runs beyond c*, which share an unknown."""
    return any(problem.reaches_beyond for problem in problems)


def problem_data(problems: Sequence[Problem]) -> dict[str, np.ndarray[Any, Any]]:
    """Return everything measured, under the names of the model's `pm.Data`.

    Parameters
    ----------
    problems : sequence of Problem
        One a group.

    Returns
    -------
    dict of str to array
        ``data_ratio_<input>``, ``data_log_loss``, ``data_group_of_run`` and ``data_eigenvalues``,
        all of shape (n,) with the groups one after another; ``data_level``, shape (group,);
        ``data_prior_mu_<symbol>``, shape (group,), where covariates move a prior;
        ``data_log_scale``, a scalar; ``data_rotation``, shape (n, n), where any group has one;
        ``data_edge_<input>``, shape (n,), where any group has runs beyond c*;
        ``data_level_<column>``, shape (group,), under crossed pooling; and ``data_features``, shape
        (n, weight), where siblings share part of the discrepancy.
        The prefix keeps them apart from coefficients, which may be called anything.
    """
    whitenings = [problem.whitening for problem in problems]
    sizes = [len(problem) for problem in problems]
    data: dict[str, np.ndarray[Any, Any]] = {
        f"data_ratio_{name}": np.concatenate([problem.ratios[name] for problem in problems])
        for name in problems[0].law.inputs
    }
    data["data_log_loss"] = np.concatenate([problem.log_loss for problem in problems])
    data["data_group_of_run"] = np.repeat(np.arange(len(problems)), sizes)
    data["data_eigenvalues"] = np.concatenate([whitening.eigenvalues for whitening in whitenings])
    data["data_level"] = np.array([problem.constants.level for problem in problems])
    data["data_log_scale"] = np.array(sum(whitening.log_scale for whitening in whitenings))
    priors = [problem.priors for problem in problems]
    for symbol in problems[0].spec.slopes or {}:
        data[f"data_prior_mu_{symbol}"] = np.array(
            [prior[symbol].arguments["mu"] for prior in priors]
        )
    if needs_rotation(problems):
        blocks = [
            np.eye(len(w.eigenvalues)) if w.rotation is None else w.rotation for w in whitenings
        ]
        data["data_rotation"] = linalg.block_diag(*blocks)
    if reach_beyond(problems):
        for name in problems[0].law.inputs:
            at_edge = [problem.ratios_at_edge[name] for problem in problems]
            data[f"data_edge_{name}"] = np.concatenate(at_edge)
    for factor in population_of(problems).factors:
        data[f"data_level_{factor.column}"] = factor.of_group
    if problems[0].constants.anchors:
        basis = [problem.features(problem.positions) for problem in problems]
        data["data_features"] = np.concatenate(basis)
    return data


def _check_problems(problems: Sequence[Problem]) -> None:
    if not problems:
        raise ModelError("build_model got 0 problems.", "Pass one for each group.")
    spec = problems[0].spec
    for problem in problems[1:]:
        if problem.spec.hash != spec.hash:
            raise ModelError(
                f"build_model got models {spec.name!r} ({spec.hash}) and {problem.spec.name!r}"
                f" ({problem.spec.hash}) for two groups.",
                "Give every group the same model.",
            )


def _values(
    problem: Problem, data: dict[str, Variable], population: Population, centred: Sequence[str]
) -> dict[str, Variable]:
    """Declare every prior; return the value of each coefficient and scale, by symbol."""
    spec, law = problem.spec, problem.law
    level, pooled = data["data_level"], population.symbols
    levels = {f.column: data[f"data_level_{f.column}"] for f in population.factors}
    replacing = {law.derived[q]: (q, prior) for q, prior in (spec.derived_priors or {}).items()}
    values: dict[str, Variable] = {}
    departures: dict[str, dict[str, Variable]] = {}
    # What follows others is declared after them.
    for coefficient in sorted(law.coefficients, key=lambda c: c.symbol in (spec.regressions or {})):
        symbol = coefficient.symbol
        moved = {"mu": data[f"data_prior_mu_{symbol}"]} if symbol in (spec.slopes or {}) else {}
        if symbol in pooled:
            k, direct = pooled.index(symbol), symbol in centred
            mean = moved["mu"][0] if moved else np.float64(population.mean[k])
            mean = level[0] if symbol == law.symbols[0] else mean
            values[symbol] = declare_pooled(
                population, k, coefficient.support, levels, mean, direct, departures
            )
        elif symbol in replacing:
            quantity, prior = replacing[symbol]
            share = declare_product(quantity, prior, values[law.symbols[0]], level)
            values[symbol] = pm.Deterministic(symbol, share, dims=GROUP)
        else:
            values[symbol] = declare(symbol, spec.priors[symbol], level, **moved)
    for name, prior in spec.scale_priors.items():
        if name in pooled:
            k, direct = pooled.index(name), name in centred
            mean = np.float64(population.mean[k])
            values[name] = declare_pooled(
                population, k, "positive", levels, mean, direct, departures
            )
        else:
            values[name] = declare(name, prior, level)
    return values


def _log_likelihood(
    problem: Problem, values: dict[str, Variable], data: dict[str, Variable]
) -> Variable:
    """Return the log likelihood of all groups' runs, by the functions of `models.density`."""
    law, group = problem.law, data["data_group_of_run"]
    of_run = {symbol: value[group] for symbol, value in values.items() if symbol != "weights"}
    inputs = {name: data[f"data_ratio_{name}"] for name in law.inputs}
    residuals = data["data_log_loss"] - law.link(law.evaluate(inputs, of_run))
    tau = of_run.get("tau", pt.zeros(()))
    if "weights" in values:
        residuals = residuals - tau * (data["data_features"] @ values["weights"])
    rotated = residuals @ data["data_rotation"] if "data_rotation" in data else residuals
    noise = problem.spec.noise
    variance = variances(data["data_eigenvalues"], of_run["sigma"], tau, noise.floor)
    value = log_likelihood(rotated, variance, data["data_log_scale"], noise.nu)
    if f"data_edge_{law.inputs[0]}" not in data:
        return value
    at_edge = {name: data[f"data_edge_{name}"] for name in law.inputs}
    promise = promised(law, inputs, at_edge, of_run)
    promise = promise @ data["data_rotation"] if "data_rotation" in data else promise
    belongs = pt.eq(group[:, None], pt.arange(data["data_level"].shape[0])).astype("float64")
    mean, spread = undelivered(
        rotated, variance, promise, problem.kappa, lambda terms: terms @ belongs
    )
    return value + log_evidence(mean, spread, problem.kappa).sum()
