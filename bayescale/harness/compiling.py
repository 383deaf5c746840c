"""Networks compiled by PyTorch: for a graph on a GPU, by a C++ compiler on a CPU.

Many small operations become a few, so that a step of small networks costs a fraction. What is
compiled rounds otherwise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bayescale.errors import HarnessError
from bayescale.harness.architectures import Backbone
from bayescale.harness.stacking import Gradients, gradients, mean_losses, slopes

COMPILED, TRACED = "inductor", "aot_eager"
"""Backends of PyTorch: the one that compiles, and one that only traces and needs no compiler."""


def gradients_of(backbone: Backbone, backend: str | None) -> Gradients:
    """Return what gives every member's loss and gradient.

    Parameters
    ----------
    backbone : Backbone
        The network.
    backend : str, optional
        Backend of PyTorch to compile it by, for one shape; it is not compiled when left out.

    Returns
    -------
    callable
        Takes parameters (K, P) and a batch (K, B, T + 1).
    """
    if backend is None:
        return partial(gradients, backbone)
    # What was compiled for earlier units counts towards a limit beyond which nothing is.
    torch._dynamo.reset()
    return partial(slopes, by_backend(partial(mean_losses, backbone), backend))


def by_backend(function: Callable[..., Any], backend: str) -> Callable[..., Any]:
    """Return a function compiled for one shape.

    Parameters
    ----------
    function : callable
        Takes and returns tensors.
    backend : str
        Backend of PyTorch.

    Returns
    -------
    callable
        The same.
    """
    compiled: Callable[..., Any] = torch.compile(function, dynamic=False, backend=backend)
    return compiled


def compiled_gradients(backbone: Backbone) -> Gradients:
    """Return the gradients of a network compiled for a CPU.

    Parameters
    ----------
    backbone : Backbone
        The network.

    Returns
    -------
    callable
        Takes parameters (K, P) and a batch (K, B, T + 1); the first call compiles, and raises
        `HarnessError` where that cannot be done.
    """
    # In this process: compilers of its own would outlive a worker that is killed.
    torch._inductor.config.compile_threads = 1
    with _quiet():
        found = gradients_of(backbone, COMPILED)

    def explained(params_KP: Tensor, batch_KBT: Tensor) -> tuple[Tensor, Tensor]:
        try:
            with _quiet():
                return found(params_KP, batch_KBT)
        except torch._dynamo.exc.BackendCompilerFailed as error:
            said = next((line for line in str(error).splitlines() if line.strip()), "no reason")
            raise HarnessError(
                f"a network of {backbone.n_params} parameters cannot be compiled here: {said}",
                "Install a C++ compiler (g++ or clang), or sweep into another folder with "
                "compiled: never in the plan.",
            ) from error

    return explained


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep PyTorch's warnings to itself: of its own parts, and of tables that are compiled in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
