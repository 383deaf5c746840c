"""Devices: whether they are there, asked before anything is trained, and which one is current."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext

import torch

from bayescale.errors import HarnessError

KNOWN = re.compile(r"cpu|cuda(:\d+)?")


def check_device(device: str) -> None:
    """Refuse a device that cannot train here.

    Parameters
    ----------
    device : str
        PyTorch device.

    Raises
    ------
    HarnessError
        When it is neither the CPU nor a GPU, or there is no such GPU.
    """
    if not KNOWN.fullmatch(device):
        raise HarnessError(
            f"device is {device!r}, expected cpu, cuda, or cuda:0, cuda:1, ... for one of several.",
            "Name one of them.",
        )
    if device == "cpu":
        return
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(device.partition(":")[2] or 0) >= n_gpus:
        raise HarnessError(
            f"device is {device!r}, but PyTorch {torch.__version__} sees {n_gpus or 'no'} "
            f"GPU{'' if n_gpus == 1 else 's'}.",
            "Use cpu, or the number of a GPU, from 0. PyTorch must be a build for GPUs, and the "
            "driver not older than it.",
        )


def current(device: torch.device) -> AbstractContextManager[None]:
    """Make a GPU the current one for a while: streams and graphs are those of the current GPU.

    Parameters
    ----------
    device : torch.device
        Where tensors lie.

    Returns
    -------
    context manager
        Which does nothing where there is no GPU to choose.
    """
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()
