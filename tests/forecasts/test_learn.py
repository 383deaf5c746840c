"""The search behind a corpus prior: tasks thinned, designs scored, better designs preferred."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.forecasts.learn import MAX_TEST_PER_CELL, ScoredTask, robust_log_score, score
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.tasks import make_tasks
from bayescale.laws import load_law
from bayescale.models.learned import hypers, numbers, spec_of


@pytest.fixture(scope="module")
def tasks() -> list[ScoredTask]:
    """Tasks of one invented family: the coupled law at its corpus-like coefficients."""
    law, rng = load_law("coupled"), np.random.default_rng(8)
    n_params = np.exp(rng.uniform(np.log(3e7), np.log(5e9), 200))
    inputs = {"n_params": n_params, "n_tokens": n_params * np.exp(rng.uniform(1.5, 5.0, 200))}
    truth = {"E": 1.7, "A": 60.0, "B": 130.0, "alpha": 0.3, "beta": 0.3, "gamma": 0.7}
    loss = law.evaluate(inputs, law.from_textbook(truth, {"n_params": 1.0, "n_tokens": 1.0}))
    frame = pd.DataFrame({**inputs, "loss": loss * np.exp(0.004 * rng.standard_normal(200))})
    runs = bs.read_runs(frame, name="invented")
    return [ScoredTask.of("invented", task, rng) for task in make_tasks(runs, (10.0, 30.0))]


def test_tasks_are_thinned_per_cell(tasks: list[ScoredTask]) -> None:
    for task in tasks:
        assert len(task.log_loss) <= 150
        _, counts = np.unique(task.cells, return_counts=True)
        assert counts.max() <= MAX_TEST_PER_CELL


def test_a_design_near_the_truth_scores_better_than_one_far_off(tasks: list[ScoredTask]) -> None:
    start = numbers(np.array([h.start for h in hypers("coupled_gp")]), "coupled_gp")
    good = spec_of({**start, "alpha_mu": np.log(0.3), "beta_mu": np.log(0.3)}, "m", "", 0.5)
    bad = spec_of({**start, "alpha_mu": np.log(0.9), "alpha_sigma": 0.05}, "m", "", 0.5)
    near, far = score(good, tasks)["invented"], score(bad, tasks)["invented"]
    assert near[0] > far[0]
    assert near[1] < far[1]


def test_scores_are_reproducible_and_tell_seeds_apart(tasks: list[ScoredTask]) -> None:
    start = np.array([h.start for h in hypers("coupled_gp")])
    spec = spec_of(numbers(start, "coupled_gp"), "m", "", 0.5)
    first, again, other = (
        score(spec, [replace(task, mode=None) for task in tasks], seed)["invented"]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_robust_score_forgives_a_miss_but_not_wholly() -> None:
    narrow = Mixture(np.zeros((10, 3)), np.full((10, 3), 1e-4))
    found = robust_log_score(narrow, np.array([0.0, 0.05, 0.5]))
    assert found[0] > found[1] > found[2] > -20.0
