"""Calls of the command line that make no sense: status 2, the value found, nothing on stdout."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bayescale.cli import main

BAD_CALLS = {
    "missing file": (["fit", "nope.csv"], "nope.csv"),
    "misspelled model": (
        ["fit", "{runs}", "--model", "coupled_gp_wek"],
        "Did you mean 'coupled_gp_weak'",
    ),
    "misspelled law": (["laws", "chinchila"], "Did you mean 'chinchilla'"),
    "misspelled group": (["fit", "{runs}", "--group", "datset"], "datset"),
    "misspelled engine": (["fit", "{runs}", "--engine", "numts"], "Did you mean 'nuts'"),
    "bad pooling": (["fit", "{runs}", "--pooling", "some"], "'some'"),
    "no spreads": (
        ["fit", "{runs}", "--model", "coupled_gp_weak", "--pooling", "partial"],
        "states no spreads",
    ),
    "bad condition": (["fit", "{runs}", "--where", "loss_knd=c4"], "loss_knd"),
    "bad column": (["fit", "{runs}", "--column", "n_params"], "--column is 'n_params'"),
    "bad flops": (["allocate", "{runs}", "--flops", "lots"], "--flops is 'lots'"),
    "negative flops": (["allocate", "{runs}", "--flops=-1e20"], "--flops is '-1e20'"),
    "missing points": (["forecast", "{runs}", "--at", "gone.csv"], "gone.csv"),
    "missing plan": (["decide", "{runs}", "--plan", "gone.yaml"], "gone.yaml"),
    "no plan": (["decide", "{runs}"], "title: Fund the 7B run?"),
    "no plan for pilots": (["next-run", "{runs}"], "title: Fund the 7B run?"),
    "model with posterior": (["forecast", "x.nc", "--at", "y.csv", "--model", "kaplan"], "--model"),
    "missing posterior": (["forecast", "gone.nc", "--at", "y.csv"], "gone.nc"),
    "unknown table": (["data", "cpu_gcide_lama"], "cpu_gcide_lama"),
    "unknown public table": (["data", "chincilla"], "Did you mean 'chinchilla'"),
    "unknown corpus": (["corpus", "python_stdlb"], "python_stdlb"),
    "negative seed": (["fit", "{runs}", "--seed=-1"], "--seed"),
    "no draws": (["fit", "{runs}", "--draws", "0"], "--draws"),
    "no passes": (["fit", "{runs}", "--max-epochs", "0"], "max_epochs is 0.0"),
    "no processes": (["backtest", "{runs}", "--jobs", "0"], "n_jobs is 0"),
    "posterior as text": (["fit", "{runs}", "--out", "p.txt"], "expected a name ending in .nc"),
    "table as text": (["forecast", "{runs}", "--at", "x", "--out", "o.txt"], "ending in .csv"),
    "into a folder": (["report", "{runs}", "--html", "."], ".: is a folder"),
    "inside a file": (["report", "{runs}", "--html", "{runs}/x.html"], "runs.csv is a file, so"),
    "schedule": (["laws", "multi_power", "--plot", "x.png"], "is read along a schedule"),
    "unknown option": (["fit", "{runs}", "--frobnicate"], "--frobnicate"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls_end_in_status_2_with_the_value(
    runs_file: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, value = BAD_CALLS[case]
    with pytest.raises(SystemExit, match="2"):
        main([argument.format(runs=runs_file) for argument in arguments])
    shown = capsys.readouterr()
    assert value in " ".join(shown.err.split())
    assert shown.out == ""


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """Return the error of a bad call as JSON; text is on stderr too."""
    with pytest.raises(SystemExit, match="2"):
        main([str(word) for word in words])
    shown = capsys.readouterr()
    content = json.loads(shown.out)
    assert content["format"] == 1
    assert content["error"]["message"] in " ".join(shown.err.split())
    assert content["error"]["status"] == 2
    return dict(content["error"])


def test_errors_are_json_where_the_answer_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs.csv"
    runs.write_text("n_params,n_tokens,loss\n1e8,2e9,3.1\n2e8,2e9,0\n3e8,2e9,-1\n")
    found = refused(capsys, "fit", runs, "--json")
    assert found["kind"] == "RunsTableError"
    assert (found["table"], found["column"], found["rows"]) == ("runs", "loss", [1, 2])
    assert "loss>0" in found["hint"]
    assert refused(capsys, "check", "--json", runs, "--frobnicate")["kind"] == "NoSuchOption"
    found = refused(capsys, "laws", "chinchila", "--json")
    assert (found["kind"], found["what"], found["name"]) == ("UnknownNameError", "law", "chinchila")


def test_an_error_goes_to_the_screen_where_json_goes_to_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["decide", "nope.csv", "--plan", "nope.yaml", "--json", str(tmp_path / "d.json")])
    assert capsys.readouterr().out == ""


def test_a_job_is_followed_before_its_first_rows(
    runs_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "job.csv"

    def write() -> None:
        time.sleep(0.1)
        log.write_text("")
        time.sleep(0.1)
        log.write_text("tokens,loss\n")
        time.sleep(0.1)
        log.write_text("tokens,loss\n1e10,3.1\n2e10,2.9\n")

    job = threading.Thread(target=write)
    sizes = ["--n-params", "1B", "--n-tokens", "20B"]
    words = ["watch", str(log), "--against", str(runs_file), *sizes, "--json"]
    assert "no file or folder" in refused(capsys, *words)["message"]
    job.start()
    with pytest.raises(SystemExit, match="0"):
        main([*words, "--follow", "0.05"])
    job.join()
    shown = capsys.readouterr()
    assert json.loads(shown.out)["done"] == 1.0
    assert shown.err.count("Looking again every 0.05 s; Ctrl-C ends it.") == 1
