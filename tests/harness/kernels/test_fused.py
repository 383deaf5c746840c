"""The kernels of fla-core against the chunked form on a GPU; elsewhere a readable refusal."""

from __future__ import annotations

import importlib.util

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError  # noqa: E402
from bayescale.harness.architectures import Backbone  # noqa: E402
from bayescale.harness.architectures.tnl import log_decays  # noqa: E402
from bayescale.harness.config import ArchitectureConfig  # noqa: E402
from bayescale.harness.kernels.decayed import decayed_attention  # noqa: E402
from bayescale.harness.kernels.fused import (  # noqa: E402
    fused_decayed_attention,
    fused_gated_attention,
)
from bayescale.harness.kernels.gated import gated_attention  # noqa: E402

HAS_FLA = importlib.util.find_spec("fla") is not None
on_gpu = pytest.mark.skipif(
    not (torch.cuda.is_available() and HAS_FLA), reason="needs a GPU and the extra 'gpu'"
)
LENGTHS = (37, 150, 512)
CLOSE = {torch.float32: 5e-3, torch.bfloat16: 2e-2}
"""Largest error over the largest value; the kernels multiply in TF32 or bfloat16."""


def drawn(length, key_dim=32, dtype=torch.float32):
    """Queries, keys, values and gates of 6 sequences with 4 heads, on the GPU."""
    generator = torch.Generator().manual_seed(length)
    q, v, f = torch.randn(3, 6, length, 4, key_dim, generator=generator).to("cuda")
    gate = torch.sigmoid(f + 2).clamp(min=0.01)
    parts = (torch.nn.functional.silu(q), 1 - gate, v, gate.log())
    return [part.to(dtype).requires_grad_() for part in parts]


def assert_same(fused, chunked, inputs, dtype):
    values, slopes = [], []
    for form in (fused, chunked):
        mixed = form(*inputs)
        values.append(mixed.float())
        weight = torch.linspace(-1, 1, mixed.numel(), device="cuda").view_as(mixed)
        asked = [x for x in inputs if x.requires_grad]
        slopes.append(torch.autograd.grad((mixed.float() * weight).sum(), asked))
    for found, expected in [tuple(values), *zip(*slopes, strict=True)]:
        difference = (found.float() - expected.float()).abs().max()
        assert difference <= CLOSE[dtype] * expected.float().abs().max()


@on_gpu
@pytest.mark.parametrize("dtype", CLOSE, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
def test_decayed_attention_is_the_same(length, dtype):
    q, k, v, _ = drawn(length, dtype=dtype)
    rate = log_decays("log_spaced", 3, 4, torch.device("cuda"))[1].float()
    assert_same(fused_decayed_attention, decayed_attention, [q, k, v, rate], dtype)


@on_gpu
@pytest.mark.parametrize("dtype", CLOSE, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
def test_gated_attention_is_the_same(length, dtype):
    assert_same(fused_gated_attention, gated_attention, drawn(length, dtype=dtype), dtype)


@on_gpu
@pytest.mark.parametrize("name", ["cosformer2", "hgrn2", "tnl"])
def test_a_network_says_the_same_with_either_kernel(name):
    shape = {"d_model": 64, "n_layers": 2, "n_heads": 2, "ffn_width": 96, "vocab_size": 50}
    logits = []
    for kernel in ("chunked", "fla"):
        config = ArchitectureConfig(name=name, kernel=kernel, context=150, **shape)
        backbone = Backbone(config)
        flat = torch.stack([backbone.initial(seed) for seed in (0, 1)]).to("cuda")
        tokens = torch.arange(150, device="cuda").expand(2, 3, -1) % 50
        logits.append(backbone(flat, tokens))
    assert (logits[0] - logits[1]).abs().max() <= 5e-3 * logits[0].abs().max()


@pytest.mark.skipif(HAS_FLA, reason="fla-core is installed")
@pytest.mark.parametrize("name", ["cosformer2", "hgrn2", "tnl"])
def test_without_fla_the_way_out_is_named(name):
    shape = {"d_model": 16, "n_layers": 1, "n_heads": 1, "ffn_width": 24, "vocab_size": 5}
    backbone = Backbone(ArchitectureConfig(name=name, kernel="fla", context=8, **shape))
    with pytest.raises(HarnessError, match=r"kernel is 'fla'.*pip install 'bayescale\[gpu\]'"):
        backbone(backbone.initial(0)[None], torch.zeros(1, 1, 8, dtype=torch.int64))
