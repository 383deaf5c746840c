"""How much faster eight stacked networks train than one after the other.

Run ``python benchmarks/stacked_training.py``. Both sides are eager float32 on one thread, take the
same batches, start from the same parameters (the losses of two steps must agree), and alternate in
one process; times are process times. The plain side is an ordinary module trained with
``torch.optim.AdamW(fused=True)`` and ``clip_grad_norm_``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bayescale.harness.accounting import count_params, count_params_nonembedding
from bayescale.harness.architectures import Backbone
from bayescale.harness.architectures.llama import rope_tables, rotate
from bayescale.harness.checkpoint import TrainState
from bayescale.harness.config import ArchitectureConfig, OptimConfig
from bayescale.harness.evaluate import token_losses
from bayescale.harness.optim import adamw_step, clip_members
from bayescale.harness.record import hardware

RESULT = Path(__file__).parent / "results" / "stacked_training.json"
RATE = 0.01
OPTIM = OptimConfig(warmup_tokens=0)


class PlainBlock(nn.Module):
    """One block of the plain network."""

    def __init__(self, config: ArchitectureConfig) -> None:
        super().__init__()
        d_model, self.n_heads = config.d_model, config.n_heads
        self.mix_norm = nn.RMSNorm(d_model, eps=1e-6)
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)
        self.ffn_norm = nn.RMSNorm(d_model, eps=1e-6)
        self.gate_up = nn.Linear(d_model, 2 * config.ffn_width, bias=False)
        self.down = nn.Linear(config.ffn_width, d_model, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Return the residual stream (B, T, D) after this block."""
        n_sequences, length, d_model = x.shape
        qkv = self.qkv(self.mix_norm(x)).view(n_sequences, length, 3 * self.n_heads, -1)
        q, k, v = qkv.chunk(3, dim=2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = functional.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True
        )
        x = x + self.out(mixed.transpose(1, 2).reshape(n_sequences, length, d_model))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(functional.silu(gate) * up)


class Plain(nn.Module):
    """The same network without the ensemble axis, as one would write it for one run."""

    def __init__(self, config: ArchitectureConfig, device: str = "cpu") -> None:
        super().__init__()
        self.embed = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(PlainBlock(config) for _ in range(config.n_layers))
        self.norm = nn.RMSNorm(config.d_model, eps=1e-6)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.cos, self.sin = rope_tables(config.context, config.head_dim, torch.device(device))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits (B, T, V) of tokens (B, T)."""
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return self.head(self.norm(x))

    def copy_member(self, params: dict[str, Tensor], member: int) -> None:
        """Take over one member's parameters."""
        own = {name: value[member] for name, value in params.items()}
        with torch.no_grad():
            self.embed.weight.copy_(own["embed"])
            self.head.weight.copy_(own["head"].T)
            for i, block in enumerate(self.blocks):
                block.qkv.weight.copy_(own[f"{i}.mix.qkv"].T)
                block.out.weight.copy_(own[f"{i}.mix.out"].T)
                block.gate_up.weight.copy_(own[f"{i}.gate_up"].T)
                block.down.weight.copy_(own[f"{i}.down"].T)


def plain_step(network: Plain, optimiser: torch.optim.Optimizer, batch: Tensor) -> Tensor:
    """Train one plain network on one batch (B, T + 1)."""
    logits = network(batch[:, :-1])
    loss = functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), OPTIM.clip)
    optimiser.step()
    return loss.detach()


def stacked_step(backbone: Backbone, state: TrainState, batch: Tensor, rate: Tensor) -> Tensor:
    """Train all members on one batch (K, B, T + 1), as the harness's loop does."""
    params = state.params.requires_grad_()
    loss = token_losses(backbone, params, batch).flatten(1).mean(dim=1)
    (grad,) = torch.autograd.grad(loss.sum(), params)
    with torch.no_grad():
        params.requires_grad_(False)
        clip_members(grad, OPTIM.clip)
        moments = (state.moment1, state.moment2)
        adamw_step(params, grad, *moments, rate_K=rate, step=state.step + 1, config=OPTIM)
    state.step += 1
    return loss.detach()


def measure(
    config: ArchitectureConfig, *, n_members: int, batch_tokens: int, rounds: int, steps: int
) -> dict[str, object]:
    """Return the time of one step of all members, both ways, and their ratio."""
    backbone = Backbone(config)
    state = TrainState.begin(torch.stack([backbone.initial(k) for k in range(n_members)]))
    plain = [Plain(config) for _ in range(n_members)]
    for k, network in enumerate(plain):
        network.copy_member(backbone.unpack(state.params), k)
    optimisers = [
        torch.optim.AdamW(
            network.parameters(), lr=RATE, betas=(0.9, OPTIM.beta2), weight_decay=0.0, fused=True
        )
        for network in plain
    ]
    rate = torch.full((n_members,), RATE)
    size = (n_members, batch_tokens // config.context, config.context + 1)
    batch = torch.randint(0, config.vocab_size, size, generator=torch.Generator().manual_seed(0))

    # No speed is worth reporting unless both sides train the same networks.
    for _ in range(2):
        ours = stacked_step(backbone, state, batch, rate)
        pairs = zip(plain, optimisers, batch, strict=True)
        theirs = torch.stack([plain_step(*pair) for pair in pairs])
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=0)

    ratios, times = [], {"stacked": [], "plain": []}
    for turn in range(rounds + 1):
        start = time.process_time()
        for _ in range(steps):
            stacked_step(backbone, state, batch, rate)
        middle = time.process_time()
        for _ in range(steps):
            for network, optimiser, own in zip(plain, optimisers, batch, strict=True):
                plain_step(network, optimiser, own)
        end = time.process_time()
        if turn:  # the first round warms up
            times["stacked"].append((middle - start) / steps)
            times["plain"].append((end - middle) / steps)
            ratios.append((end - middle) / (middle - start))
    return {
        "d_model": config.d_model,
        "n_layers": config.n_layers,
        "head_dim": config.head_dim,
        "n_params": count_params(config),
        "n_params_nonembedding": count_params_nonembedding(config),
        "n_members": n_members,
        "batch_tokens": batch_tokens,
        "stacked_ms": round(1e3 * statistics.median(times["stacked"]), 2),
        "plain_ms": round(1e3 * statistics.median(times["plain"]), 2),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
        "rounds": rounds,
        "steps_per_round": steps,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=10)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    results = []
    for n_heads, batch_tokens in [(1, 256), (4, 256), (1, 2048)]:
        config = ArchitectureConfig(
            d_model=32, n_layers=3, n_heads=n_heads, ffn_width=88, vocab_size=256, context=128
        )
        rounds, steps = asked.rounds, asked.steps
        results.append(
            measure(config, n_members=8, batch_tokens=batch_tokens, rounds=rounds, steps=steps)
        )
        print(results[-1])
    report = {
        "command": "python benchmarks/stacked_training.py",
        "hardware": hardware("cpu"),
        "torch": torch.__version__,
        "timing": "process time, both sides alternating in one process",
        "results": results,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
