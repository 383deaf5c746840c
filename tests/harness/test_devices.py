"""Devices that are not there are refused before anything is trained."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError  # noqa: E402
from bayescale.harness.devices import check_device, current  # noqa: E402
from bayescale.harness.speed import measured_speed  # noqa: E402
from bayescale.harness.train import train  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def gpus(monkeypatch):
    """Let PyTorch see as many GPUs as asked for."""

    def see(number):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)

    return see


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:", "cuda:x", "CUDA", ""])
def test_a_name_of_no_device_is_refused(device):
    with pytest.raises(HarnessError, match=rf"device is '{device}', expected cpu, cuda"):
        check_device(device)


def test_a_gpu_that_is_not_there_is_refused(gpus, make_unit, tmp_path):
    gpus(0)
    for asked in (check_device, lambda device: measured_speed(make_unit(), device)):
        with pytest.raises(HarnessError, match=r"device is 'cuda', but PyTorch .* sees no GPUs"):
            asked("cuda")
    with pytest.raises(HarnessError, match=r"'cuda:0', but PyTorch .* sees no GPUs.*Use cpu"):
        train(make_unit(), tmp_path, device="cuda:0")
    gpus(1)
    check_device("cuda")
    check_device("cuda:0")
    with pytest.raises(HarnessError, match=r"device is 'cuda:1', but PyTorch .* sees 1 GPU\."):
        check_device("cuda:1")


def test_a_finished_unit_needs_no_device(gpus, make_unit, tmp_path):
    train(make_unit(), tmp_path)
    gpus(0)
    assert train(make_unit(), tmp_path, device="cuda") == "finished"


def test_one_of_several_gpus_becomes_the_current_one():
    assert current(torch.device("cuda", 1)).idx == 1
    with current(torch.device("cpu")):
        pass
