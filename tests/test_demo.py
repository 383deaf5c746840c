"""The demonstration from end to end, on a simulated table and on the shipped one."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console
from simulated_question import simulated_frame, simulated_plan

import bayescale as bs
from bayescale.demo import DATA, Demo, hide, run_demo
from bayescale.errors import DecisionError, RunsTableError


def ship(root: Path, frame, plan: dict | None) -> str:
    """Lay a table with a card and a plan where shipped tables are looked for."""
    folder = root / "data" / "runs" / "simulated"
    folder.mkdir(parents=True)
    frame.to_csv(folder / "runs.csv", index=False)
    card = {
        "name": "simulated", "title": "t", "source": "s", "licence": "l", "citation": "c",
        "conventions": {"n_params": "all", "flops": "6ND", "loss": "validation"},
        "sha256": hashlib.sha256((folder / "runs.csv").read_bytes()).hexdigest(),
    }  # fmt: skip
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    if plan is not None:
        (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    return "simulated"


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> tuple[Demo, str, Path]:
    root, out = tmp_path_factory.mktemp("shipped"), tmp_path_factory.mktemp("out")
    frame = simulated_frame()
    largest = frame.iloc[int(np.argmax(frame["n_params"] * frame["n_tokens"]))]
    sizes = {name: float(largest[name]) for name in ("n_params", "n_tokens")}
    plan = simulated_plan(candidates=[{"name": "the [bold]largest[/bold]", **sizes}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAYESCALE_DATA", str(root))
        written = StringIO()
        console = Console(file=written, width=100)
        demo = run_demo(out, data=ship(root, frame, plan), console=console)
    return demo, written.getvalue(), out


def test_demo_hides_ten_times_and_more(shown) -> None:
    demo, _, _ = shown
    assert demo.hidden.forecast.extrapolation_factor.max() >= 10
    largest_fitted = np.exp(demo.posterior.problems[0].constants.log_compute_max)
    assert (demo.hidden.runs.compute_6nd / 6 > largest_fitted).all()


def test_demo_prints_verdict_probability_interval_and_outcomes(shown) -> None:
    demo, text, _ = shown
    best = demo.decision.outcome
    assert demo.decision.verdict in text
    assert f"{100 * best.prob_target:.0f} %" in text or "> 99 %" in text or "< 1 %" in text
    assert f"90 % between {best.loss_interval_90[0]:.3f} and {best.loss_interval_90[1]:.3f}" in text
    for actual in demo.hidden.actual:
        assert f"{actual:.3f}" in text
    inside = int(demo.hidden.inside(0.9).sum())
    assert f"{inside} of {len(demo.hidden)} hidden runs" in text
    assert "was trained after all" in text
    assert "[bold]largest[/bold]" in text


def test_demo_writes_a_report_and_pictures(shown) -> None:
    demo, text, out = shown
    assert {path.name for path in out.iterdir()} == {
        "report.html", "extrapolation.png", "held_out.png", "probability.png"
    }  # fmt: skip
    assert demo.decision.verdict in demo.report.read_text(encoding="utf-8")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in demo.plots)
    assert all(path.name in text for path in demo.plots)


def test_demo_is_plain_data(shown) -> None:
    demo, _, _ = shown
    content = json.loads(json.dumps(demo.to_dict(), allow_nan=False))
    assert content["decision"]["verdict"] == demo.decision.verdict
    assert len(content["hidden"]) == len(demo.hidden)
    assert content["actual"] == pytest.approx(demo.actual)


def test_demo_of_a_table_without_a_plan(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    name = ship(tmp_path, simulated_frame(), None)
    with pytest.raises(DecisionError, match=r"plan\.yaml"):
        run_demo(tmp_path / "out", data=name)
    assert not (tmp_path / "out").exists()


def test_a_table_too_small_to_hide_anything() -> None:
    runs = bs.read_runs(simulated_frame().head(9), name="small")
    with pytest.raises(RunsTableError, match=r'"small".*of 9 usable runs'):
        hide(runs)


def test_demo_of_the_shipped_table_needs_neither_torch_nor_pymc(tmp_path) -> None:
    code = (
        "import sys, json;"
        "from bayescale.demo import run_demo;"
        f"demo = run_demo({str(tmp_path)!r});"
        "assert not {'torch', 'pymc', 'arviz', 'matplotlib.pyplot'} & set(sys.modules);"
        "assert demo.actual is not None;"
        "assert demo.hidden.forecast.extrapolation_factor.max() >= 10;"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "hidden runs" in done.stdout
    assert (tmp_path / "report.html").is_file()
    assert DATA in done.stdout
