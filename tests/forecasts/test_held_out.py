"""Hidden runs next to their forecast, and forecasts along a ray."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescale import forecast, read_runs
from bayescale.errors import ForecastError
from bayescale.forecasts.held_out import hold_out
from bayescale.forecasts.ladder import STEPS, ladder
from tests.forecasts.conftest import true_loss


@pytest.fixture
def hidden(posterior, targets):
    loss = true_loss(targets["n_params"], targets["n_tokens"])
    return hold_out(posterior, read_runs(targets.assign(loss=loss)))


def test_coverage_counts_what_is_inside(hidden):
    low, high = hidden.forecast.interval(0.8).T
    inside = (low <= hidden.actual) & (hidden.actual <= high)
    assert np.array_equal(hidden.inside(0.8), inside)
    assert hidden.coverage(0.8) == inside.mean()
    held = int(hidden.inside(0.9).sum())
    assert repr(hidden) == f"HeldOut: {held} of 5 hidden runs inside their 90 % interval"


def test_the_law_that_made_the_runs_is_inside(hidden):
    assert hidden.coverage(0.9) >= 0.8


def test_hidden_runs_pass_through_once_forecast(hidden, posterior):
    assert hold_out(posterior, hidden) is hidden


def test_unusable_hidden_runs_are_refused(posterior):
    short = read_runs(pd.DataFrame({"n_params": [1e9], "n_tokens": [1e8], "loss": [3.0]}))
    with pytest.raises(ForecastError, match="holds no usable run"):
        hold_out(posterior, short)


def test_a_ladder_keeps_tokens_per_parameter_and_passes_the_furthest_point(posterior, targets):
    made = ladder(forecast(posterior, targets, warn=False))
    n_params, n_tokens = made.points.inputs["n_params"], made.points.inputs["n_tokens"]
    assert len(made.points) == STEPS
    assert np.allclose(n_tokens / n_params, 1.4e12 / 7e10)
    compute = n_params * n_tokens
    assert compute.min() == pytest.approx(1e7 * 2e9)
    assert compute.max() > 7e10 * 1.4e12
    assert np.allclose(np.diff(np.log(compute)), np.diff(np.log(compute))[0])
