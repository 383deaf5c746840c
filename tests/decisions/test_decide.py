"""Decisions on simulated runs whose right answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bayescale.decisions.allocate import allocate
from bayescale.decisions.decide import Decision, decide
from bayescale.errors import DecisionError
from bayescale.forecasts.forecast import forecast
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior
from decisions.conftest import simulated_runs, true_loss

Plan = Callable[..., dict[str, Any]]

BIG = {"name": "big", "n_params": 7e9, "n_tokens": 140e9}
HALF = {"name": "half", "n_params": 4e9, "n_tokens": 80e9}
MID = {"name": "mid", "n_params": 2e9, "n_tokens": 40e9}


def median(posterior: Posterior) -> float:
    return float(forecast(posterior, n_params=7e9, n_tokens=140e9).median[0])


def by_name(decision: Decision) -> dict[str, Any]:
    return {o.name: o for o in (*decision.candidates, *decision.pilots)}


def test_a_certain_target_of_great_worth_is_funded(posterior: Posterior, plan: Plan) -> None:
    made = decide(posterior, plan(target={"loss": 1.1 * true_loss(7e9, 140e9)}))
    assert made.verdict == "FUND"
    assert made.outcome.prob_target > 0.99
    assert made.evpi_usd < 0.01 * made.scenario.value.usd
    assert "No pilot of the plan pays for itself: the best, mid, costs 927 USD" in made.reasons[-1]


def test_an_impossible_target_is_not_funded(posterior: Posterior, plan: Plan) -> None:
    made = decide(posterior, plan(target={"loss": 1.2}))
    assert made.verdict == "DO NOT FUND"
    assert made.outcome.expected_net_value_usd == pytest.approx(-made.outcome.cost_usd, rel=1e-3)
    assert any("lies below the irreducible loss E" in caveat for caveat in made.caveats)


def test_a_certain_target_that_costs_too_much_is_not_funded(
    posterior: Posterior, plan: Plan
) -> None:
    made = decide(posterior, plan(target={"loss": 2.5}, value={"usd": 100}))
    assert made.verdict == "DO NOT FUND"
    assert made.outcome.break_even_value_usd == pytest.approx(made.outcome.cost_usd, rel=1e-3)


def test_a_coin_flip_with_a_cheap_telling_pilot_asks_for_it(
    posterior: Posterior, plan: Plan
) -> None:
    made = decide(posterior, plan(target={"loss": median(posterior)}))
    pilot = made.pilots[0]
    assert made.verdict == "RUN PILOTS FIRST"
    assert made.outcome.prob_target == pytest.approx(0.5, abs=1e-3)
    assert pilot.net_gain_usd == pytest.approx(pilot.evsi_usd - pilot.cost_usd)
    assert made.reasons[-1].startswith("Pilot mid costs 927 USD and improves the decision by")


def test_a_coin_flip_without_pilots_says_what_one_could_be_worth(
    posterior: Posterior, plan: Plan
) -> None:
    made = decide(posterior, plan(target={"loss": median(posterior)}, pilots=[]))
    assert made.verdict == "FUND"
    assert made.reasons[-1].startswith("The plan names no pilot; knowing every candidate's loss")


def test_probabilities_and_intervals_are_the_forecasts(posterior: Posterior, plan: Plan) -> None:
    made = decide(posterior, plan()).outcome
    at = forecast(posterior, n_params=7e9, n_tokens=140e9)
    assert made.prob_target == pytest.approx(at.prob_below(2.15)[0])
    assert made.loss_interval_90 == pytest.approx(at.interval(0.9)[0])
    assert made.loss_interval_50 == pytest.approx(at.interval(0.5)[0])
    assert made.extrapolation_factor == pytest.approx(at.extrapolation_factor[0])
    assert made.prob_best == 1.0


def test_more_generous_targets_are_likelier_and_dearer_hours_pay_less(
    posterior: Posterior, plan: Plan
) -> None:
    targets = [2.0, 2.1, 2.15, 2.2, 2.4]
    probs = [decide(posterior, plan(target={"loss": t})).outcome.prob_target for t in targets]
    assert probs == sorted(probs)
    prices = [{**plan()["price"], "usd_per_gpu_hour": usd} for usd in (0, 1, 2.5, 10)]
    nets = [decide(posterior, plan(price=p)).outcome.expected_net_value_usd for p in prices]
    assert nets == sorted(nets, reverse=True)


def test_funding_at_break_even_brings_nothing(posterior: Posterior, plan: Plan) -> None:
    made = decide(posterior, plan()).outcome
    price = {**plan()["price"], "usd_per_gpu_hour": made.break_even_price_usd_per_gpu_hour}
    for changed in (plan(price=price), plan(value={"usd": made.break_even_value_usd})):
        again = decide(posterior, changed).outcome
        assert again.expected_net_value_usd == pytest.approx(0, abs=1e-6)


def test_seeds_reproduce_and_differ(posterior: Posterior, plan: Plan) -> None:
    asked = plan(target={"loss": median(posterior)})
    assert decide(posterior, asked, seed=3) == decide(posterior, asked, seed=3)
    assert decide(posterior, asked, seed=3).evpi_usd != decide(posterior, asked, seed=4).evpi_usd


def test_the_order_of_runs_changes_nothing(posterior: Posterior, plan: Plan) -> None:
    runs, pilots = [BIG, HALF], [MID, {**MID, "name": "mid2", "n_tokens": 50e9}]
    target = {"loss": median(posterior)}
    one = decide(posterior, plan(candidates=runs, pilots=pilots, target=target))
    other = decide(posterior, plan(candidates=runs[::-1], pilots=pilots[::-1], target=target))
    assert by_name(one) == by_name(other)
    assert (one.verdict, one.chosen, one.evpi_usd) == (other.verdict, other.chosen, other.evpi_usd)


def test_probabilities_of_being_best_add_up(posterior: Posterior, plan: Plan) -> None:
    twin = {**BIG, "name": "twin", "n_params": 6.5e9, "n_tokens": 150e9}
    made = decide(posterior, plan(candidates=[BIG, HALF, twin]))
    assert sum(o.prob_best for o in made.candidates) == pytest.approx(1.0)
    assert by_name(made)["half"].prob_best < 0.01
    assert "Next comes" in made.reasons[3]


def test_of_losing_candidates_the_one_nearest_to_paying_is_chosen(
    posterior: Posterior, plan: Plan
) -> None:
    made = decide(posterior, plan(candidates=[BIG, MID], pilots=[], value={"usd": 3000}))
    assert by_name(made)["mid"].expected_net_value_usd > made.outcome.expected_net_value_usd
    assert (made.verdict, made.chosen) == ("DO NOT FUND", "big")


def test_a_pilot_like_the_candidate_tells_nearly_everything(
    posterior: Posterior, plan: Plan
) -> None:
    pilots = [{**BIG, "name": "same"}, MID, {"name": "tiny", "n_params": 3e7, "n_tokens": 3e8}]
    made = decide(posterior, plan(target={"loss": median(posterior)}, pilots=pilots))
    same, mid, tiny = (by_name(made)[name] for name in ("same", "mid", "tiny"))
    assert 0.8 * made.evpi_usd < same.evsi_usd <= made.evpi_usd
    assert tiny.evsi_usd < mid.evsi_usd < same.evsi_usd
    assert abs(tiny.evsi_usd) < 4 * tiny.evsi_se_usd + 0.002 * made.scenario.value.usd


def test_an_out_of_reach_target_breaks_even_at_no_value(plain: Posterior, plan: Plan) -> None:
    made = decide(plain, plan(target={"loss": 0.01}))
    assert made.outcome.break_even_value_usd == math.inf
    assert "No worth of the target would justify the run" in made.reasons[2]


def test_runs_can_be_fitted_on_the_way(plan: Plan) -> None:
    assert decide(simulated_runs(), plan(pilots=[])).posterior_line.startswith("Posterior of")


def test_too_few_draws_are_refused(posterior: Posterior, plan: Plan) -> None:
    with pytest.raises(DecisionError, match="n_draws is 50, expected at least 400"):
        decide(posterior, plan(), n_draws=50)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:importance sampling failed its gates")
@pytest.mark.parametrize("model", ["plain", "posterior"])
@pytest.mark.parametrize(("n_params", "n_tokens"), [(2e9, 40e9), (6e8, 24e9)])
def test_evsi_is_that_of_refits_with_each_possible_pilot(
    model: str, request: pytest.FixtureRequest, plan: Plan, n_params: float, n_tokens: float
) -> None:
    """Forty refits at the same constants; the larger pilot lies beyond the fitted compute.

    A refit that misses the gates of importance sampling is drawn by NUTS, as it is for a user.
    """
    fitted: Posterior = request.getfixturevalue(model)
    pilot = {"name": "pilot", "n_params": n_params, "n_tokens": n_tokens}
    value, target = 25000.0, median(fitted)
    asked = plan(target={"loss": target}, value={"usd": value}, pilots=[pilot])
    made = decide(fitted, asked, n_draws=8000)
    at = forecast(fitted, n_params=n_params, n_tokens=n_tokens)
    outcomes = at.quantile([(k + 0.5) / 40 for k in range(40)])[:, 0]
    constants = [problem.constants for problem in fitted.problems]
    reached = []
    for seed, loss in enumerate(outcomes):
        table = simulated_runs()
        table.loc[len(table)] = [n_params, n_tokens, loss]
        refit = fit(table, fitted.spec, constants=constants, seed=seed)
        reached.append(forecast(refit, n_params=7e9, n_tokens=140e9).prob_below(target)[0])
    net = value * np.array(reached) - made.outcome.cost_usd
    nested = np.maximum(net, 0).mean() - max(net.mean(), 0)
    assert abs(made.pilots[0].evsi_usd - nested) < 3 * made.pilots[0].evsi_se_usd + 0.005 * value


def test_a_law_of_something_else_than_loss_decides_nothing(plan: Plan) -> None:
    runs = simulated_runs()
    runs["learning_rate"] = 1e-3 * (runs["n_params"] / 1e8) ** -0.3
    rates = fit(runs, "learning_rate_of_size_and_data_plain_weak", draws=50)
    with pytest.raises(DecisionError, match="predicts learning_rate, but a plan is decided by"):
        decide(rates, plan())
    with pytest.raises(DecisionError, match="predicts learning_rate, and the best split"):
        allocate(rates, flops=1e21)
