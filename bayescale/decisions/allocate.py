"""Allocate: the compute-optimal parameters and tokens at a budget, and the cost of missing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayescale.arguments import LABEL, NUMBER, check_arguments
from bayescale.decisions import sentences
from bayescale.decisions.allocation import Allocation, load_allocation
from bayescale.decisions.caveats import sampling_caveats
from bayescale.decisions.optimum import (
    LossAtCompute,
    best_by_draw,
    best_on_average,
    tokens_left,
)
from bayescale.decisions.support import support_of
from bayescale.errors import DecisionError
from bayescale.forecasts.newcomer import with_new_group
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem
from bayescale.runs.schema import LARGEST, LOSS, N_PARAMS, N_TOKENS

__all__ = ["Allocation", "allocate", "load_allocation"]

MIN_PARAMS = 1e3
"""Smallest network that is worth serving."""


def allocate(
    source: Any,
    *,
    flops: float,
    n_params: float | None = None,
    lifetime_tokens: float = 0.0,
    label: Sequence[str] | str | None = None,
    seed: int = 0,
) -> Allocation:
    """Return the posterior of the compute-optimal network and data, under the law.

    Compute is C = 6 N D, and with inference demand T that of serving too: C = 6 N D + 2 N T.

    Parameters
    ----------
    source : Posterior, or anything `fit` takes
        A fit of a law that reads ``n_params`` and ``n_tokens``, or runs to fit with the
        recommended model first.
    flops : float
        The budget C, FLOPs.
    n_params : float, optional
        The network to judge. Default: the one that minimises the expected loss.
    lifetime_tokens : float
        Inference demand T: tokens that the network reads or writes in its life.
    label : sequence of str or str, optional
        Group; may be left out when there is one.
    seed : int
        Seed of the fit, and of a group without runs.

    Returns
    -------
    Allocation
        Draws of N*, of the loss there and of the regret, with caveats where the runs say little.

    Raises
    ------
    DecisionError
        For a budget or a network that is no positive number, a network whose serving alone takes
        the budget, a law that is not of loss in N and D alone, or a missing group.

    References
    ----------
    sardana2024beyond.
    """
    _check_numbers(flops, n_params, lifetime_tokens)
    posterior = fitted(source, seed=seed)
    _check_law(posterior)
    posterior, group = _group(posterior, label, seed)
    problem = posterior.problems[group]
    loss = LossAtCompute(
        problem.law,
        posterior.coefficients(group),
        problem.constants,
        float(flops),
        float(lifetime_tokens),
    )
    best, at_end = best_by_draw(loss)
    bayes = float(np.exp(best_on_average(loss)))
    chosen = bayes if n_params is None else float(n_params)
    loss_opt = loss(best[:, None])[:, 0]
    regret = np.maximum(loss(np.log([chosen]))[:, 0] - loss_opt, 0.0)
    return Allocation(
        flops=float(flops),
        lifetime_tokens=float(lifetime_tokens),
        label=posterior.labels[group],
        law=posterior.law.name,
        model=posterior.spec.name,
        n_params=chosen,
        n_params_bayes=bayes,
        n_params_opt=np.exp(best),
        loss_opt=loss_opt,
        regret=regret,
        caveats=_caveats(posterior, problem, loss, best, at_end),
        posterior_line=repr(posterior),
        provenance=dict(posterior.provenance),
    )


def _check_numbers(flops: float, n_params: float | None, lifetime_tokens: float) -> None:
    check_arguments("allocate", DecisionError, flops=(flops, NUMBER))
    for name, value, most in (
        ("flops", flops, LARGEST["positive"]),
        (N_PARAMS, n_params, LARGEST["count"]),
    ):
        if value is not None and not (_is_number(value) and 0.0 < value <= most):
            raise DecisionError(
                f"allocate: {name} is {value!r}, expected a positive number up to {most:g}."
            )
    most = LARGEST["count"]
    if not (_is_number(lifetime_tokens) and 0.0 <= lifetime_tokens <= most):
        raise DecisionError(
            f"allocate: lifetime_tokens is {lifetime_tokens!r}, expected zero or more tokens, up to"
            f" {most:g}."
        )
    if flops < 2.0 * MIN_PARAMS * lifetime_tokens:
        raise DecisionError(
            f"allocate: serving {lifetime_tokens:g} tokens takes even a network of {MIN_PARAMS:g}"
            f" parameters all of the budget of {flops:g} FLOPs.",
            "Give a larger budget, or fewer lifetime_tokens.",
        )
    serving = 2.0 * (n_params or 0.0) * lifetime_tokens
    if serving >= flops:
        raise DecisionError(
            f"allocate: serving {lifetime_tokens:g} tokens takes a network of {n_params:g}"
            f" parameters {serving:.3g} FLOPs, all of the budget of {flops:g}.",
            "Give a larger budget, or a smaller network.",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _check_law(posterior: Posterior) -> None:
    reads = posterior.law.inputs
    if set(reads) != {N_PARAMS, N_TOKENS}:
        raise DecisionError(
            f"allocate: law {posterior.law.name!r} reads {', '.join(reads)}, but a budget is split"
            f" by a law that reads {N_PARAMS} and {N_TOKENS}.",
            "Fit a model of the law 'chinchilla', 'coupled' or 'kaplan'.",
        )
    if posterior.law.output != LOSS:
        raise DecisionError(
            f"allocate: law {posterior.law.name!r} predicts {posterior.law.output}, and the best"
            " split of a budget is that of the lowest loss.",
            "Fit a model of the law 'chinchilla', 'coupled' or 'kaplan'.",
        )


def _group(
    posterior: Posterior, label: Sequence[str] | str | None, seed: int
) -> tuple[Posterior, int]:
    check_arguments("allocate", DecisionError, label=(label, LABEL.or_none))
    if label is None and len(posterior.labels) > 1:
        known = ", ".join("/".join(known) for known in posterior.labels)
        raise DecisionError(
            f"allocate: the fit has {len(posterior.labels)} groups, but no label was given.",
            f"Give one of {known}.",
        )
    if label is None:
        return posterior, 0
    wanted = (label,) if isinstance(label, str) else tuple(str(part) for part in label)
    if wanted not in posterior.labels and posterior.population:
        posterior = with_new_group(posterior, wanted, seed)
    return posterior, posterior.group_index(wanted)


def _caveats(
    posterior: Posterior, problem: Problem, loss: LossAtCompute, best: Floats, at_end: np.ndarray
) -> tuple[str, ...]:
    found = [sentences.UNDER_THE_LAW, *sampling_caveats(posterior), *posterior.notes]
    if at_end.mean() > 0.01:
        ends = np.exp(loss.grid[[0, -1]])
        found.append(sentences.optimum_at_edge(float(at_end.mean()), *ends))
    support = support_of(problem.inputs)
    if support is None:
        return tuple(found)
    if support.ray is not None:
        found.append(sentences.optimum_on_ray())
    n_opt = float(np.exp(np.median(best)))
    d_opt = float(tokens_left(loss.flops, n_opt, loss.lifetime_tokens))
    for what, median, (low, high) in (
        ("number of parameters", n_opt, support.n_params),
        ("number of tokens", d_opt, support.n_tokens),
        ("D/N", d_opt / n_opt, support.tokens_per_param),
    ):
        if not low <= median <= high:
            found.append(sentences.optimum_outside(what, median, low, high))
    return tuple(found)
