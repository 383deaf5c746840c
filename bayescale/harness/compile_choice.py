"""Which sizes of a sweep are compiled: those whose steps then save more time than compiling takes.

What is compiled rounds otherwise, so that the choice, like that of `adamw_choice`, changes the last
bits of a run: it is made once, before anything is trained, and kept in the sweep's folder.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from bayescale.errors import BayescaleWarning, HarnessError
from bayescale.harness.accounting import count_params
from bayescale.harness.architectures import Backbone
from bayescale.harness.compiling import compiled_gradients, gradients_of
from bayescale.harness.config import RunConfig
from bayescale.harness.schedule import segments
from bayescale.harness.stacking import Gradients, candidates, step_seconds
from bayescale.harness.threads import one_thread

WORTH_TRYING = 60.0
"""Seconds of gradients below which nothing is compiled: that alone takes ten or twenty."""
AGREE = 1e-3
"""Largest relative difference of a loss, or of a gradient in norm, that rounding may make."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """Seconds of the gradients of one step of all members, and what compiling them took."""

    eager: float
    """As many members at once as is fastest."""
    compiled: float
    """All members at once; infinite where nothing could be compiled."""
    compiling: float
    """Seconds by the clock, because a compiler is another process."""

    def saves(self, n_steps: int) -> bool:
        """Return whether compiling is paid back within some steps.

        Parameters
        ----------
        n_steps : int
            Steps still to be taken.
        """
        return self.compiling + n_steps * self.compiled < n_steps * self.eager


def worth_compiling(units: Iterable[RunConfig], device: str = "cpu") -> dict[int, bool]:
    """Return which sizes to compile.

    Parameters
    ----------
    units : iterable of RunConfig
        One a size, with as many members as it will train.
    device : str
        PyTorch device.

    Returns
    -------
    dict of int to bool
        By number of parameters; False for a unit that is over before compiling could pay, where no
        compiler works, which a warning says, and on a GPU, where steps are replayed as a graph.
    """
    with one_thread():
        return {count_params(unit.architecture): _is_worth(unit, device) for unit in units}


def _is_worth(unit: RunConfig, device: str) -> bool:
    if torch.device(device).type != "cpu":
        return False
    n_steps = sum(segment.n_steps for segment in segments(unit.train))
    found = speeds(unit, lambda eager: eager * n_steps >= WORTH_TRYING)
    return found is not None and found.saves(n_steps)


def speeds(unit: RunConfig, is_tried: Callable[[float], bool]) -> Speeds | None:
    """Measure the gradients of a unit's stack on random tokens, compiled and not.

    Parameters
    ----------
    unit : RunConfig
        The unit.
    is_tried : callable
        Given the seconds of a step that is not compiled, says whether to compile at all.

    Returns
    -------
    Speeds or None
        None where nothing was compiled, for either reason.
    """
    backbone = Backbone(unit.architecture, unit.train.precision)
    params = torch.stack([backbone.initial(member.seed) for member in unit.members])
    shape, n_sequences = unit.architecture, unit.train.batch_tokens // unit.architecture.context
    size = (len(params), n_sequences, shape.context + 1)
    batch = torch.randint(shape.vocab_size, size, generator=torch.Generator().manual_seed(0))
    as_is = gradients_of(backbone, None)
    eager = min(step_seconds(as_is, params, batch, n) for n in candidates(len(params)))
    if not is_tried(eager):
        return None
    compiled, start = compiled_gradients(backbone), time.monotonic()
    try:
        _check_same(compiled, as_is, params, batch)
    except HarnessError as error:
        warnings.warn(f"{error.message} Its steps are not compiled.", BayescaleWarning, 2)
        return None
    compiling = time.monotonic() - start
    return Speeds(eager, step_seconds(compiled, params, batch, len(params)), compiling)


def _check_same(
    compiled: Gradients, as_is: Gradients, params_KP: torch.Tensor, batch_KBT: torch.Tensor
) -> None:
    """Check that what is faster is the same network."""
    pairs = zip(compiled(params_KP, batch_KBT), as_is(params_KP, batch_KBT), strict=True)
    off = max(float((a - b).norm() / b.norm()) for a, b in pairs)
    if not off < AGREE:
        raise HarnessError(
            f"a network of {params_KP.shape[1]} parameters: its compiled gradient differs by "
            f"{off:.2g} of its norm, expected below {AGREE:g}."
        )
