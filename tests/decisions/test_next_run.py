"""Sets of runs against exhaustive search, predicted widths against real refits, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescale.decisions.design import cheapest, frontier, most_telling, shrinkages
from bayescale.decisions.next_run import NextRun, next_run
from bayescale.decisions.pilots import PilotValues
from bayescale.decisions.plan import PlannedRun
from bayescale.decisions.proposals import propose
from bayescale.errors import DecisionError
from bayescale.forecasts.covariance import joint_moments
from bayescale.forecasts.forecast import Forecast, forecast
from bayescale.forecasts.points import make_points
from bayescale.inference.fit import fit
from bayescale.inference.posterior import Posterior
from decisions.conftest import simulated_runs

Plan = Callable[..., dict[str, Any]]


def covariance(n_runs: int, seed: int = 0) -> np.ndarray:
    factor = np.random.default_rng(seed).standard_normal((n_runs + 1, n_runs + 1))
    return factor @ factor.T


def left(joint: np.ndarray, noise: np.ndarray, chosen: tuple[int, ...]) -> float:
    seen = np.array(chosen) + 1
    own = joint[np.ix_(seen, seen)] + np.diag(noise[seen])
    told = joint[0, seen] @ np.linalg.solve(own, joint[seen, 0])
    return float(np.sqrt(1 - told / (joint[0, 0] + noise[0])))


def test_the_frontier_is_near_that_of_every_set() -> None:
    """The search keeps undominated sets only, so a set may cost a tenth more than the best."""
    joint, noise = covariance(7), np.full(8, 0.1)
    costs = np.random.default_rng(1).uniform(1, 10, 7)
    every = [set_ for size in range(8) for set_ in combinations(range(7), size)]
    found = frontier(joint, noise, costs)
    widths = {set_: left(joint, noise, set_) if set_ else 1.0 for set_ in every}
    assert found[-1].shrinkage == pytest.approx(min(widths.values()))
    for wanted in np.linspace(0.95, found[-1].shrinkage, 8):
        best = min(costs[list(s)].sum() for s, width in widths.items() if width <= wanted + 1e-9)
        chosen = cheapest(found, wanted + 1e-9)
        assert best - 1e-9 <= chosen.cost <= 1.1 * best
        assert chosen.shrinkage == pytest.approx(left(joint, noise, chosen.runs))


def test_the_frontier_falls_as_it_costs_more() -> None:
    found = frontier(covariance(12), np.full(13, 0.5), np.linspace(1, 2, 12))
    assert found[0].runs == ()
    assert [each.cost for each in found] == sorted(each.cost for each in found)
    widths = [each.shrinkage for each in found]
    assert widths == sorted(widths, reverse=True)


def test_one_run_alone_is_told_in_closed_form() -> None:
    joint, noise = covariance(4), np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    alone = [left(joint, noise, (k,)) for k in range(4)]
    assert shrinkages(joint, noise) == pytest.approx(alone)


def test_what_adds_next_to_nothing_is_left_out() -> None:
    joint = np.array([[1.0, 0.8, 0.01], [0.8, 1.0, 0.0], [0.01, 0.0, 1.0]])
    found = frontier(joint, np.full(3, 0.01), np.ones(2))
    assert len(found) == 3
    assert most_telling(found).runs == (0,)


@pytest.mark.parametrize("model", ["coupled_gp_weak", "coupled_gp", "chinchilla_plain_weak"])
def test_moments_are_those_of_joint_draws(model: str) -> None:
    posterior = fit(simulated_runs(), model)
    sizes = {"n_params": [7e9, 2e9, 4e8], "n_tokens": [140e9, 40e9, 80e9]}
    points = make_points(posterior, sizes)
    made = joint_moments(posterior, points)
    drawn = np.log(Forecast.draws(forecast(posterior, points, warn=False), 60_000))
    exact = made.covariance + np.diag(made.noise)
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert np.abs((np.cov(drawn.T) - exact) / scale).max() < 0.03
    assert drawn.mean(axis=0) == pytest.approx(made.mean, abs=5e-4)


def test_proposals_lie_between_the_runs_and_the_candidate() -> None:
    run = PlannedRun(name="big", n_params=7e9, n_tokens=140e9, group={"dataset": "c4"})
    found = propose(run, 1e19)
    flops = np.array([6 * pilot.n_params * pilot.n_tokens for pilot in found])
    assert len(found) > 20
    assert flops.max() < 1.1 * 6 * 7e9 * 140e9 / 3
    assert flops.min() > 0.8e19
    assert {pilot.name for pilot in found if pilot.group != {"dataset": "c4"}} == set()
    assert propose(run, 1e30) == ()


@pytest.fixture(scope="module")
def proposed(posterior: Posterior) -> NextRun:
    return next_run(posterior, question(), shrink=0.6, k=2)


def question(**sections: Any) -> dict[str, Any]:
    price = {"usd_per_gpu_hour": 2.5, "peak_flops": 989e12, "mfu": 0.4}
    plan = {
        "title": "Which runs?",
        "candidates": [{"name": "big", "n_params": 7e9, "n_tokens": 140e9}],
        "target": {"loss": 2.13},
        "price": price,
        "value": {"usd": 21000},
    }
    return {**plan, **sections}


def test_a_set_is_proposed_for_a_width(proposed: NextRun) -> None:
    assert len(proposed.chosen) == min(2, len(proposed.whole))
    assert proposed.chosen == proposed.whole[:2]
    assert proposed.shrinkage <= 0.6
    assert not proposed.falls_short
    assert 0 < proposed.cost_usd < 11000
    assert repr(proposed).startswith("Next run for 'big': ")
    frame = proposed.to_frame()
    assert set(frame.loc[frame["now"], "name"]) == set(proposed.chosen)
    assert frame["in_set"].sum() == len(proposed.whole)


def test_a_budget_is_kept_and_bought_well(posterior: Posterior) -> None:
    poor, rich = (next_run(posterior, question(), budget_usd=usd) for usd in (500, 4000))
    assert poor.cost_usd <= 500
    assert 500 < rich.cost_usd <= 4000
    assert rich.shrinkage < poor.shrinkage < 1


def test_a_width_out_of_reach_is_said(posterior: Posterior) -> None:
    made = next_run(posterior, question(), shrink=0.05)
    assert made.falls_short
    assert made.shrinkage > 0.05


def test_the_decision_asks_for_what_pays(posterior: Posterior) -> None:
    pilots = [{"name": f"p{k}", "n_params": 2e9 + k * 1e9, "n_tokens": 40e9} for k in range(3)]
    made = next_run(posterior, question(pilots=pilots), goal="decision")
    assert made.chosen
    assert made.net_gain_usd is not None
    assert made.net_gain_usd > 0
    poor = next_run(posterior, question(pilots=pilots, value={"usd": 100}), goal="decision")
    assert poor.chosen == ()
    assert repr(poor) == "Next run for 'big': none, by goal decision"


@pytest.mark.parametrize(
    ("alone", "together", "wanted"),
    [
        # Of two that gain, the clear one; of sets that lose less than their members, none.
        ({"a": (100.0, 60.0), "b": (90.0, 10.0)}, (50.0, 5.0), {"b"}),
        ({"a": (-900.0, 10.0), "b": (-950.0, 10.0)}, (-200.0, 10.0), set()),
        ({"a": (100.0, 10.0), "b": (90.0, 10.0)}, (300.0, 10.0), {"a", "b"}),
    ],
)
def test_the_decision_asks_for_what_gains_clearly(
    posterior: Posterior, monkeypatch, alone, together, wanted
) -> None:
    def valued(self, runs):
        cost = sum(self.payoffs.scenario.run_cost_usd(run) for run in runs)
        gain, error = alone[runs[0].name] if len(runs) == 1 else together
        return gain + cost, error

    monkeypatch.setattr(PilotValues, "_value", valued)
    sizes = {"a": 2e9, "b": 1e9}
    pilots = [{"name": name, "n_params": n, "n_tokens": 2e10} for name, n in sizes.items()]
    made = next_run(posterior, question(pilots=pilots), goal="decision")
    assert set(made.whole) == wanted
    best = {frozenset("ab"): together[0], frozenset("b"): alone["b"][0]}.get(frozenset(wanted))
    assert made.net_gain_usd == (None if best is None else pytest.approx(best))
    one_of_two = max(run.cost_usd for run in made.proposals)
    poorer = next_run(posterior, question(pilots=pilots), goal="decision", budget_usd=one_of_two)
    assert len(poorer.whole) == min(len(wanted), 1)


def test_free_compute_is_counted_in_flops(posterior: Posterior) -> None:
    price = {**question()["price"], "usd_per_gpu_hour": 0}
    made = next_run(posterior, question(price=price), shrink=0.6)
    assert made.cost_usd == 0
    assert made.flops > 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"goal": "speed"}, "goal is 'speed', expected one of width, decision"),
        ({"shrink": 1.5}, r"shrink is 1\.5, expected between 0 and 1"),
        ({"budget_usd": -3.0}, r"budget_usd is -3\.0, expected positive USD"),
        ({"k": 0}, "k is 0, expected a whole number from 1"),
        ({"candidate": "small"}, "has no candidate 'small'.*Name one of big"),
        ({"budget_usd": 1e-6}, r"no pilot of \d+ for 0\.00 USD to make before 'big'"),
    ],
)
def test_wrong_questions_are_refused(
    posterior: Posterior, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(DecisionError, match=message):
        next_run(posterior, question(), **wrong)


def refitted(posterior: Posterior, runs: pd.DataFrame, pilot: dict[str, float], seed: int) -> Any:
    table = pd.concat([runs, pd.DataFrame([pilot])], ignore_index=True)
    constants = [problem.constants for problem in posterior.problems]
    refit = fit(table, posterior.spec, constants=constants, seed=seed)
    return forecast(refit, n_params=7e9, n_tokens=140e9).mixture


def variance(mixture: Any) -> float:
    return float(mixture.variance.mean() + mixture.mean.var())


@pytest.mark.slow
@pytest.mark.parametrize(("n_params", "n_tokens"), [(3e9, 60e9), (6e8, 24e9)])
def test_the_width_predicted_is_that_of_refits(
    posterior: Posterior, n_params: float, n_tokens: float
) -> None:
    """Refits with 40 possible outcomes of a pilot, at one c* and reference: one lies beyond c*.

    The average variance left must be the predicted one within 5 % and three standard errors of
    the refits.
    """
    runs = simulated_runs()
    at = {"n_params": [7e9, n_params], "n_tokens": [140e9, n_tokens]}
    moments = joint_moments(posterior, make_points(posterior, at))
    predicted = shrinkages(moments.covariance, moments.noise)[0] ** 2
    pilot = forecast(posterior, n_params=n_params, n_tokens=n_tokens, warn=False)
    losses = pilot.quantile([(k + 0.5) / 40 for k in range(40)])[:, 0]
    sized = {"n_params": n_params, "n_tokens": n_tokens}
    made = [refitted(posterior, runs, {**sized, "loss": x}, k) for k, x in enumerate(losses)]
    before = variance(forecast(posterior, n_params=7e9, n_tokens=140e9).mixture)
    found = np.array([variance(mixture) for mixture in made]) / before
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - predicted) < 0.05 + 3 * error
