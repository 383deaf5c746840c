"""Plots of a decision: each number drawn is that of the result."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_question import simulated_plan

import bayescale as bs
from bayescale.decisions.split import Split, split_curve
from bayescale.decisions.what_if import what_if
from bayescale.errors import DecisionError
from bayescale.plots import plot_budget, plot_split


def decided(held_out, **changes: object) -> tuple[bs.Posterior, bs.Decision]:
    posterior = held_out.forecast.posterior
    return posterior, bs.decide(posterior, simulated_plan(pilots=[], **changes))


def test_budget_marks_every_candidate_on_its_price(held_out) -> None:
    posterior, decision = decided(held_out)
    question = what_if(posterior, decision)
    ax = plot_budget(decision, question)
    ax.figure.canvas.draw()
    (curve,) = [line for line in ax.lines if line.get_gid() == "curve"]
    assert curve.get_ydata() == pytest.approx(question.probability())
    place = int(np.flatnonzero(question.scales == 1.0)[0])
    best = decision.outcome
    assert curve.get_xydata()[place] == pytest.approx([best.cost_usd, best.prob_target], rel=1e-6)
    marks = [c.get_offsets()[0].tolist() for c in ax.collections if c.get_gid()]
    assert marks == [pytest.approx([c.cost_usd, c.prob_target]) for c in decision.candidates]
    assert ax.get_xlabel() == "budget (USD at the plan's price)"


def test_budget_of_free_compute_is_in_flops(held_out) -> None:
    price = {"usd_per_gpu_hour": 0, "peak_flops": 989e12, "mfu": 0.4}
    posterior, decision = decided(held_out, price=price)
    ax = plot_budget(decision, what_if(posterior, decision))
    ax.figure.canvas.draw()
    assert ax.get_xlabel() == "training compute (FLOP)"


def split(held_out) -> tuple[bs.Decision, Split]:
    posterior, decision = decided(held_out)
    assert decision.optimum is not None
    own = decision.outcome.inputs["n_params"]
    return decision, split_curve(posterior, decision.optimum, own, ())


def test_split_costs_the_candidate_what_the_decision_says(held_out) -> None:
    decision, found = split(held_out)
    best = decision.optimum
    assert best is not None
    own = np.interp(np.log(found.candidate), np.log(found.n_params), found.mean)
    assert own == pytest.approx(best.regret, rel=0.02, abs=1e-5)
    assert found.n_params[found.mean.argmin()] == pytest.approx(best.n_params, rel=0.25)
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high + 1e-12).all()
    ax = plot_split(found)
    ax.figure.canvas.draw()
    (line,) = [line for line in ax.lines if line.get_label() == "mean"]
    assert line.get_ydata() == pytest.approx(found.mean)
    assert decision.chosen in ax.get_legend_handles_labels()[1]


def test_a_law_of_compute_alone_splits_nothing(held_out) -> None:
    decision, _ = split(held_out)
    flops = np.geomspace(1e18, 1e20, 12)
    runs = {"flops": flops, "loss": 1.8 + 50 * flops**-0.1}
    posterior = bs.fit(bs.read_runs(pd.DataFrame(runs)), "power_law_compute_plain_weak")
    with pytest.raises(DecisionError, match="reads flops, expected n_params and n_tokens"):
        split_curve(posterior, decision.optimum, 1e9, ())
