"""The scorecard says what the committed results say, misses included."""

from __future__ import annotations

import importlib
import math
from pathlib import Path

import pytest


@pytest.fixture
def scorecard(repository: Path, monkeypatch):
    monkeypatch.syspath_prepend(repository / "benchmarks")
    return importlib.import_module("scorecard")


def test_the_page_is_that_of_the_committed_results(scorecard):
    assert scorecard.PAGE.read_text(encoding="utf-8") == scorecard.page()


def test_a_bound_is_read_as_it_is_said(scorecard):
    assert scorecard.bounds("at most 0.6") == (-math.inf, 0.6)
    assert scorecard.bounds("at least 42") == (42.0, math.inf)
    assert scorecard.bounds("0.85 to 0.95") == (0.85, 0.95)


@pytest.mark.parametrize("must", ["0.6", "about 0.6", "at most 0.5 to 0.6", "at most"])
def test_a_bound_that_says_neither_end_is_refused(scorecard, must: str):
    with pytest.raises(ValueError, match="is neither 'at most X', 'at least X' nor 'X to Y'"):
        scorecard.bounds(must)


def test_a_missed_number_is_said_to_be_missed(scorecard):
    row = {"what": "x", "file": "timings", "at": ["cores"], "must": "at most 1"}
    assert "**2.00: missed**" in scorecard._line(row)
    assert "missed" not in scorecard._line({**row, "must": "1 to 2"})
