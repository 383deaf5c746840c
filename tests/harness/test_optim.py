"""The stacked AdamW against PyTorch's, member by member."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.config import ADAMW, OptimConfig  # noqa: E402
from bayescale.harness.optim import clip_members, descend  # noqa: E402


@pytest.mark.parametrize("adamw", ADAMW)
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_equal_to_torch_with_a_rate_and_a_clip_per_member(weight_decay, adamw):
    config = OptimConfig(warmup_tokens=0, weight_decay=weight_decay, adamw=adamw)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 50, generator=generator, dtype=torch.float64)
    scales = torch.tensor([0.01, 1.0, 30.0], dtype=torch.float64)[:, None]
    rates = [0.1, 0.01, 0.3]
    gradients = [scales * torch.randn(3, 50, generator=generator).double() for _ in range(20)]

    ours, moment1, moment2 = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    for step, gradient in enumerate(gradients, start=1):
        rate = torch.tensor(rates, dtype=torch.float64)
        state = (ours, gradient.clone(), moment1, moment2)
        descend(*state, rate_K=rate, step=step, config=config)

    for k, rate in enumerate(rates):
        theirs = start[k].clone().requires_grad_()
        optimiser = torch.optim.AdamW(
            [theirs],
            lr=rate,
            betas=(config.beta1, config.beta2),
            eps=config.eps,
            weight_decay=weight_decay,
        )
        for gradient in gradients:
            theirs.grad = gradient[k].clone()
            torch.nn.utils.clip_grad_norm_([theirs], config.clip)
            optimiser.step()
        torch.testing.assert_close(ours[k], theirs.detach(), rtol=1e-9, atol=1e-11)


def test_the_clip_leaves_small_gradients_alone():
    gradient = torch.tensor([[0.3, 0.4], [3.0, 4.0]])
    norms = clip_members(gradient, 1.0)
    assert norms.tolist() == pytest.approx([0.5, 5.0])
    assert gradient.flatten().tolist() == pytest.approx([0.3, 0.4, 0.6, 0.8], rel=1e-5)
