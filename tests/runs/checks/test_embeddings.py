"""Whether parameters include the embeddings."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bayescale.runs.lint import Finding

Check = Callable[..., Finding]


def test_small_networks_need_the_second_count(check: Check, frame: pd.DataFrame) -> None:
    finding = check("embeddings", n_params=frame["n_params"] / 2)
    assert (finding.level, finding.rows) == ("REVIEW", (0, 1, 2, 3, 4, 5))
    assert "n_params_nonembedding" in finding.recommendation


def test_both_counts_are_enough(check: Check, frame: pd.DataFrame) -> None:
    n = frame["n_params"] / 100
    finding = check("embeddings", n_params=n, n_params_nonembedding=0.4 * n)
    assert finding.level == "PASS"
    assert finding.message.endswith("embeddings are up to 60%.")


def test_swapped_counts(check: Check, frame: pd.DataFrame) -> None:
    finding = check("embeddings", n_params_nonembedding=2 * frame["n_params"])
    assert finding.level == "FAIL"
    assert "as 200000000 and 100000000" in finding.message


def test_equal_counts(check: Check, frame: pd.DataFrame) -> None:
    assert check("embeddings", n_params_nonembedding=frame["n_params"]).level == "REVIEW"
