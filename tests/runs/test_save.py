"""Saving: exact, whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayescale.errors import RunsTableError
from bayescale.runs.save import write_atomically
from bayescale.runs.schema import LARGEST
from bayescale.runs.table import RunsTable, read_runs

NAMES = ("x.csv", "x.csv.gz", "x.parquet")

LABEL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_reads_back_bit_identical(tmp_path: Path, runs: RunsTable, name: str) -> None:
    path = runs.save(tmp_path / "new folder" / name)
    assert path == tmp_path / "new folder" / name
    assert read_runs(path).fingerprint == runs.fingerprint


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.floats(1e-300, LARGEST["positive"]),
            st.floats() | st.integers(-(2**60), 2**60),
            LABEL,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_table_reads_back(tmp_path: Path, rows: list[tuple[float, float, str]]) -> None:
    runs = read_runs(pd.DataFrame(rows, columns=["loss", "extra", "dataset"]))
    for name in NAMES:
        assert read_runs(runs.save(tmp_path / name)).fingerprint == runs.fingerprint


def test_large_counts_are_written_as_integers(tmp_path: Path) -> None:
    runs = read_runs(pd.DataFrame({"n_params": ["6.86B"], "n_tokens": [1e21], "loss": [2.5]}))
    text = runs.save(tmp_path / "x.csv").read_text()
    assert text == "n_params,n_tokens,loss,flops\n6860000000,1e+21,2.5,4.116e+31\n"


def test_other_endings_are_refused(tmp_path: Path, runs: RunsTable) -> None:
    with pytest.raises(RunsTableError, match=r"x\.xlsx: a runs table cannot be saved"):
        runs.save(tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, runs: RunsTable, monkeypatch: pytest.MonkeyPatch, step: str, name: str
) -> None:
    path = runs.save(tmp_path / name)
    before = path.read_bytes()

    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        runs.where("n_params>1e9").save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def write(part: Path) -> None:
        part.write_text("half")
        raise RuntimeError("stopped after half")

    with pytest.raises(RuntimeError, match="stopped after half"):
        write_atomically(tmp_path / "x.txt", write)
    assert list(tmp_path.iterdir()) == []


def test_the_file_gets_the_usual_permissions(tmp_path: Path, runs: RunsTable) -> None:
    usual = tmp_path / "usual"
    usual.write_text("")
    assert runs.save(tmp_path / "x.csv").stat().st_mode == usual.stat().st_mode


LOOP = """
import sys, pandas as pd
from bayescale.runs.table import read_runs
tables = [read_runs(pd.DataFrame({"loss": [float(v)] * 20_000})) for v in (1, 2)]
print("ready", flush=True)
while True:
    for table in tables:
        table.save(sys.argv[1])
"""


@pytest.mark.slow
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rng = np.random.default_rng(0)
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        while not path.exists():
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0.0, 0.2)))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        loss = read_runs(path).numbers("loss")
        assert loss.size == 20_000
        assert np.unique(loss).size == 1
