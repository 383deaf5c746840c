"""One question, fitted and decided once."""

from __future__ import annotations

import pytest
from simulated_question import simulated_plan, simulated_runs

import bayescale as bs
from bayescale.decisions.decision import Decision
from bayescale.forecasts.held_out import HeldOut, hold_out
from bayescale.inference.posterior import Posterior


@pytest.fixture(scope="session")
def held_out() -> HeldOut:
    fitted, hidden = simulated_runs().hide_largest(30)
    return hold_out(bs.fit(fitted), hidden)


@pytest.fixture(scope="session")
def posterior(held_out: HeldOut) -> Posterior:
    return held_out.forecast.posterior


@pytest.fixture(scope="session")
def decision(posterior: Posterior) -> Decision:
    return bs.decide(posterior, simulated_plan())
