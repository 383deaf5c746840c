"""Locks and appends: one holder, whole lines, whoever writes and whatever the disk takes."""

from __future__ import annotations

import multiprocessing

import pytest

from bayescale.errors import HarnessError
from bayescale.harness.locks import append_whole, held

LONG = "x" * 20_000


def _append(path, writer, n_lines):
    for number in range(n_lines):
        append_whole(path, [f"{writer} {number} {LONG}\n"])


def test_a_second_holder_is_refused_by_name(tmp_path):
    path, said = tmp_path / "a" / "lock", r"folder 'a': process \d+ on \S+ is at work on it"
    with (
        held(path, "folder 'a'"),
        pytest.raises(HarnessError, match=said),
        held(path, "folder 'a'"),
    ):
        pass
    with held(path, "folder 'a'"):
        pass


def test_lines_of_several_writers_stay_whole(tmp_path):
    path, context = tmp_path / "lines", multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(path, k, 25)) for k in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = path.read_text().splitlines()
    assert {len(line.split()[2]) for line in lines} == {len(LONG)}
    for writer in range(3):
        mine = [int(line.split()[1]) for line in lines if line.startswith(f"{writer} ")]
        assert mine == list(range(25))


def test_a_full_disk_leaves_a_file_as_it_was(tmp_path):
    pytest.importorskip("resource", reason="limits of file size are those of Unix")
    path = tmp_path / "lines"
    append_whole(path, ["first\n"])
    child = multiprocessing.get_context("spawn").Process(target=_append_too_much, args=(path,))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert path.read_text() == "first\n"


def _append_too_much(path):
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with pytest.raises(OSError, match="File too large"):
        append_whole(path, [LONG + "\n"])
