"""A sweep's folder over its life: other plans, other sweeps, full disks, failing units, budgets."""

from __future__ import annotations

import json
import multiprocessing
import time
from functools import partial

import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="the harness trains with PyTorch")

import bayescale as bs
from bayescale.errors import HarnessError
from bayescale.harness import adamw_choice, planner, settled, steps
from bayescale.harness.accounting import count_params
from bayescale.harness.locks import held
from bayescale.harness.planner import plan_sweep
from bayescale.harness.stacking import gradients
from bayescale.harness.sweep import LOCK, run_sweep
from bayescale.runs.records import compact

PLAN = {
    "name": "tiny",
    "corpus": "synthetic_zipf",
    "facts": {"vocab_size": 8},
    "sizes": [{"d_model": 8, "n_layers": 1}, {"d_model": 16, "n_layers": 1}],
    "context": 16,
    "milestones": [640, 1280],
    "min_tokens_per_param": 0,
    "seeds": [0, 1],
    "batch_tokens": 64,
    "learning_rates": [0.01, 0.01],
    "eval_tokens": 512,
}


@pytest.fixture
def write(tmp_path):
    def write(**changed):
        path = tmp_path / "plan.yaml"
        tree = {k: v for k, v in {**PLAN, **changed}.items() if v is not None}
        path.write_text(yaml.safe_dump(tree))
        return path

    return write


@pytest.fixture
def out(tmp_path):
    return tmp_path / "sweep"


def test_folder_lines_and_parquet_say_what_the_table_says(write, out):
    table = run_sweep(
        write(
            tuning={"sizes": [0, 1], "grid": [0.005, 0.01, 0.02], "tokens": 640},
            learning_rates=None,
        ),
        out,
    )
    told = bs.read_runs(table)
    assert len(told) == 8
    assert bs.read_runs(out).fingerprint == told.fingerprint
    assert bs.read_runs(compact(out)).fingerprint == told.fingerprint


def test_another_plan_in_the_same_folder_is_asked_about(write, out):
    table = run_sweep(write(), out)
    first = bs.read_runs(table)
    longer = write(milestones=[640, 1280, 1920], name="renamed")
    with pytest.raises(HarnessError, match=r"milestones was \[640, 1280\], is \[640, 1280, 19"):
        run_sweep(longer, out)
    assert bs.read_runs(table).fingerprint == first.fingerprint
    assert len(bs.read_runs(run_sweep(longer, out, replan=True))) == 12
    run_sweep(longer, out)


def test_units_that_both_plans_have_are_not_trained_again(write, out):
    run_sweep(write(sizes=PLAN["sizes"][:1], learning_rates=[0.01]), out)
    (unit,) = (out / "units").iterdir()
    before = (unit / "records.jsonl").read_bytes()
    run_sweep(write(), out, replan=True)
    assert (unit / "records.jsonl").read_bytes() == before
    assert len(list((out / "units").iterdir())) == 2


def test_a_folder_from_before_plans_were_kept_is_taken_over(write, out):
    path = write()
    run_sweep(path, out)
    (out / "plan.json").unlink()
    run_sweep(path, out)
    assert json.loads((out / "plan.json").read_text())["plan"]["milestones"] == [640, 1280]


def test_two_sweeps_on_one_folder(write, out):
    with held(out / LOCK, "test"), pytest.raises(HarnessError, match=r"'sweep': process \d+ on"):
        run_sweep(write(), out)
    run_sweep(write(), out)


def test_several_arms_fill_one_table(write, out):
    plan = write(corpus=None, corpora=["synthetic_zipf"], architectures=["llama", "tnl"])
    table = run_sweep(plan, out)
    runs = bs.read_runs(table)
    assert sorted(set(runs.data["architecture"])) == ["llama", "tnl"]
    assert len(runs) == 16
    assert bs.read_runs(out).fingerprint == runs.fingerprint


def test_a_size_held_back_has_a_table_of_its_own(write, out):
    sizes = [PLAN["sizes"][0], PLAN["sizes"][1] | {"held_back": True}]
    seen = []
    table = run_sweep(write(sizes=sizes), out, on_rows=seen.append)
    assert len(bs.read_runs(table)) == len(bs.read_runs(out / "held_back.csv")) == 4
    assert bs.read_runs(out).fingerprint == bs.read_runs(table).fingerprint
    assert {row["d_model"] for rows in seen for row in rows} == {8}


def test_rows_arrive_with_units_and_can_be_enough(write, out):
    counts, ends = [], []

    def enough(rows):
        counts.append(len(rows))
        return len(rows) >= 4

    run_sweep(write(), out, on_rows=enough, on_end=ends.append)
    assert (counts, ends) == ([0, 4], ["stopped"])
    run_sweep(write(), out, on_rows=lambda _: False, on_end=ends.append)
    assert ends[-1] == "finished"


def test_one_unit_that_fails_spares_the_others(write, out):
    path, failed = write(), []
    run_sweep(path, out / "whole")
    names = sorted(folder.name for folder in (out / "whole" / "units").iterdir())
    broken = out / "hit" / "units" / names[0]
    broken.mkdir(parents=True)
    (broken / "records.jsonl").symlink_to("/dev/full")
    with pytest.raises(HarnessError, match=r"1 of 2 units failed.*No space left on device"):
        run_sweep(path, out / "hit", on_failed=lambda job, _: failed.append(job.folder.name))
    assert failed == [names[0]]
    assert len(bs.read_runs(out / "hit" / "runs.csv")) == 4
    (broken / "records.jsonl").unlink()
    table = run_sweep(path, out / "hit")
    assert table.read_bytes() == (out / "whole" / "runs.csv").read_bytes()


def test_a_checkpoint_that_cannot_be_used_is_named_and_spares_the_others(write, out):
    path = write()
    run_sweep(path, out / "whole")
    broken = sorted((out / "whole" / "units").iterdir())[0].name
    folder = out / "hit" / "units" / broken
    folder.mkdir(parents=True)
    (folder / "checkpoint-00000000.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(HarnessError, match=rf"checkpoint-00000000.pt of unit {broken}: cannot be"):
        run_sweep(path, out / "hit")
    assert len(bs.read_runs(out / "hit")) == 4
    (folder / "checkpoint-00000000.pt").unlink()
    table = run_sweep(path, out / "hit")
    assert table.read_bytes() == (out / "whole" / "runs.csv").read_bytes()


def test_members_that_diverge_are_rows_that_no_fit_sees(write, out):
    table = run_sweep(write(learning_rates=[1e30, 0.01], milestones=[3840, 6400]), out)
    runs = bs.read_runs(table)
    assert runs.data["status"].tolist() == ["diverged"] * 4 + ["finished"] * 4
    assert np.isnan(runs.data["loss"][:4]).all()
    assert len(runs.usable()[0]) == 4
    assert bs.read_runs(compact(out)).fingerprint == runs.fingerprint


def test_a_disk_too_small_is_told_before_anything_trains(write, out, monkeypatch):
    monkeypatch.setattr(
        planner.shutil, "disk_usage", lambda _: planner.shutil._ntuple_diskusage(0, 0, 9)
    )
    with pytest.raises(HarnessError, match=r"0 MB are needed.*0 MB are free"):
        run_sweep(write(), out)
    assert not (out / "units").exists()


def test_a_clock_that_jumps_stops_nothing_on_the_way(write, out, monkeypatch):
    real, ends = time.time, []
    calls = iter(range(1000))
    # A day later at every look after the first ones.
    monkeypatch.setattr(time, "time", lambda: real() + 86400.0 * (next(calls) > 1))
    deadline = real() + 3600.0
    run_sweep(
        write(sizes=PLAN["sizes"][:1], learning_rates=[0.01]),
        out,
        deadline=deadline,
        on_end=ends.append,
    )
    assert ends == ["finished"]


def test_a_dry_run_says_what_would_run_and_writes_nothing(write, out):
    made = plan_sweep(write(), workers=2)
    assert [row["n_params"] for row in made.rows()] == sorted(
        row["n_params"] for row in made.rows()
    )
    assert (len(made.units), made.cuts) == (2, [])
    assert sum(each.n_rows for each in made.units) == 8
    assert made.to_dict()["flops"] == sum(row["flops"] for row in made.rows())
    assert "2 units, 8 rows" in repr(made)
    assert not out.exists()


def test_a_budget_is_settled_once_and_kept(write, out):
    flops = sum(each.flops for each in plan_sweep(write()).units)
    path = write(budget={"flops": 0.8 * flops})
    made = plan_sweep(path)
    assert made.cuts == ["llama 16x1 on synthetic_zipf: 1 of 2 seeds"]
    rows = bs.read_runs(run_sweep(path, out))
    seeds = {d: set(rows.data["seed"][rows.data["d_model"] == d]) for d in (8, 16)}
    assert [len(seeds[d]) for d in (8, 16)] == [2, 1]
    kept = json.loads((out / "plan.json").read_text())["kept"]
    assert [[part["members"] for part in arm] for arm in kept] == [[2, 1]]


def test_the_faster_adamw_is_measured_once_and_kept(write, out, monkeypatch):
    monkeypatch.setattr(adamw_choice, "WORTH_MEASURING", 1)
    monkeypatch.setattr(adamw_choice, "_seconds", lambda config, _: speeds[config.adamw])
    speeds = {"stepwise": 1.0, "fused": 0.7}
    first = bs.read_runs(run_sweep(write(sizes=PLAN["sizes"][:1], learning_rates=[0.01]), out))
    speeds["fused"] = 0.8
    both = bs.read_runs(run_sweep(write(), out, replan=True))
    forms = json.loads((out / "plan.json").read_text())["adamw"]
    assert list(forms.values()) == ["fused", "stepwise"]
    assert set(first.data["run_id"]) < set(both.data["run_id"])
    named = bs.read_runs(run_sweep(write(adamw="fused"), out.with_name("named")))
    assert set(named.data["run_id"]) & set(both.data["run_id"]) == set(first.data["run_id"])


def test_a_folder_from_before_adamw_was_measured_stays_as_it_was(write, out, monkeypatch):
    before = bs.read_runs(run_sweep(write(adamw="stepwise"), out)).fingerprint
    (out / "plan.json").unlink()
    monkeypatch.setattr(adamw_choice, "WORTH_MEASURING", 1)
    monkeypatch.setattr(adamw_choice, "_seconds", lambda config, _: config.adamw == "stepwise")
    for _ in range(2):
        assert bs.read_runs(run_sweep(write(), out)).fingerprint == before
    assert json.loads((out / "plan.json").read_text())["adamw"] is None


def test_what_is_compiled_is_measured_once_and_kept(write, out, monkeypatch):
    eager = lambda own: partial(gradients, own)  # noqa: E731
    monkeypatch.setattr(steps, "compiled_gradients", eager)
    found = iter([True, False])
    measured = lambda units, _: {count_params(u.architecture): next(found) for u in units}  # noqa: E731
    monkeypatch.setitem(settled.CHOOSERS, "compiled", measured)
    tuning = {"sizes": [0], "grid": [0.005, 0.01, 0.02], "tokens": 640}
    path = write(compiled="measured", adamw="stepwise", tuning=tuning, learning_rates=None)
    told = bs.read_runs(run_sweep(path, out)).fingerprint
    assert list(json.loads((out / "plan.json").read_text())["compiled"].values()) == [True, False]
    configs = [json.loads(file.read_text()) for file in out.glob("units/*/config.json")]
    compiled = {(c["architecture"]["d_model"], len(c["members"])) for c in configs if _is(c)}
    assert compiled == {(8, 2)}
    assert bs.read_runs(run_sweep(path, out)).fingerprint == told


def _is(config):
    return config["train"]["compiled"]


def test_a_wall_budget_decides_by_measured_speed(write):
    seconds = plan_sweep(write()).seconds
    with pytest.raises(HarnessError, match=r"still need [\d.e-]+ s of"):
        plan_sweep(write(budget={"seconds": 1e-3 * seconds}))
    assert plan_sweep(write(budget={"seconds": 100 * seconds})).cuts == []


def _sweep(path, out, workers):
    run_sweep(path, out, workers=workers)


@pytest.mark.slow
def test_a_sweep_whose_driver_is_killed_resumes_with_another_number_of_workers(write, out):
    path = write(milestones=[6400, 64000], adamw="stepwise")
    run_sweep(path, out / "whole")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([run_sweep.__module__])
    rng = np.random.default_rng(5)
    for workers in (1, 2):
        driver = context.Process(target=_sweep, args=(path, out / "killed", workers))
        driver.start()
        while not list((out / "killed").glob("units/*/lock")):
            time.sleep(0.01)
        driver.join(rng.uniform(0.2, 0.8))
        driver.kill()
        driver.join()
    table = run_sweep(path, out / "killed", workers=2)
    assert table.read_bytes() == (out / "whole" / "runs.csv").read_bytes()
