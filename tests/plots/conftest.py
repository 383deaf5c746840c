"""One question, fitted once."""

from __future__ import annotations

import pytest
from simulated_question import simulated_runs

import bayescale as bs
from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.held_out import HeldOut, hold_out


@pytest.fixture(scope="session")
def held_out() -> HeldOut:
    fitted, hidden = simulated_runs().hide_largest(30)
    return hold_out(bs.fit(fitted), hidden)


@pytest.fixture(scope="session")
def candidates(held_out: HeldOut) -> Forecast:
    posterior = held_out.forecast.posterior
    return bs.forecast(posterior, n_params=[7e9, 3e9], n_tokens=[1.4e11, 6e11])
