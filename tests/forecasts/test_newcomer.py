"""A group without runs: refused where nothing is pooled, drawn from the population where it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayescale import forecast, load_model
from bayescale.errors import ForecastError
from bayescale.forecasts.ladder import ladder
from bayescale.forecasts.newcomer import with_new_group
from bayescale.plots.extrapolation import plot_extrapolation

NEW = pd.DataFrame({"n_params": [1e9], "n_tokens": [4e10], "dataset": ["code"]})


@pytest.fixture
def pooled(grouped):
    """The grouped posterior as a partially pooled model would leave it."""
    spec = load_model("chinchilla_plain_weak_partial")
    rng, n_draws = np.random.default_rng(0), grouped.n_draws
    draws = {k: v for k, v in grouped.draws.items() if k != "tau"}
    population = {
        "mu_alpha": rng.normal(np.log(0.34), 0.01, (1, n_draws)),
        "spread_alpha": np.full((1, n_draws), 0.05),
    }
    return replace(grouped, spec=spec, draws=draws, population=population)


def test_a_new_group_is_refused_without_pooling(grouped):
    with pytest.raises(ForecastError, match=r"group 'code' has no runs.*fitted: books, web"):
        forecast(grouped, NEW)


def test_a_group_of_a_fit_without_groups_is_refused(posterior):
    with pytest.raises(ForecastError, match="'code' was named, but the fit has no groups"):
        forecast(posterior, n_params=1e9, n_tokens=4e10, labels=[("code",)])


def test_the_message_names_the_way_out(grouped):
    with pytest.raises(ForecastError, match="Fit a model whose name holds '_partial'"):
        forecast(grouped, NEW)


def test_pooled_coefficients_come_from_the_population(pooled):
    made = with_new_group(pooled, ("code",), seed=1)
    assert made.labels[-1] == ("code",)
    assert "group 'code' has no runs: it is drawn from the population" in made.notes[-1]
    alpha = np.log(made.draws["alpha"][0, :, -1])
    assert alpha.mean() == pytest.approx(np.log(0.34), abs=4 * 0.051 / np.sqrt(len(alpha)))
    assert alpha.std() == pytest.approx(np.hypot(0.05, 0.01), rel=0.25)


def test_coefficients_that_are_not_pooled_come_from_their_prior(pooled):
    made = with_new_group(pooled, ("code",), seed=1)
    level = made.problems[-1].constants.level
    prior = pooled.spec.priors["beta"]
    draws = made.draws["beta"][0, :, -1]
    assert np.mean(draws < prior.quantile(0.5, level)) == pytest.approx(0.5, abs=0.15)


def test_known_groups_keep_their_draws(pooled):
    made = with_new_group(pooled, ("code",), seed=1)
    for symbol, values in pooled.draws.items():
        assert np.array_equal(made.draws[symbol][:, :, :2], values)


def test_a_new_group_reaches_as_far_as_the_largest_known_one(pooled):
    made = with_new_group(pooled, ("code",))
    edges = [problem.constants.log_compute_max for problem in pooled.problems]
    assert made.problems[-1].constants.log_compute_max == max(edges)


def test_a_new_group_is_less_certain_than_a_known_one(pooled):
    both = pd.concat([NEW, NEW.assign(dataset="web")], ignore_index=True)
    sd = forecast(pooled, both, warn=False).mixture.variance.mean(axis=0)
    spread = forecast(pooled, both, warn=False).mixture.mean.std(axis=0)
    assert sd[0] + spread[0] ** 2 > sd[1] + spread[1] ** 2


def test_the_seed_fixes_a_new_group(pooled):
    one, two = (forecast(pooled, NEW, seed=2, warn=False).to_frame() for _ in range(2))
    assert one.equals(two)


def test_its_ladder_starts_where_the_groups_with_runs_do(pooled):
    made = forecast(pooled, NEW)
    group = made.posterior.group_index(("code",))
    steps = ladder(made, group, through=0)
    compute = steps.points.inputs["n_params"] * steps.points.inputs["n_tokens"]
    smallest = min(
        float((p.inputs["n_params"] * p.inputs["n_tokens"]).min()) for p in pooled.problems
    )
    assert compute[0] == pytest.approx(smallest)
    assert compute[-1] >= 1e9 * 4e10


def test_it_is_plotted_without_runs_of_its_own(pooled):
    made = forecast(pooled, NEW)
    ax = plot_extrapolation(made, group=made.posterior.group_index(("code",)))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "median" in labels
    assert not any(label.startswith("fitted runs") for label in labels)
