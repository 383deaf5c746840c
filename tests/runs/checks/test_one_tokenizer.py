"""Another tokenizer inside one group."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_two_tokenizers_in_a_group(check: Check, frame: pd.DataFrame) -> None:
    finding = check("one_tokenizer", tokenizer=["gpt2"] * 29 + ["llama3"])
    assert finding.level == "FAIL"
    assert "gpt2 (29 rows), llama3 (1 rows)" in finding.message
    assert "where='tokenizer=gpt2'" in finding.recommendation
    assert "columns={'loss': 'bits_per_byte'}" in finding.recommendation


def test_one_tokenizer_a_group(check: Check, frame: pd.DataFrame) -> None:
    names = ["a"] * 10 + ["b"] * 20
    assert check("one_tokenizer", ("dataset",), tokenizer=names, dataset=names).level == "PASS"
