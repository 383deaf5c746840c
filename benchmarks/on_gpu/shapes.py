"""Shapes of the ladder, how many of each are tried at once, and their tiny stand-ins."""

from __future__ import annotations

from dataclasses import dataclass

from bayescale.harness.config import (
    ArchitectureConfig,
    DataConfig,
    Member,
    OptimConfig,
    RunConfig,
    TrainConfig,
)


@dataclass(frozen=True)
class Shape:
    """One size of the ladder."""

    d_model: int
    n_layers: int
    batch_tokens: int
    """Tokens of one member in a step, near the noise scale of its gradients, as in the plans."""
    members: tuple[int, ...]
    """Numbers of members to stack."""


LADDER = (
    Shape(64, 3, 4096, (1, 4, 16, 64)),
    Shape(96, 4, 4096, (1, 4, 16, 64)),
    Shape(128, 5, 4096, (1, 4, 16, 64)),
    Shape(192, 6, 8192, (1, 4, 16)),
    Shape(256, 8, 8192, (1, 4, 16)),
    Shape(384, 9, 16384, (1, 4, 8)),
    Shape(512, 12, 16384, (1, 2, 4)),
    Shape(768, 12, 32768, (1, 2)),
)
REHEARSAL = (Shape(32, 1, 64, (1, 2)),)

VOCAB, CONTEXT, HEAD_DIM = 1024, 512, 32
SMALL_VOCAB, SMALL_CONTEXT = 64, 32


def unit(
    shape: Shape, n_members: int, *, architecture: str = "llama", tiny: bool, precision: str
) -> RunConfig:
    """Return a unit of one shape on tokens that mean nothing."""
    context = SMALL_CONTEXT if tiny else CONTEXT
    return RunConfig(
        architecture=ArchitectureConfig(
            name=architecture,
            d_model=shape.d_model,
            n_layers=shape.n_layers,
            n_heads=shape.d_model // HEAD_DIM,
            ffn_width=round(shape.d_model / 3) * 8,
            vocab_size=SMALL_VOCAB if tiny else VOCAB,
            context=context,
        ),
        data=DataConfig(corpus="random", eval_tokens=2 * context),
        optim=OptimConfig(warmup_tokens=0),
        train=TrainConfig(
            batch_tokens=shape.batch_tokens,
            milestones=(1000 * shape.batch_tokens,),
            precision=precision,
        ),
        members=tuple(Member(seed=seed, learning_rate=1e-3) for seed in range(n_members)),
    )
