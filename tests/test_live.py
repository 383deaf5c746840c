"""Forecasts of a running sweep, and sweeps that are led by them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from bayescale.cli import app
from bayescale.errors import DecisionError, HarnessError
from bayescale.live import Target, Watcher, outlook, parse_until

TARGET = Target(n_params=3e6, n_tokens=1e8, dataset="text", architecture="llama")

PLAN = {
    "name": "ladder",
    "corpus": "synthetic_zipf",
    "facts": {"vocab_size": 8},
    "sizes": [{"d_model": d, "n_layers": 1} for d in (8, 16, 24, 32)],
    "context": 16,
    "milestones": [6400, 9600, 13312],
    "seeds": [0, 1],
    "batch_tokens": 128,
    "learning_rates": [0.01],
    "eval_tokens": 2048,
}


def simulated(sizes):
    """Rows of a sweep by a known law, every size at three budgets."""
    rng = np.random.default_rng(4)
    return [
        {
            "n_params": n,
            "n_tokens": ratio * n,
            "loss": (1.0 + 30 / n**0.3 + 30 / (ratio * n) ** 0.3) * math.exp(rng.normal(0, 2e-3)),
            "dataset": "text",
            "architecture": "llama",
            "seed": 0,
            "status": "finished",
        }
        for n in sizes
        for ratio in (10, 20, 40)
    ]


@pytest.fixture
def plan_path(tmp_path):
    pytest.importorskip("torch", reason="the harness trains with PyTorch")
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return path


def test_the_forecast_sharpens_as_runs_finish():
    told = []
    watcher = Watcher([TARGET], tell=told.append)
    for n in (2, 5, 8):
        assert not watcher(simulated(np.geomspace(1e4, 1e6, 8)[:n].tolist()))
    widths = [made[0].width for made in told]
    assert widths[-1] < widths[1] < 1.0
    last = told[-1][0]
    assert last.low < 1.0 + 30 / 3e6**0.3 + 30 / 1e8**0.3 < last.high
    assert "from 24 rows, width 0." in str(last)


def test_a_sharp_forecast_is_enough():
    rows = simulated(np.geomspace(1e4, 1e6, 8).tolist())
    width = outlook(TARGET, rows).width
    assert Watcher([TARGET], f"width<={1.01 * width:.6f}")(rows)
    assert not Watcher([TARGET], f"width < {0.99 * width:.6f}")(rows)


def test_too_few_rows_are_a_reason_and_never_enough():
    rows = simulated([1e4])
    made = outlook(TARGET, rows)
    assert math.isnan(made.width)
    assert "no forecast from 3 rows yet" in str(made)
    assert not Watcher([TARGET], "width<=9")(rows)
    assert "No run of its arm is finished" in outlook(TARGET, []).reason


def test_other_arms_and_the_target_itself_are_not_looked_at():
    rows = simulated([1e4, 1e5])
    other = [row | {"dataset": "code"} for row in rows]
    own = [row | {"n_params": TARGET.n_params, "n_tokens": TARGET.n_tokens} for row in rows[:1]]
    assert TARGET.without([*rows, *other, *own]) == rows


@pytest.mark.parametrize("text", ["width", "width>=1", "sd<=0.1", "width<=0", "width<=x", ""])
def test_a_condition_that_cannot_be_read_is_refused(text):
    with pytest.raises(DecisionError, match=r"expected a width such as 'width<=0.02'"):
        parse_until(text)
    assert parse_until(" width <= 2e-2 ") == 0.02


def test_the_loop_trains_what_the_forecast_asks_for(plan_path, tmp_path):
    from bayescale.loop import run_loop

    seen = []
    made = run_loop(plan_path, tmp_path / "out", until="width<=1e-6", start=2, on_round=seen.append)
    assert made.ended == "nothing left"
    assert made.rounds["sizes"].tolist() == [2, 3]
    assert made.rounds["rows"].tolist() == [
        12,
        16,
    ]  # 24x1 has more parameters than its first budget
    assert made.outlook is seen[-1]
    assert made.outlook.width == made.rounds["width"].iloc[-1]
    assert "2 rounds, nothing left" in repr(made)
    again = run_loop(plan_path, tmp_path / "out", until="width<=10", start=2)
    assert (again.ended, len(again.rounds)) == ("sharp", 1)


def test_a_loop_of_several_arms_or_too_few_sizes_is_refused(plan_path, tmp_path):
    from bayescale.loop import run_loop

    with pytest.raises(DecisionError, match=r"has 4 sizes.*start is 4, expected between 1 and 3"):
        run_loop(plan_path, tmp_path / "out", until="width<=1", start=4)
    plan_path.write_text(yaml.safe_dump(PLAN | {"architectures": ["llama", "tnl"]}))
    with pytest.raises(DecisionError, match=r"has 2 arms, expected one corpus"):
        run_loop(plan_path, tmp_path / "out", until="width<=1")
    assert not (tmp_path / "out").exists()


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_verbs_of_a_sweep(plan_path, tmp_path):
    out = tmp_path / "out"
    planned = invoke("sweep", plan_path, "--out", out, "--dry-run", "--json")
    assert json.loads(planned.stdout)["units"][0]["members"] == 2
    assert not out.exists()
    table = invoke("sweep", plan_path, "--out", out, "--dry-run")
    assert "<SweepEstimate: 4 units, 18 rows" in table.stdout

    sharp = json.loads(
        invoke("sweep", plan_path, "--out", out, "--until", "width<=5", "--json").stdout
    )
    assert sharp["ended"] == "sharp"
    assert sharp["forecasts"][0]["width"] <= 5
    whole = invoke("sweep", plan_path, "--out", out)
    assert "all units are finished" in whole.stdout
    assert "forecast of" in whole.stdout

    led = invoke("sweep", plan_path, "--out", out, "--suggest", "--until", "width<=5", "--json")
    assert json.loads(led.stdout)["ended"] == "sharp"
    assert len(json.loads(led.stdout)["rounds"]) == 1

    compacted = invoke("records", "compact", out, "--json")
    assert json.loads(compacted.stdout) == {"format": 1, "records": str(out / "records.parquet")}
    pytest.importorskip("duckdb", reason="queries need duckdb")
    asked = invoke("records", "query", out, "SELECT count(*) AS n FROM records", "--json")
    assert json.loads(asked.stdout)["rows"] == [{"n": 18}]


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--until", "width"], DecisionError, "until is 'width'"),
        (["--suggest"], HarnessError, "--suggest needs a goal"),
        (["--minutes", "0"], HarnessError, "--minutes is 0.0"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_runs(
    plan_path, tmp_path, words, error, said
):
    result = invoke("sweep", plan_path, "--out", tmp_path / "out", *words)
    with pytest.raises(error, match=said):
        raise result.exception
    assert not (tmp_path / "out").exists()
