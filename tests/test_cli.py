"""The command line: every verb answers, as text and as JSON; bad input ends in status 2."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescale import __version__
from bayescale.cli import app, main
from bayescale.laws import load_law

Run = Callable[..., tuple[int, str, str]]
BAD_RUNS = Path(__file__).parent / "bad_inputs" / "runs"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process; return status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status: object = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            status = exit_.code or 0
        assert isinstance(status, int)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 48 runs simulated from the Chinchilla law, four sizes larger than the others."""
    law, rng = load_law("chinchilla"), np.random.default_rng(20)
    n_params, ratio = np.meshgrid(np.geomspace(1e7, 1e9, 8), np.geomspace(5, 160, 6))
    inputs = {"n_params": n_params.ravel(), "n_tokens": (n_params * ratio).ravel()}
    reference = {"n_params": 1.0, "n_tokens": 1.0}
    textbook = {"E": 1.8, "A": 480.0, "B": 2080.0, "alpha": 0.35, "beta": 0.37}
    loss = law.evaluate(inputs, law.from_textbook(textbook, reference))
    frame = pd.DataFrame({**inputs, "loss": loss * np.exp(0.004 * rng.standard_normal(48))})
    path = tmp_path_factory.mktemp("cli") / "runs.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def plan(runs: Path) -> Path:
    """A plan with one candidate and one pilot."""
    path = runs.with_name("plan.yaml")
    path.write_text(
        """
title: Fund the 7B run?
candidates: [{name: big, n_params: 7B, n_tokens: 140B}]
target: {loss: 2.2}
price: {usd_per_gpu_hour: 2.5, peak_flops: 989e12, mfu: 0.4, flops_convention: 6ND,
        failure_allowance: 0.1}
value: {usd: 200000}
pilots: [{name: mid, n_params: 2B, n_tokens: 40B}]
""",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def points(runs: Path) -> Path:
    path = runs.with_name("points.csv")
    path.write_text("label,N,D\nsmall,7B,140B\nlarge,70e9,1.4T\n", encoding="utf-8")
    return path


def verbs() -> list[str]:
    return sorted(command.name or command.callback.__name__ for command in app.registered_commands)


@pytest.mark.parametrize("verb", verbs())
def test_help_has_an_example_and_json(run: Run, verb: str) -> None:
    status, shown, _ = run(verb, "--help")
    assert status == 0
    assert f"Example: bayescale {verb}" in shown
    assert "--json" in shown


def test_the_version_is_told(run: Run) -> None:
    assert run("--version") == (0, f"bayescale {__version__}\n", "")


def test_the_help_says_all_of_what_a_verb_does(run: Run) -> None:
    _, shown, _ = run("--help")
    assert "..." not in shown.split("Commands:")[1]
    assert [
        line.split()[0] for line in shown.split("Commands:")[1].splitlines() if line[2:3] > " "
    ][:4] == ["demo", "check", "fit", "forecast"]


def test_a_screen_has_room_for_the_forecast(run: Run, runs: Path, points: Path) -> None:
    shown = run("forecast", runs, "--at", points)[1].splitlines()
    assert shown[0].split() == [
        *("label", "N", "D"),
        *("loss_q05", "loss_q50", "loss_q95", "extrapolation_factor"),
    ]


def test_fit_prints_saves_and_forecasts_alike(run: Run, runs: Path, points: Path) -> None:
    saved, direct, loaded = (runs.with_name(name) for name in ("p.nc", "a.csv", "b.csv"))
    status, shown, _ = run("fit", runs, "--out", saved, "--json")
    content = json.loads(shown)
    assert status == 0
    assert content["model"] == "coupled_growing_gp"
    assert content["diagnostics"]["engine"] == "amis"
    assert {"E", "A", "B", "alpha", "beta", "gamma"} <= {
        row["coefficient"] for row in content["coefficients"]
    }
    for source, out in ((runs, direct), (saved, loaded)):
        assert run("forecast", source, "--at", points, "--out", out)[0] == 0
    assert direct.read_bytes() == loaded.read_bytes()


def test_forecast_writes_the_contract(run: Run, runs: Path, points: Path) -> None:
    out = runs.with_name("forecast.csv")
    status, shown, _ = run("forecast", runs, "--at", points, "--out", out, "--json")
    table = pd.read_csv(out)
    assert status == 0
    quantiles = ["q025", "q05", "q10", "q25", "q50", "q75", "q90", "q95", "q975"]
    assert list(table.columns) == [
        *["label", "N", "D", "loss_mean", "loss_sd"],
        *[f"loss_{q}" for q in quantiles],
        *["extrapolation_factor", "khat"],
    ]
    assert list(table["label"]) == ["small", "large"]
    assert list(table["D"]) == ["140B", "1.4T"]
    assert (np.diff(table[[f"loss_{q}" for q in quantiles]].to_numpy(), axis=1) > 0).all()
    factors = table["extrapolation_factor"].to_numpy()
    np.testing.assert_allclose(
        factors, np.array([6 * 7e9 * 140e9, 6 * 70e9 * 1.4e12]) / (6 * 160e18)
    )
    assert [row["label"] for row in json.loads(shown)["forecast"]] == ["small", "large"]


def test_without_family_and_raw_say_what_they_change(run: Run, runs: Path, points: Path) -> None:
    call = ("forecast", runs, "--at", points)
    status, shown, _ = run(*call, "--without-family", "gadre", "--raw")
    assert status == 0
    assert "corpus prior learned without family 'gadre'" in shown
    assert "--raw changes nothing" in shown
    weak = run(*call, "--model", "coupled_gp_weak", "--without-family", "gadre")[1]
    assert "nothing of 'gadre' to leave out" in weak
    status, _, message = run(*call, "--without-family", "gadr")
    assert status == 2
    assert "Did you mean 'gadre'" in message


def test_check_exits_by_its_findings(run: Run, runs: Path, tmp_path: Path) -> None:
    assert run("check", runs)[0] == 0
    spoiled = pd.read_csv(runs)
    spoiled.loc[3, "n_tokens"] = spoiled.loc[3, "n_params"] / 2
    spoiled.to_csv(tmp_path / "spoiled.csv", index=False)
    status, shown, _ = run("check", tmp_path / "spoiled.csv", "--json")
    failed = [finding for finding in json.loads(shown)["checks"] if finding["level"] == "FAIL"]
    assert status == 1
    assert [finding["rows"] for finding in failed] == [[3]]


def test_one_option_counts_a_table_anew(run: Run, tmp_path: Path) -> None:
    shape = "d_model,n_layers,vocab_size,n_params_nonembedding,context"
    points = tmp_path / "points.csv"
    points.write_text(
        f"n_tokens,{shape}\n2000000,32,3,256,37856,128\n2000000,64,4,256,200000,128\n"
    )
    counted = tmp_path / "counted.csv"
    # 6 (N_ne + V d) / 6 of the two points.
    counted.write_text("n_tokens,n_params\n2000000,46048\n2000000,216384\n")
    table = ["forecast", "cpu_stdlib_llama", "--convention", "porian", "--json", "--at"]
    given, stated = (json.loads(run(*table, file)[1]) for file in (points, counted))
    keys = ("loss_mean", "loss_q05", "loss_q95")
    for a, b in zip(given["forecast"], stated["forecast"], strict=True):
        assert [a[key] for key in keys] == [b[key] for key in keys]
    _, shown, _ = run("check", "cpu_stdlib_llama", "--convention", "kaplan")
    assert "Parameters are counted by kaplan." in " ".join(shown.split())


def test_a_table_without_its_shape_is_counted_by_nobody(run: Run, runs: Path) -> None:
    status, _, said = run("fit", runs, "--convention", "palm")
    assert status == 2
    assert "has no n_params_nonembedding, vocab_size" in " ".join(said.split())


def test_backtest_scores_the_larger_runs(run: Run, runs: Path) -> None:
    status, shown, _ = run("backtest", runs, "--model", "chinchilla_plain_weak", "--json")
    content = json.loads(shown)
    assert status == 0
    assert {row["model"] for row in content["scores"]} == {"chinchilla_plain_weak"}
    assert all(0 <= row["coverage_90"] <= 1 for row in content["cells"])
    assert run("backtest", runs, "--out", runs.with_name("scores.csv"))[0] == 0


def test_forecast_says_how_it_moves_when_asked(run: Run, runs: Path) -> None:
    points = runs.with_name("far.csv")
    points.write_text("n_params,n_tokens\n7e9,1e12\n")
    asked = ("forecast", runs, "--at", points, "--sensitivity")
    status, shown, _ = run(*asked, "--json")
    assert status == 0
    rows = json.loads(shown)["sensitivity"]
    assert rows[0]["variant"] == "as asked"
    assert {"law: additive, weak prior", "floor E: lowest third"} <= {r["variant"] for r in rows}
    assert "floor E: highest third" in " ".join(run(*asked)[1].split())


def test_compare_ranks_models(run: Run, runs: Path) -> None:
    names = "chinchilla_gp_weak,kaplan_plain_weak"
    status, shown, _ = run("compare", runs, "--models", names, "--json")
    assert status == 0
    made = json.loads(shown)
    assert {row["model"] for row in made["models"]} == set(names.split(","))
    assert made["best"] == made["models"][0]["model"]
    status, shown, _ = run("compare", runs, "--models", names)
    assert status == 0
    assert made["sentences"][0] in " ".join(shown.split())
    assert "not known" in shown


def test_compare_names_the_nearest_model(run: Run, runs: Path) -> None:
    status, _, said = run("compare", runs, "--models", "coupled_gp,chinchila")
    assert status == 2
    assert "unknown model 'chinchila'" in said


def test_fit_prints_the_checks_that_were_not_passed(run: Run, runs: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(runs)
    frame.loc[20, "loss"] *= 1.1
    frame.to_csv(tmp_path / "runs.csv", index=False)
    fit = ("fit", tmp_path / "runs.csv", "--model", "chinchilla_plain_weak")
    status, shown, _ = run(*fit)
    assert status == 0
    assert "REVIEW outlier_runs: 1 of 48 runs lies" in shown
    assert "PASS" not in shown
    levels = {f["check"]: f["level"] for f in json.loads(run(*fit, "--json")[1])["checks"]}
    assert levels["outlier_runs"] == "REVIEW"
    assert levels["sampling"] == "PASS"


def test_allocate_answers_in_text_and_json(run: Run, runs: Path) -> None:
    status, shown, _ = run("allocate", runs, "--flops", "1e22", "--n-params", "7B", "--json")
    (allocation,) = json.loads(shown)["allocations"]
    assert status == 0
    assert allocation["flops"] == 1e22
    assert run("allocate", runs, "--flops", "1e22")[0] == 0


def test_decide_gives_a_verdict_a_page_and_json(run: Run, runs: Path, plan: Path) -> None:
    page, record = runs.with_name("decision.html"), runs.with_name("decision.json")
    status, shown, _ = run("decide", runs, "--plan", plan, "--html", page, "--json", record)
    verdict = json.loads(record.read_text())["verdict"]
    assert status == 0
    assert verdict in ("FUND", "DO NOT FUND", "RUN PILOTS FIRST")
    assert shown.startswith(verdict)
    assert verdict in page.read_text()
    assert json.loads(run("decide", runs, "--plan", plan, "--json", "-")[1])["verdict"] == verdict
    assert json.loads(run("decide", runs, "--json", "--plan", plan)[1])["verdict"] == verdict
    status, _, said = run("decide", "--json", runs, "--plan", plan)
    assert status == 2
    assert "Missing argument" in said or "expected a name ending in .json" in said


def test_report_works_with_and_without_a_plan(run: Run, runs: Path, plan: Path) -> None:
    page = runs.with_name("report.html")
    status, shown, _ = run("report", runs, "--html", page, "--json")
    assert status == 0
    said = {"format": 1, "html": str(page), "markdown": None, "verdict": None}
    assert json.loads(shown) == said
    assert run("report", runs, "--html", page, "--plan", plan)[0] == 0


LISTS = {"laws": "laws", "models": "models", "data": "tables", "corpus": "corpora"}


@pytest.mark.parametrize("verb", LISTS)
def test_lists_agree_with_their_json(run: Run, verb: str) -> None:
    status, shown, _ = run(verb)
    content = json.loads(run(verb, "--json")[1])
    assert [*content] == ["format", LISTS[verb]]
    records = content[LISTS[verb]]
    names = [entry if isinstance(entry, str) else entry["name"] for entry in records]
    assert status == 0
    assert names
    assert all(name in shown for name in names)


def test_one_law_and_one_model_are_shown_whole(run: Run) -> None:
    assert "gamma" in run("laws", "coupled")[1]
    shown = run("models", "chinchilla_gp_weak")[1]
    assert "kappa: 0.12" in shown
    assert "hash " in shown


def test_laws_says_which_a_table_serves_and_why_not_the_others(run: Run, runs: Path):
    status, shown, _ = run("laws", "--for", runs, "--json")
    assert status == 0
    found = {law["name"]: law for law in json.loads(shown)["laws"]}
    assert found["chinchilla"]["usable"]
    assert found["chinchilla"]["n_runs"] == 48
    assert found["data_constrained"]["missing"] == ["n_tokens_unique"]
    assert "no n_tokens_unique" in run("laws", "--for", runs)[1]
    assert run("laws", "chinchilla", "--for", runs)[1].count("\n") == 2


def test_laws_tells_and_draws_one(run: Run, tmp_path: Path):
    picture = tmp_path / "law.png"
    status, shown, _ = run("laws", "data_constrained", "--plot", picture)
    assert status == 0
    assert picture.stat().st_size > 10_000
    assert "printed in muennighoff2023scaling: E 1.8691" in shown
    (told,) = json.loads(run("laws", "data_constrained", "--json")[1])["laws"]
    assert told["published"][0]["textbook"]["R_D"] == 15.387756
    assert told["model"] == "data_constrained_plain_weak"
    assert {"name", "citation", "inputs", "output", "coefficients"} <= set(told)
    status, _, said = run("laws", "--plot", picture)
    assert status == 2
    assert "--plot draws one law, but none was named" in said


def test_own_priors_move_the_posterior(run: Run, runs: Path) -> None:
    own = runs.with_name("priors.yaml")
    own.write_text("E: {distribution: Normal, mu: 1.2, sigma: 0.01}\n", encoding="utf-8")
    status, shown, _ = run("fit", runs, "--priors", own, "--json")
    floors = [r["mean"] for r in json.loads(shown)["coefficients"] if r["coefficient"] == "E"]
    assert status == 0
    assert abs(floors[0] - 1.2) < 0.05


@pytest.mark.parametrize("name", sorted(path.name for path in BAD_RUNS.iterdir()))
def test_bad_tables_end_in_status_2_and_write_nothing(
    run: Run, points: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out.csv"
    status, _, message = run("forecast", BAD_RUNS / name, "--at", points, "--out", out)
    assert status == 2
    assert message.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_too_few_runs_and_one_size_are_refused(run: Run, runs: Path, tmp_path: Path) -> None:
    table = pd.read_csv(runs)
    table.head(5).to_csv(tmp_path / "few.csv", index=False)
    table.assign(n_params=1e8, n_tokens=table.n_tokens + 1e9).to_csv(tmp_path / "flat.csv")
    assert "holds 5 usable runs" in run("fit", tmp_path / "few.csv")[2]
    assert "all 48 runs have n_params = 1e+08" in run("fit", tmp_path / "flat.csv")[2]


def test_points_without_the_group_are_refused_before_the_fit(
    run: Run, runs: Path, points: Path, tmp_path: Path
) -> None:
    # Too few runs for any fit: what is said is said before one.
    table = pd.read_csv(runs).head(6).assign(dataset=["a", "b"] * 3)
    table.to_csv(tmp_path / "runs.csv", index=False)
    call = ("forecast", tmp_path / "runs.csv", "--at", points, "--group", "dataset")
    status, _, message = run(*call, "--pooling", "none")
    assert status == 2
    assert "\"forecast points\": unknown column 'dataset'" in message


def test_a_split_far_from_the_runs_is_labelled(run: Run, runs: Path) -> None:
    status, shown, _ = run("allocate", runs, "--flops", "1e27")
    assert status == 0
    assert "! The median optimal number of tokens" in shown
    assert "lies outside the fitted runs" in shown


@pytest.mark.filterwarnings("default::bayescale.errors.ExtrapolationWarning")
def test_a_far_point_is_labelled_not_refused(run: Run, runs: Path, tmp_path: Path) -> None:
    far = tmp_path / "far.csv"
    far.write_text("n_params,n_tokens\n1e13,1e16\n", encoding="utf-8")
    status, _, message = run("forecast", runs, "--at", far, "--out", tmp_path / "out.csv")
    assert status == 0
    assert "times the compute of the largest fitted run" in message


@pytest.mark.parametrize("verb", ["fit", "forecast"])
def test_a_fresh_process_prints_no_traceback(runs: Path, verb: str) -> None:
    command = [sys.executable, "-m", "bayescale", verb, str(runs.with_name("gone.csv"))]
    done = subprocess.run(
        [*command, *(["--at", "x.csv"] if verb == "forecast" else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "gone.csv" in done.stderr
