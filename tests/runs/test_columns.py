"""Spellings and mappings."""

from __future__ import annotations

import pandas as pd
import pytest

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.schema import SPELLINGS
from bayescale.runs.table import read_runs


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({name: [1, 2] for name in ("n_params", "n_tokens", "loss")} | columns)


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
def test_every_spelling_is_recognised_in_any_case(spelling: str) -> None:
    column = pd.DataFrame({spelling.upper(): ["finished" if spelling == "status" else "1"]})
    assert read_runs(column).columns == (SPELLINGS[spelling],)


@pytest.mark.parametrize("column", ["val loss", "Val-Loss", " VAL_LOSS "])
def test_spaces_and_hyphens_do_not_matter(column: str) -> None:
    assert read_runs(pd.DataFrame({column: [2.0]})).columns == ("loss",)


def test_a_canonical_name_wins_over_a_spelling() -> None:
    runs = read_runs(table(params=[10, 20]))
    assert runs.numbers("n_params").tolist() == [1.0, 2.0]
    assert runs.numbers("params").tolist() == [10.0, 20.0]


def test_a_mapping_wins_over_the_canonical_name_and_keeps_both() -> None:
    runs = read_runs(table(ppl_loss=[5, 6]), columns={"loss": "ppl_loss"})
    assert runs.numbers("loss").tolist() == [5.0, 6.0]
    assert runs.numbers("file_loss").tolist() == [1.0, 2.0]


def test_a_mapping_settles_two_spellings() -> None:
    frame = pd.DataFrame({"params": [1], "num_params": [2]})
    with pytest.raises(RunsTableError, match=r"'params' and 'num_params' can both be read as n_"):
        read_runs(frame)
    runs = read_runs(frame, columns={"n_params": "num_params"})
    assert runs.columns == ("params", "n_params")


def test_a_mapping_to_another_name_frees_the_canonical_one() -> None:
    runs = read_runs(table(architecture=["d96", "d512"]), columns={"shape": "architecture"})
    assert "architecture" not in runs.columns
    assert runs.labels("shape").tolist() == ["d96", "d512"]


def test_a_mapped_column_must_exist() -> None:
    with pytest.raises(RunsTableError, match=r"loss to 'final_los'.*Did you mean 'final_loss'"):
        read_runs(pd.DataFrame({"final_loss": [1.0]}), columns={"loss": "final_los"})


def test_a_misspelled_canonical_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"column 'n_parms'.*Did you mean 'n_params'"):
        read_runs(table(size=[1, 2]), columns={"n_parms": "size"})


def test_a_mapping_is_a_mapping() -> None:
    with pytest.raises(RunsTableError, match="columns is 'n_params=size', expected a mapping"):
        read_runs(table(size=[1, 2]), columns="n_params=size")  # type: ignore[arg-type]


def test_one_column_has_one_name() -> None:
    with pytest.raises(RunsTableError, match="maps 'size' to two names"):
        read_runs(table(size=[1, 2]), columns={"n_params": "size", "n_params_nonembedding": "size"})


def test_extra_columns_are_kept_as_numbers_or_labels() -> None:
    runs = read_runs(table(width=["64", "128"], note=["wide", "7"], empty=[None, None]))
    assert runs.numbers("width").tolist() == [64.0, 128.0]
    assert runs.labels("note").tolist() == ["wide", "7"]
    assert not runs.has("empty")


def test_a_factor_before_a_column_multiplies_it() -> None:
    frame = pd.DataFrame({"Size (M)": ["25", "1,000"], "tokens_b": [0.5, 2.0], "loss": [4.0, 3.0]})
    columns = {"n_params": "1e6*Size (M)", "n_tokens": "1e9 * tokens_b"}
    runs = read_runs(frame, columns=columns)
    assert runs.numbers("n_params").tolist() == [25e6, 1e9]
    assert runs.numbers("n_tokens").tolist() == [5e8, 2e9]
    assert frame["tokens_b"].tolist() == [0.5, 2.0]


def test_a_factor_before_what_is_no_number_shows_the_cell() -> None:
    with pytest.raises(RunsTableError, match=r"n_params .*row 1: 'many'"):
        read_runs(table(size=["1", "many"]), columns={"n_params": "1e6*size"})
    with pytest.raises(RunsTableError, match=r"'1e6\*sizes', which does not exist"):
        read_runs(table(size=["1", "2"]), columns={"n_params": "1e6*sizes"})


def test_a_column_whose_name_holds_a_factor_is_itself() -> None:
    runs = read_runs(pd.DataFrame({"2*N": [1.0]}), columns={"n_params": "2*N"})
    assert runs.numbers("n_params").tolist() == [1.0]
