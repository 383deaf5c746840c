"""Columns that no law finds: said, and never passed over."""

from __future__ import annotations

import pandas as pd
import pytest

from bayescale.runs.lint import Finding, lint
from bayescale.runs.suggest import suggestion


def found(frame: pd.DataFrame) -> Finding:
    return next(finding for finding in lint(frame) if finding.check == "columns")


def test_columns_that_were_not_recognised_fail_with_what_to_write(frame: pd.DataFrame) -> None:
    named = {"n_params": "Model Size (M)", "n_tokens": "Seen (B tok)", "loss": "Val Loss (nats)"}
    finding = found(frame.rename(columns=named))
    assert finding.level == "FAIL"
    assert "the table has Model Size (M), Seen (B tok), Val Loss (nats), dataset" in finding.message
    for words in ("--column 'n_params=1e6*Model Size (M)'", "--column 'loss=Val Loss (nats)'"):
        assert words in finding.recommendation


def test_one_missing_column_is_for_review(frame: pd.DataFrame) -> None:
    finding = found(frame.drop(columns="n_tokens"))
    assert finding.level == "REVIEW"
    assert "--column 'n_tokens=your column'" in finding.recommendation


@pytest.mark.parametrize(
    ("ours", "columns", "meant"),
    [
        ("n_params", ["size_b", "x"], "1e9*size_b"),
        ("n_params", ["params in millions"], "1e6*params in millions"),
        ("n_tokens", ["Tokens (T)"], "1e12*Tokens (T)"),
        ("n_tokens", ["train tok"], "train tok"),
        ("loss", ["train loss", "val loss"], ""),
        ("loss", ["loss_m"], "loss_m"),
        ("dataset", ["corpus size"], ""),
    ],
)
def test_what_is_probably_meant(ours: str, columns: list[str], meant: str) -> None:
    assert suggestion(ours, columns) == meant
