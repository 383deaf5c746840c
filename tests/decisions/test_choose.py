"""Choose: every answer at once, the same as asked for one by one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bayescale.decisions.choose import choose, largest_run, multiplier, prob_best
from decisions.simulated_arms import fit_apart, grid_of_arms, runs_of, three_arms

POINT = {"n_params": 1e9, "n_tokens": 2e10}


def test_it_holds_what_each_question_answers_alone() -> None:
    made = choose(three_arms(), **POINT)
    ranking = prob_best(three_arms(), **POINT)
    assert made.ranking.losses.tolist() == ranking.losses.tolist()
    best, second, third = ranking.arms
    pairs = [(m.over, m.along) for m in made.multipliers]
    assert pairs == [(arm, along) for arm in (second, third) for along in ("compute", "n_tokens")]
    alone = multiplier(three_arms(), best, second, **POINT)
    assert made.multipliers[0].draws.tolist() == alone.draws.tolist()
    assert [(c.of, c.over) for c in made.crossings] == [(best, second), (best, third)]
    assert made.to_frame()["coefficient"].tolist() == ["E", "alpha", "beta"] * 2


def test_sentences_name_the_best_arm_and_its_worth() -> None:
    made = choose(three_arms(), **POINT)
    first, second, *_ = made.sentences
    (rival,) = made.ranking.arms[1]
    assert first.startswith("fast has the lowest expected loss")
    loss, other = made.ranking.median[:2]
    assert first.endswith(f"next by loss comes {rival} ({other:.4g} against {loss:.4g}).")
    factor = made.multipliers[0].median[0]
    assert second.startswith(f"To match fast, {rival} needs {factor:.3g} times the compute (")


def test_what_the_best_arm_is_worth_stands_in_one_row_an_arm() -> None:
    made = choose(three_arms(), **POINT)
    frame = made.worth_frame()
    assert frame["over"].tolist() == [arm for (arm,) in made.ranking.arms[1:]]
    by_compute, by_tokens = made.multipliers[:2]
    assert frame.loc[0, "compute"] == by_compute.median[0]
    np.testing.assert_array_equal(
        frame.loc[0, ["tokens_q05", "tokens_q95"]].to_numpy(float), by_tokens.interval()[0]
    )
    assert frame["prob_no_crossing"].tolist() == [c.prob_none for c in made.crossings]


def test_the_default_point_is_the_largest_fitted_run() -> None:
    posterior = three_arms()
    point = largest_run(posterior)
    flops = [6 * np.prod(list(p.inputs.values()), axis=0).max() for p in posterior.problems]
    assert 6 * point["n_params"] * point["n_tokens"] == pytest.approx(max(flops))
    assert choose(posterior).ranking.point == point


def test_levels_are_compared_factor_by_factor() -> None:
    frame = choose(grid_of_arms(), **POINT).to_frame()
    assert {*frame["factor"]} == {"dataset", "architecture"}


def test_levels_that_cannot_be_told_apart_are_named() -> None:
    runs = runs_of(("slow", "fast"))
    runs["dataset"] = np.where(runs["architecture"] == "slow", "web", "books")
    made = choose(fit_apart(runs, group=("dataset", "architecture")), **POINT)
    assert made.contrasts == ()
    assert sum("no two groups differ in" in caveat for caveat in made.caveats) == 2
    assert json.loads(json.dumps(made.to_dict()))["contrasts"] == []
