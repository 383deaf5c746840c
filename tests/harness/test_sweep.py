"""From a plan to a runs table."""

from __future__ import annotations

import csv
import json
import time

import pytest
import yaml

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError
from bayescale.harness.sweep import remake_table, run_sweep
from bayescale.runs import schema

PLAN = {
    "name": "tiny",
    "corpus": "synthetic_zipf",
    "facts": {"vocab_size": 8},
    "sizes": [{"d_model": 8, "n_layers": 1}, {"d_model": 16, "n_layers": 1}],
    "context": 16,
    "milestones": [1280, 3840, 6400],
    "seeds": [0, 1],
    "batch_tokens": 64,
    "tuning": {"sizes": [0, 1], "grid": [0.005, 0.01, 0.02], "tokens": 1280},
    "eval_tokens": 512,
}


@pytest.fixture(scope="module")
def plan_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return path


@pytest.fixture(scope="module")
def finished(plan_path, tmp_path_factory):
    """The folder of one finished sweep, and the progress it told."""
    out, told = tmp_path_factory.mktemp("sweep"), []
    run_sweep(plan_path, out, progress=lambda share, title: told.append((share, title)))
    return out, told


def read(out, table="runs.csv"):
    with (out / table).open() as file:
        return list(csv.DictReader(file))


def test_one_row_per_size_seed_and_budget(finished):
    rows = read(finished[0])
    shapes = {(r["d_model"], r["seed"], r["n_tokens"]) for r in rows}
    # 16x1 has more parameters than the shortest budgets have tokens.
    assert len(rows) == len(shapes) == 2 * 3 + 2 * 2
    assert {r["status"] for r in rows} == {"finished"}
    assert all(float(r["n_tokens"]) >= float(r["n_params"]) for r in rows)
    assert {schema.N_PARAMS, schema.N_TOKENS, schema.LOSS, schema.TRUNK} <= set(rows[0])


def test_rates_are_tuned_recorded_and_used(finished):
    rates = json.loads((finished[0] / "learning_rates.json").read_text())
    assert [set(t["losses"]) for t in rates["trials"]] == [{"0.005", "0.01", "0.02"}] * 2
    assert {float(r["learning_rate"]) for r in read(finished[0])} == set(rates["rates"])


def test_the_search_is_a_table_of_its_own(finished, tmp_path):
    rows = read(finished[0], "trials.csv")
    assert {(r["d_model"], r["learning_rate"]) for r in rows} == {
        (d_model, rate) for d_model in ("8", "16") for rate in ("0.005", "0.01", "0.02")
    }
    folder = tmp_path / "data" / "runs" / "search"
    folder.mkdir(parents=True)
    plans = tmp_path / "benchmarks" / "sweeps"
    plans.mkdir(parents=True)
    (plans / "tiny.yaml").write_text(yaml.safe_dump(PLAN))
    remake_table(folder, trials_of="tiny")
    assert read(folder) == rows


def test_progress_goes_from_the_rates_to_the_end(finished):
    shares = [share for share, _ in finished[1]]
    assert shares == sorted(shares)
    assert finished[1][0][1].startswith("learning rate, llama 8x1")
    assert shares[-1] == pytest.approx(1.0)


def test_a_second_call_trains_nothing(plan_path, finished):
    out = finished[0]
    before = (out / "runs.csv").read_bytes()
    start = time.process_time()
    run_sweep(plan_path, out)
    assert (out / "runs.csv").read_bytes() == before
    assert time.process_time() - start < 5


def test_a_sweep_cut_by_its_deadline_resumes_to_the_same_table(plan_path, finished, tmp_path):
    for _ in range(50):
        run_sweep(plan_path, tmp_path, deadline=time.time() + 0.3)
        if len(read(tmp_path)) == 10:
            break
    assert read(tmp_path) == read(finished[0])


def test_a_used_folder_is_refused_without_resume(plan_path, finished):
    with pytest.raises(HarnessError, match=r"already holds 4 units"):
        run_sweep(plan_path, finished[0], resume=False)


def test_a_table_of_several_plans_has_their_rows_one_after_the_other(tmp_path):
    plans, folder = tmp_path / "benchmarks" / "sweeps", tmp_path / "data" / "runs" / "both"
    plans.mkdir(parents=True)
    folder.mkdir(parents=True)
    own = {k: v for k, v in PLAN.items() if k != "tuning"} | {"learning_rates": [0.01]}
    own |= {"sizes": PLAN["sizes"][:1], "milestones": [1280], "seeds": [0]}
    for architecture in ("llama", "tnl"):
        plan = own | {"name": f"both_{architecture}", "architecture": architecture}
        (plans / f"both_{architecture}.yaml").write_text(yaml.safe_dump(plan))
    digest = remake_table(folder)
    assert [row["architecture"] for row in read(folder)] == ["llama", "tnl"]
    assert remake_table(folder) == digest


def test_a_gpu_is_there_before_a_sweep_begins(plan_path, tmp_path, monkeypatch):
    with pytest.raises(HarnessError, match=r"device is 'gpu', expected cpu, cuda"):
        run_sweep(plan_path, tmp_path / "out", device="gpu")
    monkeypatch.setattr("bayescale.harness.sweep.check_engine", lambda engine, workers: None)
    with pytest.raises(HarnessError, match=r"gpus_per_job is 0.*share such as --gpus-per-job"):
        run_sweep(plan_path, tmp_path / "out", engine="ray", device="cuda")
    assert not (tmp_path / "out").exists()
