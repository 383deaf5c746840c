"""Forty steps of every architecture end at the losses they ended at before."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness import record  # noqa: E402
from bayescale.harness.architectures import ARCHITECTURES  # noqa: E402
from bayescale.harness.config import Member  # noqa: E402
from bayescale.harness.mixer_options import LMInfiniteOptions  # noqa: E402
from bayescale.harness.threads import one_thread  # noqa: E402
from bayescale.harness.train import train  # noqa: E402
from tests.golden.pins import add_missing, pins  # noqa: E402
from tests.harness.tiny_unit import tiny_unit  # noqa: E402

CLOSE = 3e-4
"""Share of a loss: processors add in other orders, and forty steps carry that on.

With AVX-512, AVX2 and neither (`ATEN_CPU_CAPABILITY`) losses differ by up to 1.2e-4, which is
cosformer2's; llama's by 3e-8. At ten times these learning rates cosformer2's differ by 4e-2.
"""

SHORT = {"lm_infinite": {"mixer": LMInfiniteOptions(n_sink=2, window=5)}}
"""Options under which the tiny context of 16 tokens is more than a mixer sees at once."""


def losses(name: str) -> dict[str, float]:
    """Return the loss of two members after 20 and 40 steps, by seed and step."""
    members = (Member(seed=0, learning_rate=0.001), Member(seed=1, learning_rate=0.002))
    unit = tiny_unit(architecture={"name": name, **SHORT.get(name, {})}, members=members)
    with tempfile.TemporaryDirectory() as folder, one_thread():
        assert train(unit, Path(folder)) == "finished"
        rows = [found.row for found in record.read(Path(folder)).values()]
    return {f"seed {row['seed']}, step {row['step']}": float(row["loss"]) for row in rows}


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_losses_are_those_of_before(name):
    assert name in pins("losses"), f"run python -m tests.golden.test_losses to store {name!r}"
    assert losses(name) == pytest.approx(pins("losses")[name], rel=CLOSE)


def test_a_loss_that_is_stored_depends_on_its_seed_and_step():
    assert all(len(set(found.values())) == 4 for found in pins("losses").values())


if __name__ == "__main__":
    add_missing("losses", sorted(ARCHITECTURES), losses)
