"""Loss in bits, as a perplexity, or no loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_a_perplexity(check: Check, frame: pd.DataFrame) -> None:
    finding = check("units_loss", loss=np.exp(frame["loss"]))
    assert finding.level == "FAIL"
    assert "worse than guessing: a perplexity?" in finding.message
    assert "loss=numpy.log(frame['loss'])" in finding.recommendation


def test_bits_per_byte(check: Check, frame: pd.DataFrame) -> None:
    finding = check("units_loss", bits_per_byte=frame["loss"])
    assert (finding.level, finding.message) == ("FAIL", "loss equals bits_per_byte in every row.")
    assert check("units_loss", bits_per_byte=0.3 * frame["loss"]).level == "PASS"


@pytest.mark.parametrize(("factor", "word"), [(0.3, "bits per byte"), (3.5, "a perplexity")])
def test_an_odd_median(check: Check, frame: pd.DataFrame, factor: float, word: str) -> None:
    finding = check("units_loss", loss=factor * frame["loss"])
    assert finding.level == "REVIEW"
    assert word in finding.message


@pytest.mark.parametrize("kind", ["val_perplexity", "test_ppl", "bits_per_char", "error", "bpb"])
def test_a_kind_that_names_another_unit(check: Check, kind: str) -> None:
    finding = check("units_loss", loss_kind=kind)
    assert finding.level == "REVIEW"
    assert f"loss_kind {kind!r} does not name nats" in finding.message


@pytest.mark.parametrize("kind", ["c4_validation", "log_perplexity", "log_validation_ppl"])
def test_a_log_perplexity_is_in_nats(check: Check, kind: str) -> None:
    assert check("units_loss", loss_kind=kind).level == "PASS"
