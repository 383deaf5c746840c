"""A running job against its forecast: the end to expect, the band, and the stop rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bayescale as bs
from bayescale.cli import main
from bayescale.errors import ForecastError, UnknownNameError
from bayescale.forecasts.curve_points import FIRST, curve_points
from bayescale.forecasts.curve_prior import LEARNED, draw_shapes
from bayescale.forecasts.curve_update import band, update
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.schedules import done, schedule, schedules, to_come
from bayescale.forecasts.stopper import Stopper

N_PARAMS, N_TOKENS, BATCH = 7e9, 1.4e11, 1e9
END = 1.7 + 400 / N_PARAMS**0.34 + 410 / N_TOKENS**0.28
RUN = {"n_params": N_PARAMS, "n_tokens": N_TOKENS}


@pytest.fixture(scope="module")
def posterior(runs_file: Path) -> bs.Posterior:
    return bs.fit(runs_file)


def losses(share: np.ndarray, seed: int = 4) -> np.ndarray:
    """Return a curve of the law that made the runs, annealed over its last fifth."""
    law = END + 410 / (N_TOKENS * share) ** 0.28 - 410 / N_TOKENS**0.28
    noise = np.exp(2e-3 * np.random.default_rng(seed).standard_normal(len(share)))
    return (law + 0.05 * np.minimum(1.0, (1.0 - share) / 0.2)) * noise


def job(path: Path, until: float, factor: float = 1.0) -> Path:
    """Write the log of a job that has come so far."""
    share = np.arange(1, 141) / 140
    rows = zip(share, factor * losses(share), strict=True)
    lines = [
        {"step": round(140 * s), "tokens": N_TOKENS * s, "val_loss": v}
        for s, v in rows
        if s <= until
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_before_the_first_loss_the_forecast_stands(posterior: bs.Posterior, tmp_path: Path) -> None:
    seen = bs.watch(job(tmp_path / "a.jsonl", 0.015), posterior, target=2.2, **RUN)
    made = bs.forecast(posterior, **RUN)
    assert seen.median == pytest.approx(made.median[0], rel=1e-3)
    assert seen.interval(0.8) == pytest.approx(made.interval(0.8)[0], rel=6e-3)
    assert seen.prob_target == pytest.approx(seen.prob_target_before, abs=1e-9)
    assert not seen.stop
    assert any("the forecast itself" in note for note in seen.notes)


@pytest.mark.parametrize("plan", [None, "wsd"])
def test_the_end_is_closed_in_on(plan: str | None, posterior: bs.Posterior, tmp_path: Path) -> None:
    widths = []
    for until in (0.2, 0.9, 1.0):
        seen = bs.watch(job(tmp_path / "a.jsonl", until), posterior, schedule=plan, **RUN)
        low, high = seen.interval(0.9)
        assert low < END < high
        widths.append(np.log(high / low))
    assert seen.done == 1.0
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 0.012


def test_a_job_far_above_its_forecast_is_stopped(posterior: bs.Posterior, tmp_path: Path) -> None:
    options = {"target": 1.01 * END, "schedule": "wsd", **RUN}
    good = bs.watch(job(tmp_path / "a.jsonl", 0.7), posterior, **options)
    bad = bs.watch(job(tmp_path / "b.jsonl", 0.7, 1.25), posterior, **options)
    assert not good.stop
    assert good.place == "inside"
    assert bad.stop
    assert bad.place == "above"
    assert bad.prob_target < 0.05 * bad.prob_target_before
    assert "STOP" in repr(bad)


def test_a_loss_scaled_with_its_forecast_scales_the_end() -> None:
    """Everything is on log loss: a shift of curve and forecast shifts the answer."""
    share = np.linspace(0.02, 0.6, 60)
    shapes = draw_shapes(LEARNED, schedules("cosine"), 400, np.random.default_rng(0))
    made = []
    for level in (0.0, 0.7):
        forecast = Mixture(np.full((1, 1), np.log(2.2) + level), np.full((1, 1), 0.03**2))
        points = curve_points(share, np.exp(level) * losses(share))
        made.append(update(forecast, shapes, points, np.random.default_rng(1)).mixture)
    assert made[1].mean - made[0].mean == pytest.approx(0.7)
    assert made[1].variance == pytest.approx(made[0].variance)


def test_with_one_shape_the_update_is_the_textbook_one() -> None:
    """One shape, no wandering to speak of: a normal prior and a normal mean of residuals."""
    shapes = draw_shapes(LEARNED, schedules("constant"), 1, np.random.default_rng(0))
    shapes.wander[:] = 1e-9
    share = np.linspace(0.1, 0.5, 5)
    points = curve_points(share, np.exp(0.8 + shapes.above_end(0, share)[0]))
    forecast = Mixture(np.full((1, 1), 0.9), np.full((1, 1), 0.1**2))
    made = update(forecast, shapes, points, np.random.default_rng(0)).mixture
    precision = (points.noise**-2.0).sum()
    assert made.variance[0, 0] == pytest.approx(1.0 / (precision + 100.0), rel=1e-6)
    assert made.mean[0, 0] == pytest.approx(
        (0.8 * precision + 90.0) / (precision + 100.0), rel=1e-6
    )


def test_the_band_ends_in_the_forecast(posterior: bs.Posterior) -> None:
    forecast = bs.forecast(posterior, **RUN).mixture
    shapes = draw_shapes(LEARNED, schedules(None), 6000, np.random.default_rng(0))
    levels = np.array([0.05, 0.5, 0.95])
    made = band(forecast, shapes, np.array([0.1, 0.5, 1.0]), levels, np.random.default_rng(1))
    assert np.log(made[:, -1]) == pytest.approx(forecast.quantile(levels)[:, 0], abs=3e-3)
    assert (np.diff(np.log(made[2] / made[0])) < 0).all()


def test_schedules_say_what_is_done_and_what_is_to_come() -> None:
    share = np.array([0.0, 0.5, 0.9, 1.0])
    for name in ("constant", "cosine", "linear", "wsd"):
        plan = schedule(name)
        assert done(plan, share)[[0, -1]] == pytest.approx([0.0, 1.0])
        assert to_come(plan, np.ones(1)) == pytest.approx([0.0])
        rates = np.interp(np.linspace(0, 1, 2001), plan.steps, plan.rates)
        assert done(schedule(rates), share) == pytest.approx(done(plan, share), abs=0.01)
    assert to_come(schedule("wsd"), share) == pytest.approx([1.0, 1.0, 0.5, 0.0], abs=0.02)
    assert done(schedule("linear"), share) == pytest.approx([0.0, 0.75, 0.99, 1.0], abs=0.01)


def test_points_are_few_and_spikes_count_little() -> None:
    share = np.linspace(0.001, 1.0, 20000)
    loss = losses(share)
    points = curve_points(share, loss)
    assert len(points) < 60
    assert points.share[0] >= FIRST
    assert np.allclose(points.log_loss[-1], np.log(END), atol=2e-3)
    few = np.linspace(0.05, 0.9, 18)
    clean, spiked = losses(few), losses(few)
    spiked[9] *= 1.5
    lifted = curve_points(few, spiked)
    calm = curve_points(few, clean)
    assert lifted.noise[9] > 20 * calm.noise[9]
    assert np.allclose(lifted.noise[[4, 14]], calm.noise[[4, 14]], rtol=0.7)


def test_the_stopper_looks_now_and_then(posterior: bs.Posterior, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    looks: list[bs.Watch] = []
    options = {"target": 1.01 * END, "schedule": "wsd", **RUN}
    patient = Stopper(path, posterior, on_look=looks.append, **options)
    assert not patient()  # there is no log yet
    eager = Stopper(path, posterior, every=0.0, on_look=looks.append, **options)
    job(path, 0.3)
    assert not eager()
    job(path, 0.8, 1.25)
    assert eager()
    path.unlink()
    assert eager()
    assert not patient()
    assert len(looks) == 2
    with pytest.raises(ForecastError, match="the stop rule needs a target"):
        Stopper(path, posterior)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": -1.0}, "target is -1.0, expected a positive loss"),
        ({"stop_rate": 2.0}, "stop_rate is 2.0, expected between 0 and 1"),
        ({"n_tokens": 1e10}, r"at 4.2 times its planned tokens \(1e\+10\)"),
        ({"n_params": None}, "n_params of the whole run is not known.*--n-params"),
        ({"schedule": [0.1]}, "1 learning rates were given"),
        ({"decay": 0.0}, "decay is 0.0"),
    ],
)
def test_what_cannot_be_watched(
    options: dict[str, float], message: str, posterior: bs.Posterior, tmp_path: Path
) -> None:
    merged = {**RUN, **options}
    given = {name: value for name, value in merged.items() if value is not None}
    with pytest.raises(ForecastError, match=message):
        bs.watch(job(tmp_path / "a.jsonl", 0.3), posterior, **given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "cosin"}, "unknown schedule 'cosin'.*Did you mean 'cosine'"),
        ({"n_parms": 1e9}, "unknown input 'n_parms'.*Did you mean 'n_params'"),
        ({"run": "b"}, "unknown run 'b'"),
    ],
)
def test_unknown_words_list_the_known(
    options: dict[str, float], message: str, posterior: bs.Posterior, tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        bs.watch(job(tmp_path / "a.jsonl", 0.3), posterior, **RUN, **options)


def test_several_runs_need_a_name(posterior: bs.Posterior, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        job(tmp_path / name / "log.jsonl", 0.3)
    with pytest.raises(ForecastError, match=r"holds 2 runs \(a, b\), expected one.*--run"):
        bs.watch(tmp_path, posterior, **RUN)
    assert bs.watch(tmp_path, posterior, run="b", **RUN).curve.name == "b"


def test_steps_serve_where_tokens_are_not_logged(posterior: bs.Posterior, tmp_path: Path) -> None:
    path = job(tmp_path / "a.jsonl", 0.4)
    path.write_text(path.read_text().replace('"tokens"', '"speed"'))
    with pytest.raises(ForecastError, match=r"how far run 'a' has come is not known.*--n-steps"):
        bs.watch(path, posterior, **RUN)
    assert bs.watch(path, posterior, n_steps=140, **RUN).done == pytest.approx(0.4)
    assert bs.watch(path, posterior, batch_tokens=BATCH, **RUN).done == pytest.approx(0.4)


def test_the_verb_prints_draws_and_stops(
    posterior: bs.Posterior, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = posterior.save(tmp_path / "posterior.nc")
    size = ["--n-params", "7B", "--n-tokens", "140B", "--target", f"{1.01 * END:.4f}"]
    picture = tmp_path / "watch.png"
    for until, factor, status in ((0.5, 1.0, 0), (0.9, 1.25, 1)):
        path = job(tmp_path / "a.jsonl", until, factor)
        words = ["watch", str(path), "--against", str(saved), *size]
        drawn = [] if status else ["--plot", str(picture)]
        with pytest.raises(SystemExit, match=str(status)):
            main([*words, "--json", *drawn])
        told = json.loads(capsys.readouterr().out)
        assert told["stop"] is bool(status)
        assert told["done"] == pytest.approx(until)
        assert picture.stat().st_size > 5000
    job(path, 1.0)
    with pytest.raises(SystemExit, match="0"):
        main([*words, "--follow", "0.01"])
    assert "100.0% done" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main([*words, "--follow", "0.01", "--json"])
    assert [json.loads(line)["done"] for line in capsys.readouterr().out.splitlines()] == [1.0]
