"""Sentences of a decision that a reader could take for a contradiction."""

from __future__ import annotations

from bayescale.decisions.outcomes import PilotOutcome
from bayescale.decisions.sentences import no_pilot_pays


def pilot(evsi_usd: float) -> PilotOutcome:
    return PilotOutcome(
        name="mid",
        inputs={"n_params": 7e9, "n_tokens": 1.4e11},
        label=(),
        flops=5.9e21,
        cost_usd=10_000.0,
        evsi_usd=evsi_usd,
        evsi_se_usd=7_000.0,
        net_gain_usd=evsi_usd - 10_000.0,
    )


def test_a_pilot_that_gains_within_its_error_is_not_said_to_lose() -> None:
    said = no_pilot_pays(pilot(13_000.0))
    assert "No pilot of the plan pays for itself beyond doubt" in said
    assert "improves the decision by 13,000 USD on average, give or take 7,000 USD" in said


def test_a_pilot_that_loses_is_said_to_lose() -> None:
    assert "No pilot of the plan pays for itself: the best, mid, costs" in no_pilot_pays(pilot(3e3))
