"""Checkpoints: whole, two kept, tensors only."""

from __future__ import annotations

import os
from dataclasses import fields

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import BayescaleWarning, HarnessError  # noqa: E402
from bayescale.harness import checkpoint  # noqa: E402
from bayescale.harness.checkpoint import TrainState  # noqa: E402


@pytest.fixture
def state():
    return TrainState.begin(torch.randn(2, 5, generator=torch.Generator().manual_seed(0)))


def test_a_state_comes_back_equal(state, tmp_path):
    state.leave_trunk()
    state.segment, state.step = 3, 17
    checkpoint.save(tmp_path, state)
    found = checkpoint.load(tmp_path)
    for field in fields(state):
        ours, theirs = getattr(state, field.name), getattr(found, field.name)
        assert torch.equal(ours, theirs) if isinstance(ours, torch.Tensor) else ours == theirs


def test_the_newest_two_are_kept_and_the_newest_read(state, tmp_path):
    for step in range(4):
        state.step = step
        checkpoint.save(tmp_path, state)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["checkpoint-00000002.pt", "checkpoint-00000003.pt"]
    assert checkpoint.load(tmp_path).step == 3


def test_no_checkpoint_is_none(tmp_path):
    assert checkpoint.load(tmp_path) is None


def test_a_return_to_the_trunk_brings_back_every_tensor(state):
    before = state.params.clone()
    state.leave_trunk()
    state.params.add_(1)
    state.moment1.add_(1)
    state.step = 9
    state.return_to_trunk(4)
    assert torch.equal(state.params, before)
    assert (state.moment1 == 0).all()
    assert (state.step, state.trunk.numel()) == (4, 0)


def test_a_damaged_file_is_refused(state, tmp_path):
    checkpoint.save(tmp_path, state)
    path = tmp_path / "checkpoint-00000000.pt"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(HarnessError, match=r"checkpoint-00000000\.pt.*cannot be read"):
        checkpoint.load(tmp_path)


def test_the_older_file_serves_when_the_newest_is_damaged(state, tmp_path):
    for step in (1, 2):
        state.step = step
        checkpoint.save(tmp_path, state)
    newest = tmp_path / "checkpoint-00000001.pt"
    newest.write_bytes(newest.read_bytes()[:100])
    with pytest.warns(BayescaleWarning, match=r"00000001\.pt.*Going on from checkpoint-00000000"):
        assert checkpoint.load(tmp_path).step == 1


def test_a_checkpoint_of_another_unit_is_refused(state, tmp_path):
    checkpoint.save(tmp_path, state, "ours")
    assert checkpoint.load(tmp_path, unit="ours", shape=(2, 5)) is not None
    with pytest.raises(HarnessError, match=r"00000000\.pt.*it is of unit ours"):
        checkpoint.load(tmp_path, unit="theirs")
    with pytest.raises(HarnessError, match=r"of 2 members with 5 parameters, expected \(2, 6\)"):
        checkpoint.load(tmp_path, unit="ours", shape=(2, 6))


def test_a_checkpoint_from_before_units_were_written_is_read(state, tmp_path):
    held = {field.name: getattr(state, field.name) for field in fields(state)}
    torch.save(held, tmp_path / "checkpoint-00000000.pt")
    assert checkpoint.load(tmp_path, unit="ours", shape=(2, 5)) is not None


def test_a_full_disk_spares_the_older_checkpoint(state, tmp_path):
    state.step = 7
    checkpoint.save(tmp_path, state)
    (tmp_path / checkpoint.PARTIAL).symlink_to("/dev/full")
    with pytest.raises(HarnessError, match=r"cannot be written \(No space left on device\)"):
        checkpoint.save(tmp_path, state)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-00000000.pt"]
    assert checkpoint.load(tmp_path).step == 7


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"params": RunsCode()}, tmp_path / "checkpoint-00000000.pt")
    with pytest.raises(HarnessError, match=r"checkpoint-00000000\.pt.*UnpicklingError"):
        checkpoint.load(tmp_path)
    assert not (tmp_path / "executed").exists()
