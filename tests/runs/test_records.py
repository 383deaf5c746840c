"""Records: folder, JSONL and Parquet say the same, whatever a kill or another version left."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bayescale as bs
from bayescale.errors import RunsTableError
from bayescale.runs.records import (
    ORIGIN,
    VERSION_KEY,
    compact,
    is_records,
    query,
    read_records,
    runs_frame,
)


def record(unit, n_params, n_tokens, seed=0, **changed):
    loss = 2.0 + n_params**-0.3 + n_tokens**-0.3
    row = {
        "run_id": f"{unit}{seed}-{n_tokens}",
        "n_params": n_params,
        "n_tokens": n_tokens,
        "loss": loss,
        "bits_per_byte": None,
        "seed": seed,
        "status": "finished",
        **changed,
    }
    return {
        "row": row,
        "config_hash": unit,
        "tokens_sha256": "",
        "torch_version": "2",
        "hardware": "none",
        "cpu_seconds": 1.5,
    }


@pytest.fixture
def sweep(tmp_path):
    """A folder of three units, one of trials; a torn line, a repeated one, a diverged run."""
    units = {
        "aa": [record("aa", 1000, 20000), record("aa", 1000, 40000)],
        "bb": [record("bb", 4000, 20000), record("bb", 4000, 40000, loss=None, status="diverged")],
        "cc": [record("cc", 1000, 20000, seed=1000)],
    }
    units["bb"][0]["details"] = {"position_loss_2": [3.0, 2.0]}
    for name, records in units.items():
        folder = tmp_path / "sweep" / "units" / name
        folder.mkdir(parents=True)
        lines = [json.dumps(one) for one in records]
        (folder / "records.jsonl").write_text("\n".join([lines[0], *lines, lines[0][:30]]))
    stages = {"tuning": ["cc"], "sweep": ["aa", "bb"], "held_back": []}
    (tmp_path / "sweep" / "units.json").write_text(json.dumps(stages))
    return tmp_path / "sweep"


def test_folder_and_parquet_read_alike_without_trials(sweep):
    path = compact(sweep)
    assert path == sweep / "records.parquet"
    folder, parquet = bs.read_runs(sweep), bs.read_runs(path)
    assert len(folder) == 4
    assert folder.fingerprint == parquet.fingerprint
    assert set(folder.columns) - {"flops"} == set(record("aa", 1, 1)["row"])


def test_one_file_of_lines_reads_as_its_part_of_the_folder(sweep):
    lines = bs.read_runs(sweep / "units" / "aa" / "records.jsonl")
    whole = bs.read_runs(sweep, where="n_params=1000")
    assert lines.frame["loss"].tolist() == whole.frame["loss"].tolist()
    assert lines.columns == whole.columns


def test_compacting_keeps_what_a_table_leaves_out(sweep):
    found = read_records(compact(sweep)).to_pandas()
    assert found["stage"].value_counts().to_dict() == {"sweep": 4, "tuning": 1}
    assert json.loads(found["details"].dropna().item()) == {"position_loss_2": [3.0, 2.0]}
    assert set(ORIGIN) <= set(found)


def test_compacting_twice_writes_the_same_bytes(sweep, tmp_path):
    first = compact(sweep, tmp_path / "a.parquet").read_bytes()
    assert compact(tmp_path / "a.parquet", tmp_path / "b.parquet").read_bytes() == first


def test_a_file_from_before_a_column_existed_still_loads(sweep):
    path = compact(sweep)
    table = pq.read_table(path)
    older = table.drop_columns(["stage", "details"])
    pq.write_table(older.replace_schema_metadata({VERSION_KEY: b"1"}), path)
    assert len(runs_frame(read_records(path))) == 5  # nothing tells which were trials


def test_a_file_of_a_later_version_is_refused(sweep):
    path = compact(sweep)
    later = pq.read_table(path).replace_schema_metadata({VERSION_KEY: b"99"})
    pq.write_table(later, path)
    with pytest.raises(RunsTableError, match=r"version 99, expected 1 to 1"):
        bs.read_runs(path)


def test_other_files_are_no_records(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 1, "loss": 3.0}\n')
    pd.DataFrame({"n_params": [1.0]}).to_parquet(tmp_path / "runs.parquet")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    for path in (*tmp_path.iterdir(), tmp_path, tmp_path / "nothing.jsonl"):
        assert not is_records(path)
    with pytest.raises(RunsTableError, match=r"holds no records"):
        read_records(tmp_path)


def test_a_whole_line_that_is_no_record_is_quoted(sweep):
    file = sweep / "units" / "aa" / "records.jsonl"
    file.write_text(file.read_text().replace("\n", '\n{"loss": 3}\n', 1))
    with pytest.raises(RunsTableError, match=r"line 2 is no record; it begins '\{\"loss\": 3\}"):
        read_records(sweep)


def test_no_part_of_a_file_is_left_when_it_cannot_be_written(sweep, monkeypatch):
    def fail(*_, **__):
        raise pa.ArrowInvalid("full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(pa.ArrowInvalid, match="full"):
        compact(sweep)
    assert sorted(path.name for path in sweep.iterdir()) == ["units", "units.json"]


def test_a_query_sees_records_and_no_file(sweep):
    pytest.importorskip("duckdb", reason="queries need duckdb")
    found = query(sweep, "SELECT config_hash, count(*) AS n FROM records GROUP BY 1 ORDER BY 1")
    assert found.to_dict("list") == {"config_hash": ["aa", "bb", "cc"], "n": [2, 2, 1]}
    with pytest.raises(RunsTableError, match=r"(?i)disabled"):
        query(sweep, f"SELECT * FROM read_csv('{sweep}/units.json')")
    with pytest.raises(RunsTableError, match=r"(?i)parser error.*called records"):
        query(sweep, "SELEC 1")
