"""The stacked LLaMA against a slow one: values, gradients, causality, members apart."""

from __future__ import annotations

import dataclasses

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from torch.nn import functional  # noqa: E402

from bayescale.errors import HarnessError, UnknownNameError  # noqa: E402
from bayescale.harness.architectures import Backbone  # noqa: E402
from bayescale.harness.config import ArchitectureConfig  # noqa: E402

from . import reference_llama  # noqa: E402

SHAPE = ArchitectureConfig(
    d_model=16, n_layers=2, n_heads=2, ffn_width=24, vocab_size=11, context=9
)


@pytest.fixture
def stack():
    """Three members with gains away from one, float64, and their tokens (3, 2, 9)."""
    backbone = Backbone(SHAPE)
    flat = torch.stack([backbone.initial(seed) for seed in (0, 1, 2)]).double()
    noise = torch.randn(flat.shape, generator=torch.Generator().manual_seed(5)).double()
    tokens = torch.randint(0, 11, (3, 2, 9), generator=torch.Generator().manual_seed(6))
    return backbone, flat + 0.1 * noise, tokens


def reference_logits(backbone, flat, tokens):
    members = []
    for k in range(len(flat)):
        params = {name: value[k] for name, value in backbone.unpack(flat).items()}
        rows = [reference_llama.logits(params, sequence, SHAPE) for sequence in tokens[k]]
        members.append(torch.cat(rows))
    return torch.stack(members)


def test_values_equal_the_slow_reference(stack):
    backbone, flat, tokens = stack
    torch.testing.assert_close(
        backbone(flat, tokens), reference_logits(backbone, flat, tokens), rtol=1e-6, atol=1e-7
    )


def test_gradients_equal_the_slow_reference(stack):
    backbone, flat, tokens = stack
    gradients = []
    for forward in (backbone, lambda f, t: reference_logits(backbone, f, t)):
        leaf = flat.clone().requires_grad_()
        loss = functional.cross_entropy(forward(leaf, tokens).flatten(0, 1), tokens.flatten())
        gradients.append(torch.autograd.grad(loss, leaf)[0])
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("position", [1, 4, 8])
def test_the_future_does_not_matter(stack, position):
    backbone, flat, tokens = stack
    before = backbone(flat, tokens).view(3, 2, 9, 11)
    changed = tokens.clone()
    changed[..., position] = (changed[..., position] + 1) % 11
    after = backbone(flat, changed).view(3, 2, 9, 11)
    assert torch.equal(before[:, :, :position], after[:, :, :position])
    assert not torch.equal(before[:, :, position:], after[:, :, position:])


def test_members_do_not_touch_each_other(stack):
    backbone, flat, tokens = stack
    changed = flat.clone()
    changed[1] = torch.nan
    before, after = backbone(flat, tokens), backbone(changed, tokens)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert after[1].isnan().all()


def test_parameters_start_at_their_stated_scale():
    backbone = Backbone(dataclasses.replace(SHAPE, d_model=64, n_heads=8, ffn_width=168))
    params = backbone.unpack(backbone.initial(0)[None])
    assert params["0.mix.qkv"].std() == pytest.approx(64**-0.5, rel=0.05)
    assert params["0.down"].std() == pytest.approx((168 * 4) ** -0.5, rel=0.05)
    assert (params["head_gain"] == 1).all()


def test_unknown_architecture_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown architecture 'lama'.*'llama'"):
        Backbone(dataclasses.replace(SHAPE, name="lama"))


def test_odd_head_dimension_is_refused():
    with pytest.raises(HarnessError, match=r"n_heads is 5.*even"):
        Backbone(dataclasses.replace(SHAPE, d_model=15, n_heads=5))
