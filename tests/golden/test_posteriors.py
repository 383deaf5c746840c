"""Posteriors and forecasts of fixed tables are those of before, up to Monte Carlo error.

Draws may change with the generator or with a sampler's moves, what they are draws of may not. Two
sets of 500 effective draws have means that differ by .063 sd and sds that differ by 4.5 %: limits
of .3 sd and 25 % raise a false alarm in one of 10 000 changes that only draw anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from tests.golden.pins import add_missing, pins

MEAN, SD = 0.3, 0.25
FARTHER = (10.0, 100.0)
"""Times the largest fitted compute, half of it by tokens."""


def by_arithmetic(turn: float = 0.0, level: float = 1.0) -> pd.DataFrame:
    """Return 32 runs inside the corpus's range that no random generator can move."""
    k = np.arange(32)
    n_params = 2e7 * 1.16**k
    n_tokens = n_params * (25.0 + 20.0 * np.sin(1.7 * k + turn))
    loss = 1.8 + 480.0 / n_params**0.35 + 2080.0 / n_tokens**0.37
    loss = level * loss * np.exp(0.004 * np.sin(5.0 * k + turn))
    return pd.DataFrame({"n_params": n_params, "n_tokens": n_tokens, "loss": loss})


def two_groups() -> bs.Posterior:
    """Return a pooled fit of two corpora, one of which has no large runs."""
    small = by_arithmetic(0.8, 1.05).iloc[:20]
    both = pd.concat([by_arithmetic().assign(dataset="a"), small.assign(dataset="b")])
    return bs.fit(both, "chinchilla_plain_partial", group="dataset")


CASES: dict[str, Callable[[], bs.Posterior]] = {
    "default, inside the corpus": lambda: bs.fit(by_arithmetic()),
    "default, far below it": lambda: bs.fit("cpu_stdlib_llama"),
    "usual law, weak prior": lambda: bs.fit(by_arithmetic(), "chinchilla_plain_weak"),
    "own prior": lambda: bs.fit(
        by_arithmetic(),
        priors={"E": {"distribution": "Normal", "mu": 1.7, "sigma": 0.05}},
    ),
    "two groups pooled": two_groups,
}


def found(case: str) -> dict[str, Any]:
    """Return the model, and mean and sd of coefficients and of forecasts."""
    posterior = CASES[case]()
    problem = posterior.problems[-1]
    largest = int(np.argmax(problem.inputs["n_params"] * problem.inputs["n_tokens"]))
    at = {name: problem.inputs[name][largest] * np.sqrt(FARTHER) for name in problem.law.inputs}
    label = dict(zip(posterior.group_columns, posterior.labels[-1], strict=True))
    forecast = bs.forecast(posterior, **at, **label).to_frame()
    values = {
        name: _rounded(np.mean(draws), np.std(draws))
        for name, draws in posterior.coefficients(len(posterior.labels) - 1).items()
    }
    for factor, mean, sd in zip(FARTHER, forecast["loss_mean"], forecast["loss_sd"], strict=True):
        values[f"loss at {factor:g} times"] = _rounded(mean, sd)
    return {"model": posterior.spec.hash, "values": values}


def _rounded(*values: float) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


@pytest.fixture(scope="module", params=sorted(CASES))
def case(request) -> tuple[dict[str, Any], dict[str, Any]]:
    stored = pins("posteriors")
    assert request.param in stored, "run python -m tests.golden.test_posteriors to store it"
    return found(request.param), stored[request.param]


def test_the_model_is_that_of_before(case):
    assert case[0]["model"] == case[1]["model"]
    assert case[0]["values"].keys() == case[1]["values"].keys()


def test_means_and_sds_are_those_of_before(case):
    now, before = ({k: np.array(v) for k, v in one["values"].items()} for one in case)
    moved = {k: abs(now[k][0] - before[k][0]) / before[k][1] for k in before}
    widened = {k: abs(now[k][1] / before[k][1] - 1.0) for k in before}
    assert {k: v for k, v in moved.items() if v > MEAN} == {}
    assert {k: v for k, v in widened.items() if v > SD} == {}


def test_stored_values_tell_cases_apart():
    tenfold = [json.dumps(one["values"]["loss at 10 times"]) for one in pins("posteriors").values()]
    assert len(set(tenfold)) == len(CASES)


if __name__ == "__main__":
    add_missing("posteriors", sorted(CASES), found)
