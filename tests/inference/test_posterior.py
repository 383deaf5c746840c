"""What a posterior tells a reader."""

import numpy as np
import pytest


def test_prints_on_one_line(posterior):
    text = repr(posterior)
    assert "\n" not in text
    assert "coupled_gp_weak on 40 runs" in text
    assert "400 draws by amis" in text


def test_summary_has_sampled_and_textbook_coefficients(posterior):
    summary = posterior.summary(ci_prob=0.8).set_index("coefficient")
    assert {"loss_ref", "E_share", "E", "A", "B", "alpha", "gamma", "sigma", "tau"} <= set(
        summary.index
    )
    draws = posterior.textbook()["E"]
    assert summary.loc["E", "mean"] == pytest.approx(draws.mean())
    assert summary.loc["E", "q10"] == pytest.approx(np.quantile(draws, 0.1))


def test_floor_is_below_every_loss_it_predicts(posterior):
    coefficients = posterior.coefficients()
    assert (posterior.textbook()["E"] < coefficients["loss_ref"]).all()
    assert posterior.n_draws == 400
    assert posterior.n_runs == 40
