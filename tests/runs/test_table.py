"""Reading: sources, types, checks, and what must not happen to a user's frame."""

from __future__ import annotations

import decimal
import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayescale.errors import BayescaleError, RunsTableError
from bayescale.runs.lint import lint
from bayescale.runs.sources import Source
from bayescale.runs.table import read_runs

TEXT = "params,tokens,val_loss,corpus\n1.5B,2e12,2.1,c4\n70M,1_000,4.5,c4\n"


def refusal(source: Source) -> str:
    """Return the message with which a source is refused, empty when it is read."""
    try:
        read_runs(source)
    except BayescaleError as error:
        return str(error)
    return ""


def test_the_same_table_from_every_source(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeff" + TEXT, encoding="utf-8")
    with gzip.open(tmp_path / "b.csv.gz", "wt") as file:
        file.write(TEXT.replace("\n", "\r\n"))
    frame = pd.DataFrame(
        {"params": [1.5e9, 7e7], "tokens": [2e12, 1e3], "val_loss": [2.1, 4.5], "corpus": "c4"}
    )
    frame.to_parquet(tmp_path / "c.parquet")
    tables = [read_runs(tmp_path / n) for n in ("a.csv", "b.csv.gz", "c.parquet")]
    tables += [read_runs(str(tmp_path / "a.csv")), read_runs(frame), read_runs(read_runs(frame))]
    assert [table.name for table in tables] == ["a", "b", "c", "a", "runs", "runs"]
    assert len({table.fingerprint for table in tables}) == 1
    assert tables[0].columns == ("n_params", "n_tokens", "loss", "dataset", "flops")


@pytest.mark.parametrize("mark", ["\t", ";", "|"])
def test_columns_may_be_separated_by_other_marks(tmp_path: Path, mark: str) -> None:
    """Known by a header without commas; a comma in a cell below is a cell's own."""
    comma, other = tmp_path / "a.csv", tmp_path / "b.tsv"
    comma.write_text(TEXT.replace("1_000", '"1,000"'))
    other.write_text("\ufeff\n" + TEXT.replace(",", mark).replace("1_000", "1,000"), "utf-8")
    found = read_runs(other)
    assert (found.name, found.fingerprint) == ("b", read_runs(comma).fingerprint)


def test_lines_of_commas_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT.replace("70M", "\n,,,\n70M") + " , ,,\n\n")
    assert len(read_runs(tmp_path / "a.csv")) == 2


def test_what_is_no_plain_file_is_told_from_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "packed.csv").write_bytes(gzip.compress(TEXT.encode()))
    assert "let its name end in .csv.gz" in refusal(tmp_path / "packed.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is a pipe, not a file. Save the table" in refusal(tmp_path / "pipe.csv")


def test_flops_are_derived_as_float_and_said_so() -> None:
    runs = read_runs(pd.DataFrame({"N": [10**12], "D": [10**15], "L": [2.0]}))
    assert runs.derived == ("flops",)
    assert runs.numbers("flops").tolist() == [6e27]


def test_given_flops_are_kept_and_6nd_is_still_6nd() -> None:
    runs = read_runs(pd.DataFrame({"N": [1e9], "D": [2e10], "C": [9e20], "L": [2.0]}))
    assert runs.derived == ()
    assert runs.numbers("flops").tolist() == [9e20]
    assert runs.compute_6nd.tolist() == [1.2e20]


def test_derived_flops_follow_a_new_mapping() -> None:
    runs = read_runs(pd.DataFrame({"N": [1e9], "D": [2e10], "other": [4e10], "L": [2.0]}))
    assert read_runs(runs, columns={"n_tokens": "other"}).numbers("flops").tolist() == [2.4e20]


def test_a_frame_is_never_changed() -> None:
    frame = pd.DataFrame(
        {
            "params": pd.array([1, 2, 3], dtype="Int64"),
            "tokens": ["1B", "2B", "3B"],
            "loss": [3.0, 2.0, 1.0],
            "corpus": pd.Categorical(["c4", "pile", None]),
            "seed": [1.0, np.nan, 3.0],
            "when": pd.to_datetime(["2024-01-01", None, "2024-01-03"]),
        },
        index=pd.Index([7, 7, 9]),
    )
    before = frame.copy(deep=True)
    runs = read_runs(frame, columns={"dataset": "corpus"}, where="loss<2.5")
    copy = runs.frame
    copy["loss"] = 0.0
    assert runs.numbers("loss").tolist() == [2.0, 1.0]
    pd.testing.assert_frame_equal(frame, before, check_exact=True)
    assert runs.labels("seed").tolist() == ["", "3"]
    assert runs.labels("dataset").tolist() == ["pile", ""]


def test_changing_the_frame_later_does_not_change_the_table() -> None:
    frame = pd.DataFrame({"loss": [3.0, 2.0]})
    runs = read_runs(frame)
    frame.loc[0, "loss"] = 9.0
    assert runs.numbers("loss").tolist() == [3.0, 2.0]


def test_a_named_index_is_data() -> None:
    frame = pd.DataFrame({"N": [1e8, 1e8, 2e8], "D": [1e9, 1e9, 1e9], "loss": [3.0, 3.2, 2.9]})
    runs = read_runs(frame.groupby(["N", "D"]).mean())
    assert runs.columns[:3] == ("n_params", "n_tokens", "loss")


def test_column_names_are_one_line_of_text() -> None:
    runs = read_runs(pd.DataFrame([[2.0, 1, 2, 3]], columns=["loss", "two\nlines", "", 7]))
    assert runs.columns == ("loss", "two lines", "column_2", "7")


def test_odd_cells_of_a_frame() -> None:
    cells = [decimal.Decimal("3.5"), np.float32(2.5), 2, "1.5"]
    assert read_runs(pd.DataFrame({"loss": cells})).numbers("loss").tolist() == [3.5, 2.5, 2.0, 1.5]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"loss": [True, False]}, "column loss .*row 0: 'True'"),
        ({"loss": [1.0, [2.0]]}, r"column loss .*row 1: '\[2.0\]'"),
        ({"loss": [1.0, 0.0]}, "column loss .*row 1: 0;"),
        ({"loss": [1.0, -np.inf]}, "column loss .*row 1: -inf"),
        ({"n_tokens": [1, -(10**19)]}, r"column n_tokens .*row 1: -1e\+19"),
        ({"loss": pd.to_datetime(["2024-01-01"])}, "column loss .*row 0: '2024-01-01"),
        ({"status": ["finished", None]}, "column status .*row 1: ''"),
    ],
)
def test_faulty_frames_are_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(RunsTableError, match=message):
        read_runs(pd.DataFrame(columns))


def test_a_message_names_the_table_and_counts_the_rows() -> None:
    frame = pd.DataFrame({"loss": [0.0] * 7 + [1.0]})
    with pytest.raises(RunsTableError, match=r'"mine": .* holds 7 value.*row 4: 0 and 2 more'):
        read_runs(frame, name="mine")


def test_odd_frames_are_refused() -> None:
    with pytest.raises(RunsTableError, match="columns have 2 levels"):
        read_runs(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))
    with pytest.raises(RunsTableError, match="occur twice: loss"):
        read_runs(pd.DataFrame([[1, 2]], columns=["loss", "loss"]))
    with pytest.raises(RunsTableError, match='"runs": has a header and no rows'):
        read_runs(pd.DataFrame({"loss": []}))
    with pytest.raises(RunsTableError, match='"runs": has a header and no rows'):
        read_runs(pd.DataFrame(index=[1, 2]))


@pytest.mark.parametrize("source", [3, None, [{"loss": 1}], {"loss": [1]}])
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(RunsTableError, match=f"not from {type(source).__name__}"):
        read_runs(source)  # type: ignore[arg-type]


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "runs_2024.csv").write_text(TEXT)
    with pytest.raises(RunsTableError, match=r"no file '.*runs_2042.csv'.*'runs_2024.csv'"):
        read_runs(tmp_path / "runs_2042.csv")
    with pytest.raises(RunsTableError, match=r"no file 'nowhere/at/all.csv', and no shipped table"):
        read_runs("nowhere/at/all.csv")


def test_text_in_place_of_a_path() -> None:
    with pytest.raises(RunsTableError, match=r"'n_params,n_tokens.*cannot be looked up"):
        read_runs("n_params,n_tokens,loss\n" + "1e8,2e9,3.0\n" * 500)


def test_cutting_a_table_again() -> None:
    runs = read_runs(pd.DataFrame({"loss": [3.0, 2.0], "dataset": ["a", "b"]}), name="first")
    again = read_runs(runs, where="dataset=b", name="second")
    assert (again.name, again.numbers("loss").tolist()) == ("second", [2.0])
    assert read_runs(runs).name == "first"


def test_a_folder_names_the_tables_in_it(tmp_path: Path) -> None:
    (tmp_path / "runs_2024.csv").write_text(TEXT)
    with pytest.raises(RunsTableError, match=r"is a folder.*runs_2024\.csv"):
        read_runs(tmp_path)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "locked.csv"
    path.write_text(TEXT)

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(RunsTableError, match=r"locked\.csv: cannot be read \(.*Permission denied"):
        read_runs(path)


def test_an_unnamed_first_column_is_kept(tmp_path: Path) -> None:
    pd.DataFrame({"loss": [2.0, 3.0]}).to_csv(tmp_path / "with_index.csv")
    assert read_runs(tmp_path / "with_index.csv").columns == ("column_0", "loss")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_message(tmp_path: Path, content: bytes) -> None:
    for name in ("x.csv", "x.csv.gz", "x.parquet"):
        (tmp_path / name).write_bytes(content)
        message = refusal(tmp_path / name)
        assert not message or name in message or '"x"' in message


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(max_size=5), min_size=2, max_size=2), min_size=1, max_size=4))
def test_any_text_cells_are_a_table_or_a_message(rows: list[list[str]]) -> None:
    message = refusal(pd.DataFrame(rows, columns=["loss", "note"]))
    assert not message or "column loss" in message


def test_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, bayescale.runs, bayescale.runs.schema;"
        "assert not {'pandas', 'numpy', 'pydantic'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_public_names_are_lazy_and_real() -> None:
    import bayescale.runs as package

    assert [getattr(package, name).__name__ for name in package.__all__] == package.__all__
    with pytest.raises(AttributeError, match="no attribute 'read_run'"):
        _ = package.read_run


def test_a_run_that_diverged_needs_no_loss():
    frame = pd.DataFrame(
        {
            "n_params": [1e8, 2e8, 4e8],
            "n_tokens": [1e10, 1e10, 1e10],
            "loss": [3.0, None, 2.8],
            "status": ["finished", "diverged", "finished"],
        }
    )
    runs = read_runs(frame)
    assert runs.usable()[0].data["loss"].tolist() == [3.0, 2.8]
    assert {finding.level for finding in lint(runs)} <= {"PASS", "REVIEW", "FAIL"}
    with pytest.raises(RunsTableError, match=r"holds 1 value\(s\) that are not finite"):
        read_runs(frame.assign(status="finished"))


def test_the_way_out_of_wrong_numbers_leads_out() -> None:
    frame = pd.DataFrame(
        {"n_params": [1e8] * 3, "n_tokens": [2e9] * 3, "loss": [3.0, np.inf, -1.0]}
    )
    with pytest.raises(RunsTableError, match="where='loss>0 and loss<inf'"):
        read_runs(frame)
    assert len(read_runs(frame, where="loss>0 and loss<inf")) == 1
    with pytest.raises(
        RunsTableError, match=r"map another column: columns=\{'loss': 'your column'"
    ):
        read_runs(frame.assign(loss=-1.0))
