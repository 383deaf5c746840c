"""How a forecast moves when law, prior or floor do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import ForecastError
from bayescale.forecasts.sensitivity import (
    COLUMNS,
    MODELS,
    THIRDS,
    fitted_runs,
    given_floor,
    sensitivity,
)
from bayescale.models.catalog import DEFAULT_MODEL, WEAK_MODEL


@pytest.fixture(scope="module")
def far(posterior) -> bs.Forecast:
    return bs.forecast(posterior, n_params=[2e9, 7e10], n_tokens=[8e10, 1.4e12], warn=False)


@pytest.fixture(scope="module")
def made(posterior, far) -> pd.DataFrame:
    return sensitivity(posterior, far)


def test_one_row_a_point_and_variant(made) -> None:
    assert tuple(made.columns) == COLUMNS
    assert made["point"].tolist() == [0] * (len(made) // 2) + [1] * (len(made) // 2)
    # The fit as asked is one of the models.
    variants = {"as asked", *THIRDS, *MODELS.values()} - {MODELS["chinchilla_gp_weak"]}
    assert set(made["variant"]) == variants


def test_the_fit_as_asked_is_the_forecast(made, far) -> None:
    asked = made.query("variant == 'as asked'")
    assert asked["loss_q50"].to_numpy() == pytest.approx(far.median)
    assert asked[["loss_q05", "loss_q95"]].to_numpy() == pytest.approx(far.interval(0.9))
    assert (asked["shift"] == 0).all()
    assert (asked["width_ratio"] == 1).all()


def test_shift_and_width_are_relative_to_the_fit_as_asked(made) -> None:
    point = made[made["point"] == 1].set_index("variant")
    row, asked = point.loc["floor E: highest third"], point.loc["as asked"]
    assert row["shift"] == pytest.approx(np.log(row["loss_q50"] / asked["loss_q50"]))
    widths = [np.log(each["loss_q95"] / each["loss_q05"]) for each in (row, asked)]
    assert row["width_ratio"] == pytest.approx(widths[0] / widths[1])


def test_a_higher_floor_gives_a_higher_loss_far_out(made) -> None:
    point = made[made["point"] == 1].set_index("variant")["shift"]
    assert point["floor E: lowest third"] < 0 < point["floor E: highest third"]


def test_a_third_of_the_draws_lies_in_a_third_of_the_floor(posterior) -> None:
    low = given_floor(posterior, 0.0, 1 / 3).textbook()["E"]
    every = posterior.textbook()["E"]
    assert len(low) == round(len(every) / 3)
    assert low.max() <= np.quantile(every, 1 / 3) + 1e-9


def test_a_table_is_fitted_first(runs, made) -> None:
    at = pd.DataFrame({"n_params": [2e9], "n_tokens": [8e10]})
    again = sensitivity(runs, at)
    assert again["model"][0] in (DEFAULT_MODEL, WEAK_MODEL)


def test_runs_come_back_as_they_were_fitted(posterior, runs) -> None:
    table = fitted_runs(posterior)
    for name in ("n_params", "n_tokens", "loss"):
        assert table.numbers(name) == pytest.approx(runs[name].to_numpy())


def test_groups_are_refitted_apart(grouped) -> None:
    labels = [("books",), ("web",)]
    asked = bs.forecast(grouped, n_params=[7e9] * 2, n_tokens=[1e11] * 2, labels=labels)
    made = sensitivity(grouped, asked)
    asked_low, asked_high = made.query("variant == 'as asked'")["loss_q50"]
    assert asked_low > asked_high
    weak = made[made["model"] == "coupled_gp_weak"]["loss_q50"].to_numpy()
    assert weak == pytest.approx([asked_low, asked_high], rel=0.03)


def test_a_group_without_runs_is_refused(posterior, grouped) -> None:
    asked = bs.forecast(grouped, n_params=7e9, n_tokens=1e11, labels=[("web",)])
    with pytest.raises(ForecastError, match="group 'web' holds no run to fit again"):
        sensitivity(posterior, asked)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayescale.errors.ConvergenceWarning")
def test_siblings_keep_their_joint_draws(runs, tmp_path) -> None:
    both = [runs.assign(dataset="books")[::2], runs.assign(dataset="web")[1::2]]
    pooled = bs.fit(pd.concat(both), "coupled_gp_partial", group="dataset", draws=300)
    low, high = (given_floor(pooled, *ends, [("web",)]) for ends in THIRDS.values())
    assert low.textbook(1)["E"].max() <= high.textbook(1)["E"].min()
    assert {len(draws[0]) for draws in low.population.values()} == {100}
    at = pd.DataFrame({"n_params": [2e9], "n_tokens": [8e10], "dataset": ["web"]})
    made = sensitivity(pooled, at).set_index("variant")["loss_q50"]
    lowest, highest = made[list(THIRDS)]
    assert lowest < highest
    bs.write_report(tmp_path / "report.html", posterior=pooled)
