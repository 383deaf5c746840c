"""A step on a device never waits for the host and never copies from it, or no graph could hold it.

The device is PyTorch's ``meta``: it computes nothing, but knows where every tensor would lie.
"""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from bayescale.harness.architectures import ARCHITECTURES, Backbone  # noqa: E402
from bayescale.harness.checkpoint import TrainState  # noqa: E402
from bayescale.harness.config import FactsConfig, Member  # noqa: E402
from bayescale.harness.data import TokenBatches  # noqa: E402
from bayescale.harness.facts import FactBatches  # noqa: E402
from bayescale.harness.steps import ResidentSteps  # noqa: E402


class OnHost(TorchDispatchMode):
    """Notes operations that read or write a tensor of the host, or hand a value to it."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_leaves((args, kwargs, out)) if isinstance(t, torch.Tensor)]
        if "local_scalar" in str(func) or any(t.device.type == "cpu" for t in tensors):
            self.seen.add(str(func))
        return out


def steps(unit, batches, tmp_path):
    backbone = Backbone(unit.architecture, unit.train.precision)
    initial = torch.stack([backbone.initial(member.seed) for member in unit.members])
    state = TrainState.begin(initial.to("meta"))
    return ResidentSteps(unit, tmp_path, backbone, batches, state, captured=False)


def sources():
    tokens = np.zeros(2000, dtype=np.uint16)
    facts = FactsConfig(vocab_size=8, key_tokens=3)
    return [
        TokenBatches(tokens, n_heldout=100, context=16, eval_tokens=64),
        FactBatches(facts, 16, 64),
    ]


def two_members(make_unit, name="llama", precision="float32"):
    members = (Member(seed=0, learning_rate=0.01), Member(seed=1, learning_rate=0.02))
    shape = {"name": name, "mixer": None}
    return make_unit(members=members, architecture=shape, train={"precision": precision})


CASES = [*((name, "bfloat16", 0) for name in sorted(ARCHITECTURES)), ("llama", "float32", 1)]
"""Architecture, precision and source."""


@pytest.mark.parametrize(("name", "precision", "source"), CASES)
def test_a_step_stays_on_the_device(make_unit, tmp_path, name, precision, source):
    device = steps(two_members(make_unit, name, precision), sources()[source], tmp_path)
    device.once()  # the first moves what it needs
    with OnHost() as host:
        device.once()
    assert host.seen == set()


def test_what_comes_from_the_host_is_seen(make_unit, tmp_path):
    device = steps(two_members(make_unit, "tnl"), sources()[0], tmp_path)
    with OnHost() as host:
        device.once()
    assert "aten._to_copy.default" in host.seen
