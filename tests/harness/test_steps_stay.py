"""A step on a device never waits for the host and never copies from it, or no graph could hold it.

The device is PyTorch's ``meta``: it computes nothing, but knows where every tensor would lie.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from bayescale.harness.architectures import ARCHITECTURES, Backbone  # noqa: E402
from bayescale.harness.checkpoint import TrainState  # noqa: E402
from bayescale.harness.compiling import by_backend  # noqa: E402
from bayescale.harness.config import FactsConfig, Member  # noqa: E402
from bayescale.harness.data import TokenBatches  # noqa: E402
from bayescale.harness.facts import FactBatches  # noqa: E402
from bayescale.harness.stacking import mean_losses  # noqa: E402
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


def test_what_comes_from_the_host_is_seen():
    with OnHost() as host:
        torch.ones(3).to("meta")
    assert "aten._to_copy.default" in host.seen


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_what_is_compiled_stays_on_the_device_and_is_compiled_once(make_unit, name):
    unit, graphs = two_members(make_unit, name, "bfloat16"), []

    def noted(graph, inputs):
        graphs.append(graph)
        return graph.forward

    backbone = Backbone(unit.architecture, unit.train.precision)
    params = torch.empty(2, backbone.n_params, device="meta").requires_grad_()
    batch = torch.empty(2, 4, 17, dtype=torch.int64, device="meta")
    losses = by_backend(partial(mean_losses, backbone), noted)
    for _ in range(2):
        losses(params, batch)
    (graph,) = graphs
    values = [node.meta.get("example_value") for node in graph.graph.nodes]
    assert {v.device.type for v in values if isinstance(v, torch.Tensor)} == {"meta"}
