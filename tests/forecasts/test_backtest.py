"""The backtest itself: columns, groups, callables, resuming, parallel runs, refusals."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bayescale import fit, read_runs
from bayescale.errors import ForecastError, RunsTableError, UnknownNameError
from bayescale.forecasts.backtest import backtest, backtest_corpus, load_backtest
from bayescale.forecasts.methods import ModelMethod, Prediction, resolve_method
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.scored import COLUMNS, Backtest
from bayescale.forecasts.scores import MEASURES
from bayescale.forecasts.tasks import BINS
from bayescale.models.catalog import load_model
from bayescale.models.learned import without_families
from tests.forecasts.conftest import simulate, true_loss

CHEAP = "chinchilla_plain_weak"


def truth(train, inputs):
    """Know the law, and the noise."""
    mean = np.log(true_loss(inputs["n_params"], inputs["n_tokens"]))[None]
    return Mixture(mean, np.full_like(mean, 0.004**2))


class Counting:
    """Count the tasks that were really computed."""

    name = "counting"
    identity = "1"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, train, inputs):
        self.calls += 1
        return truth(train, inputs)


@pytest.fixture(scope="module")
def small():
    return simulate(seed=4, sizes=9, lengths=9)


@pytest.fixture(scope="module")
def made(small):
    return backtest(small, CHEAP, family="simulated")


def test_the_frame_has_the_stated_columns(made):
    assert tuple(made.frame.columns) == COLUMNS
    assert not made.frame.isna().any(axis=None)
    assert made.frame["family"].unique().tolist() == ["simulated"]
    assert (made.frame["cpu_seconds"] > 0).all()


def test_a_task_repeats_its_diagnostics_in_each_cell(made):
    per_task = made.frame.groupby("factor")[["khat", "ess", "cpu_seconds"]].nunique()
    assert (per_task == 1).all(axis=None)
    assert made.n_tasks == made.frame["factor"].nunique()
    assert made.cpu_seconds == pytest.approx(made.tasks["cpu_seconds"].sum())
    assert made.bad_share == 0.0


def test_the_true_law_is_covered_as_it_should_be(small):
    found = backtest(small, truth).frame
    weights = found["n_points"] / found["n_points"].sum()
    assert (found["coverage_90"] * weights).sum() == pytest.approx(0.9, abs=0.08)
    assert (found["abs_error"] * weights).sum() == pytest.approx(0.0032, rel=0.25)


def test_a_model_that_ignores_its_error_is_found_out(small):
    narrow = backtest(
        small,
        lambda t, at: Mixture(truth(t, at).mean, np.full((1, 1), 1e-8) + 0 * truth(t, at).mean),
    )
    assert narrow.frame["coverage_90"].mean() < 0.2


def test_groups_are_tasks_of_their_own(small):
    both = pd.concat([small.assign(dataset="web"), small.assign(dataset="books")])
    found = backtest(both, truth, group="dataset").frame
    assert sorted(found["group"].unique()) == ["books", "web"]
    for _, part in found.groupby("factor"):
        assert part["n_train"].nunique() == 1


def test_kinds_of_loss_are_evaluations_of_one_group(small):
    both = pd.concat(
        [small.assign(loss_kind="c4", corpus="web"), small.assign(loss_kind="pile", corpus="web")]
    )
    found = backtest(both, truth, group=("dataset", "loss_kind")).frame
    assert found["group"].unique().tolist() == ["web"]
    assert sorted(found["evaluation"].unique()) == ["c4", "pile"]


def test_mixed_groups_are_refused(small):
    both = pd.concat([small.assign(dataset="web"), small.assign(dataset="books")])
    with pytest.raises(RunsTableError, match="dataset"):
        backtest(both, truth)


def test_a_group_too_small_for_a_task_is_left_out(small):
    both = pd.concat([small.assign(dataset="web"), small.head(5).assign(dataset="books")])
    assert backtest(both, truth, group="dataset").frame["group"].unique().tolist() == ["web"]
    with pytest.raises(ForecastError, match="yields no task"):
        backtest(small.head(5), truth)


@pytest.mark.parametrize("model", ["coupled_gp", "coupled_gp_weak", CHEAP])
def test_a_model_predicts_what_fit_draws(small, model):
    train = read_runs(small)
    inputs = {"n_params": np.array([5e9]), "n_tokens": np.array([1e11])}
    direct = fit(train, model, engine="amis", seed=3)
    method = ModelMethod(load_model(model), seed=3)
    for symbol, values in direct.draws.items():
        assert np.array_equal(values, method.fit(train).draws[symbol])
    assert method(train, inputs).khat == direct.diagnostics.khat[0]


def test_draws_mixtures_and_predictions_are_all_taken(small):
    def draws(train, inputs):
        rng, mean = np.random.default_rng(0), truth(train, inputs).mean
        return mean + 0.004 * rng.normal(size=(4000, mean.shape[1]))

    def prediction(train, inputs):
        return Prediction(truth(train, inputs), khat=0.9, ess=50.0)

    one, two = backtest(small, truth), backtest(small, draws)
    assert np.allclose(one.frame["crps"], two.frame["crps"], rtol=0.05)
    flagged = backtest(small, prediction)
    assert flagged.bad_share == 1.0
    assert "khat or ESS bad in 100.0 %" in repr(flagged)


def test_a_prediction_of_the_wrong_shape_is_refused(small):
    with pytest.raises(ForecastError, match=r"shape \(7, 1\)"):
        backtest(small, lambda train, inputs: np.ones((7, 1)), factors=[30])


def test_a_killed_backtest_goes_on_where_it_stopped(small, tmp_path):
    class Killed(Counting):
        def __call__(self, train, inputs):
            if self.calls == 2:
                raise KeyboardInterrupt("killed")
            return super().__call__(train, inputs)

    killed, going_on = Killed(), Counting()
    with pytest.raises(KeyboardInterrupt, match="killed"):
        backtest(small, killed, cache=tmp_path)
    found = backtest(small, going_on, cache=tmp_path)
    assert going_on.calls == found.n_tasks - 2
    again = Counting()
    pd.testing.assert_frame_equal(backtest(small, again, cache=tmp_path).frame, found.frame)
    assert again.calls == 0


def test_the_cache_tells_tables_and_methods_apart(small, tmp_path):
    method = Counting()
    first = backtest(small, method, cache=tmp_path)
    backtest(small.assign(loss=small["loss"] * 1.001), method, cache=tmp_path)
    assert method.calls == 2 * first.n_tasks
    method.identity = "2"
    backtest(small, method, cache=tmp_path)
    assert method.calls == 3 * first.n_tasks


def test_the_cache_holds_scores_and_no_observed_row(small, tmp_path):
    backtest(small, truth, cache=tmp_path)
    for path in tmp_path.iterdir():
        for row in json.loads(path.read_text(encoding="utf-8")):
            assert set(row) == set(COLUMNS)


def test_processes_give_the_same_scores(small, made):
    parallel = backtest(small, CHEAP, family="simulated", n_jobs=2, backend="threading")
    timed = ["cpu_seconds"]
    pd.testing.assert_frame_equal(
        parallel.frame.drop(columns=timed), made.frame.drop(columns=timed)
    )


@pytest.mark.slow
def test_separate_processes_give_the_same_scores(small, made):
    parallel = backtest(small, CHEAP, family="simulated", n_jobs=2)
    measures = list(MEASURES)
    pd.testing.assert_frame_equal(parallel.frame[measures], made.frame[measures])


def test_backends_are_checked(small):
    with pytest.raises(ForecastError, match="backend is 'mpi', expected one of loky"):
        backtest(small, truth, backend="mpi")


def test_ray_is_named_when_it_is_missing(small):
    try:
        import ray  # noqa: F401
    except ImportError:
        with pytest.raises(ForecastError, match=r"bayescale\[cluster\]"):
            backtest(small, truth, backend="ray")
    else:
        pytest.skip("ray is installed")


def test_progress_reaches_one(small):
    told = []
    backtest(small, truth, progress=lambda share, text: told.append((share, text)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_saved_and_loaded_it_is_the_same(made, tmp_path):
    loaded = load_backtest(made.save(tmp_path / "scores.csv"))
    pd.testing.assert_frame_equal(loaded.frame, made.frame, rtol=1e-12)
    assert repr(loaded) == repr(made)


def test_missing_diagnostics_survive_a_file(small, tmp_path):
    made = backtest(small, truth)
    loaded = load_backtest(made.save(tmp_path / "scores.csv"))
    assert loaded.frame["khat"].isna().all()
    assert np.isnan(loaded.bad_share)
    assert "khat" not in repr(loaded)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", ",".join(COLUMNS) + "\n"])
def test_a_file_that_is_no_backtest_is_refused(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ForecastError, match=r"other\.csv"):
        load_backtest(path)


def test_summaries(made):
    assert made.summary()["measure"].tolist() == list(MEASURES)
    assert made.summary("family")["family"].tolist() == ["simulated"]
    held = set(made.frame["cell"])
    assert len(held) > 1
    for frame in (made.frame, made.frame.iloc[::-1]):
        cells = Backtest(frame).summary("cell")["cell"].tolist()
        assert cells == [cell for cell in BINS if cell in held]
    with pytest.raises(ForecastError, match="by is 'table'"):
        made.summary("table")


def test_representation_is_one_line(made):
    assert "\n" not in repr(made)
    assert repr(made).startswith(f"Backtest of {CHEAP}: {made.n_tasks} task(s)")


def test_a_corpus_is_backtested_family_by_family(small):
    corpus = {
        "one": [("t", read_runs(small))],
        "two": [("u", read_runs(small)), ("v", read_runs(small))],
    }
    found = backtest_corpus(corpus, truth)
    alone = backtest(small, truth)
    assert found.n_tasks == 3 * alone.n_tasks
    assert np.allclose(
        found.summary().set_index("measure")["mean"], alone.summary().set_index("measure")["mean"]
    )


def test_methods_are_named_by_text():
    assert resolve_method("coupled_gp_weak").name == "coupled_gp_weak"
    assert resolve_method("huber_bootstrap", seed=7).seed == 7
    assert resolve_method(None).name == "recommended"
    assert resolve_method(truth) is truth
    with pytest.raises(UnknownNameError, match="chinchila"):
        resolve_method("chinchila_gp_weak")
    with pytest.raises(ForecastError, match="pools groups"):
        resolve_method("chinchilla_plain_weak_partial")


def test_without_a_name_a_table_is_fitted_as_fit_would(small):
    tiny = small.assign(n_params=small["n_params"] / 1e4, n_tokens=small["n_tokens"] / 1e4)
    for frame in (small, tiny):
        chosen = fit(frame, engine="amis").spec.hash
        assert resolve_method(None).fit(read_runs(frame)).spec.hash == chosen
    assert fit(tiny, engine="amis").spec.name != fit(small, engine="amis").spec.name


def test_a_learned_model_is_scored_without_the_family_under_test(small):
    as_stranger = backtest(small, "coupled_gp", family="somebody", factors=[30]).frame
    as_gadre = backtest(small, "coupled_gp", family="gadre", factors=[30]).frame
    left_out = without_families(load_model("coupled_gp"), ("gadre",))
    expected = backtest(small, ModelMethod(left_out), factors=[30]).frame
    assert np.allclose(as_gadre["crps"], expected["crps"], rtol=1e-12)
    assert not np.allclose(as_gadre["crps"], as_stranger["crps"], rtol=1e-3)
