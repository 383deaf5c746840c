"""Calls of the command line that make no sense: status 2, the value found, nothing on stdout."""

from __future__ import annotations

from pathlib import Path

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
