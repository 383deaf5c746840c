"""Which assumption turns a verdict: other laws, priors and floors, and the plan's own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayescale.decisions.decide import as_scenario, decide
from bayescale.decisions.decision import Decision
from bayescale.decisions.scenario import Scenario
from bayescale.forecasts.sensitivity import AS_ASKED, variants
from bayescale.inference.source import fitted

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "assumption",
    "verdict",
    "chosen",
    "prob_target",
    "expected_net_value_usd",
    "turns",
)
"""Columns of `flips`."""

PRICES = {"price.usd_per_gpu_hour": (0.5, 2.0), "price.mfu": (0.7, 1.0 / 0.7)}
VALUES = {"value.usd": (0.5, 2.0)}
"""Numbers of a plan and the factors by which each is moved."""


def flips(
    source: Any,
    scenario: Scenario | Mapping[str, Any] | str | Path,
    *,
    seed: int = 0,
    n_draws: int = 4000,
) -> pd.DataFrame:
    """Decide again under every other assumption, one at a time.

    Parameters
    ----------
    source : Posterior, or anything `fit` takes
        The fit, whose runs are fitted again under other laws and priors.
    scenario : Scenario, mapping or path
        The question.
    seed : int
        Seed of every fit and decision.
    n_draws : int
        Joint draws of each decision.

    Returns
    -------
    DataFrame
        One row an assumption, columns `COLUMNS`, the question as asked first; ``turns`` says
        whether the verdict or the choice is another one. Where a number of the plan would turn
        funding itself stands in `Decision.assumptions`.

    Raises
    ------
    DecisionError
        For a plan that cannot be used.
    """
    import pandas as pd

    plan = as_scenario(scenario)
    posterior = fitted(source, seed=seed)
    made = decide(posterior, plan, seed=seed, n_draws=n_draws)
    labels = dict.fromkeys(outcome.label for outcome in made.candidates)
    rows = [_row(AS_ASKED, made, made)]
    known = [label for label in labels if label in posterior.labels]
    for name, other in variants(posterior, known, seed) if len(known) == len(labels) else ():
        if name != AS_ASKED:
            rows.append(_row(name, decide(other, plan, seed=seed, n_draws=n_draws), made))
    for name, changed in moved(plan):
        rows.append(_row(name, decide(posterior, changed, seed=seed, n_draws=n_draws), made))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(name: str, found: Decision, asked: Decision) -> tuple[Any, ...]:
    best = found.outcome
    turns = (found.verdict, found.chosen) != (asked.verdict, asked.chosen)
    return (name, found.verdict, found.chosen, best.prob_target, best.expected_net_value_usd, turns)


def moved(plan: Scenario) -> list[tuple[str, Scenario]]:
    """Return the plan with one number moved at a time, those that stay within their limits."""
    found = []
    numbers = {**PRICES, **({} if plan.value.usd is None else VALUES)}
    for name, factors in numbers.items():
        part, field = name.split(".")
        stated = getattr(getattr(plan, part), field)
        for factor in factors:
            value = stated * factor
            if value == stated or (field == "mfu" and value > 1.0):
                continue
            moved = getattr(plan, part).model_copy(update={field: value})
            found.append((f"{name} = {value:.4g}", plan.model_copy(update={part: moved})))
    return found
