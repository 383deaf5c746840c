"""Records: one row each, append-only, readable after any kill."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError  # noqa: E402
from bayescale.harness import record  # noqa: E402
from bayescale.harness.data import TokenBatches, open_batches  # noqa: E402
from bayescale.harness.evaluate import Evaluation  # noqa: E402
from bayescale.harness.measure import Measurement  # noqa: E402
from bayescale.runs import schema  # noqa: E402


@pytest.fixture
def make_record(make_unit):
    def make(step=20, loss=1.5, status="finished"):
        unit = make_unit()
        made = Measurement(found=Evaluation(loss=loss, loss_se=0.01))
        row = record.run_row(unit, 0, step, open_batches(unit, None), made, status)
        return record.RunRecord(
            row=row,
            config_hash=unit.content_hash,
            tokens_sha256="",
            torch_version="2",
            hardware="none",
            cpu_seconds=1.0,
        )

    return make


def test_every_column_is_known(make_record):
    assert set(make_record().row) <= set(schema.BY_NAME)


def test_a_row_counts_tokens_and_operations(make_record):
    row = make_record(step=20).row
    assert row["n_tokens"] == 20 * 64
    assert row["flops"] == 6 * (row["n_params"] - 8 * 16) * 20 * 64
    assert row["bits_per_byte"] is None
    assert row["run_id"] == f"{row['trunk']}-20"


def test_repeated_tokens_are_counted_as_such(make_unit):
    batches = TokenBatches(np.zeros(600, np.uint8), n_heldout=200, context=16, eval_tokens=64)
    made = Measurement(found=Evaluation(loss=1.5, loss_se=0.01))
    row = record.run_row(make_unit(), 0, 20, batches, made, "finished")
    assert (row["n_tokens"], row["n_tokens_unique"], row["epochs"]) == (1280, 400, 3.2)


def test_a_loss_that_is_no_number_stays_empty(make_record):
    row = make_record(loss=math.nan, status="diverged").row
    assert (row["loss"], row["loss_se"], row["status"]) == (None, None, "diverged")


def test_records_come_back_and_repeated_ones_count_once(make_record, tmp_path):
    record.append(tmp_path, [make_record(step=20), make_record(step=40)])
    record.append(tmp_path, [make_record(step=40)])
    found = record.read(tmp_path)
    assert list(found.values()) == [make_record(step=20), make_record(step=40)]


def test_a_line_torn_by_a_kill_is_left_behind(make_record, tmp_path):
    record.append(tmp_path, [make_record(step=20)])
    path = tmp_path / record.FILE_NAME
    with path.open("a") as file:
        file.write(path.read_text()[:50])
    record.append(tmp_path, [make_record(step=40)])
    assert [r.row["step"] for r in record.read(tmp_path).values()] == [20, 40]


def test_a_full_disk_is_an_error_of_the_unit(make_record, tmp_path):
    (tmp_path / record.FILE_NAME).symlink_to("/dev/full")
    with pytest.raises(HarnessError, match=r"1 records cannot be written \(No space left"):
        record.append(tmp_path, [make_record()])


def test_no_file_is_no_records(tmp_path):
    assert record.read(tmp_path) == {}


def test_a_line_that_is_no_record_is_quoted(tmp_path):
    (tmp_path / record.FILE_NAME).write_text(json.dumps({"loss": 3}) + "\n")
    with pytest.raises(HarnessError, match=r"line 1: not a run record.*begins '\{\"loss\": 3\}'"):
        record.read(tmp_path)
