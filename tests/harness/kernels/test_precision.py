"""Short floats in, states in float32: nothing but the rounding of the result is lost."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.architectures import Backbone  # noqa: E402
from bayescale.harness.config import ArchitectureConfig  # noqa: E402
from bayescale.harness.kernels.decayed import decayed_attention  # noqa: E402
from bayescale.harness.kernels.gated import gated_attention  # noqa: E402
from bayescale.harness.kernels.memory import decayed_memory  # noqa: E402
from bayescale.harness.stacking import gradients  # noqa: E402

LENGTH, HEADS, WIDTH = 300, 2, 8


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape))).bfloat16()


def decayed(dtype):
    q, k, v = drawn(3, 2, LENGTH, HEADS, WIDTH).to(dtype)
    return decayed_attention(q, k, v, torch.tensor([-0.5, -0.004]))


def gated(dtype):
    q, k, v, f = drawn(4, 2, LENGTH, HEADS, WIDTH).to(dtype)
    return gated_attention(q, k, v, f.clamp(-5, -0.001))


def memory(dtype):
    return decayed_memory(drawn(3, 2 * LENGTH, 16).to(dtype), drawn(3, 4, 16).to(dtype), LENGTH)


@pytest.mark.parametrize("form", [decayed, gated, memory])
def test_bfloat16_loses_one_rounding(form):
    exact, short = form(torch.float64), form(torch.bfloat16)
    assert short.dtype == torch.bfloat16
    torch.testing.assert_close(short.double(), exact, rtol=2.0**-8, atol=1e-4)


def test_a_token_that_comes_often_keeps_its_gradient():
    shape = {"d_model": 16, "n_layers": 1, "n_heads": 1, "ffn_width": 24, "context": 64}
    config = ArchitectureConfig(name="llama", vocab_size=16, **shape)
    batch = torch.randint(16, (2, 32, 65), generator=torch.Generator().manual_seed(0))
    batch[torch.rand(batch.shape, generator=torch.Generator().manual_seed(1)) < 0.7] = 0
    exact, short = (Backbone(config, precision) for precision in ("float32", "bfloat16"))
    flat = torch.stack([exact.initial(seed) for seed in (0, 1)])
    slopes = [one.unpack(gradients(one, flat, batch)[1]) for one in (exact, short)]
    for name, long in slopes[0].items():
        assert (slopes[1][name] - long).norm() < 0.02 * long.norm(), name
