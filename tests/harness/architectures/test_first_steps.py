"""What any language model does: it begins as a guess and learns a batch by heart."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.architectures import ARCHITECTURES, Backbone  # noqa: E402
from bayescale.harness.config import ArchitectureConfig, OptimConfig  # noqa: E402
from bayescale.harness.evaluate import evaluation, heldout_losses  # noqa: E402
from bayescale.harness.optim import descend  # noqa: E402
from bayescale.harness.stacking import gradients  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = sorted(ARCHITECTURES)
SHAPE = {"d_model": 32, "n_layers": 2, "n_heads": 2, "ffn_width": 64, "context": 24}


def backbone_of(name, vocab_size, precision="float32"):
    return Backbone(ArchitectureConfig(name=name, vocab_size=vocab_size, **SHAPE), precision)


def tokens(vocab_size, n):
    return torch.randint(vocab_size, (n, 25), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_near_the_logarithm_of_the_vocabulary(name):
    backbone = backbone_of(name, 512)
    flat = torch.stack([backbone.initial(seed) for seed in (0, 1)])
    first, second = map(evaluation, heldout_losses(backbone, flat, tokens(512, 100)))
    # Logits of unit variance lose a half of it to the logarithm of the mean exponential.
    for found in (first, second):
        assert abs(found.loss - math.log(512) - 0.5) < 4 * found.loss_se + 0.15
    assert first.loss != second.loss


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_a_batch_by_heart_in_short_floats(name):
    backbone, batch = backbone_of(name, 16, "bfloat16"), tokens(16, 4)[None]
    params = backbone.initial(0)[None]
    moments = torch.zeros_like(params), torch.zeros_like(params)
    config, rate = OptimConfig(warmup_tokens=0, beta2=0.95), torch.tensor([0.01])
    for step in range(1, 41):
        loss, gradient = gradients(backbone, params, batch)
        with torch.no_grad():
            descend(params, gradient, *moments, rate_K=rate, step=step, config=config)
    # The first of 24 targets follows one token alone, which four sequences may share.
    assert float(loss) < 0.1
