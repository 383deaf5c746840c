"""Tokens per second and utilisation of every shape, way of stepping and number of members."""

from __future__ import annotations

from collections.abc import Iterator

from on_gpu.bench import FAULTS, WAYS, give_back, stack_seconds, why
from on_gpu.shapes import LADDER, REHEARSAL, Shape, unit

from bayescale.harness.accounting import count_params, count_params_nonembedding, flops_per_token
from bayescale.harness.config import RunConfig

Row = dict[str, object]

COMPILE_FROM = 256
"""Width from which the minute that a compilation takes is spent, and only on the largest stack."""


def speeds(
    device: str,
    ceiling: float,
    *,
    tiny: bool,
    seconds: float,
    rounds: int = 3,
    ways: tuple[str, ...] = tuple(WAYS),
    known: list[Row] | None = None,
) -> Iterator[Row]:
    """Yield one row a case that is not among those known, widest shapes last."""
    done = {(row["d_model"], row["n_members"], row["way"]) for row in known or []}
    for shape in REHEARSAL if tiny else LADDER:
        for n_members, way in _cases(shape, ways, tiny=tiny):
            if (shape.d_model, n_members, way) not in done:
                config = unit(shape, n_members, tiny=tiny, precision="bfloat16")
                yield measured(config, way, device, ceiling, seconds=seconds, rounds=rounds)


def _cases(shape: Shape, ways: tuple[str, ...], *, tiny: bool) -> Iterator[tuple[int, str]]:
    for n_members in shape.members:
        for way in ways:
            worth = n_members == shape.members[-1] and (tiny or shape.d_model >= COMPILE_FROM)
            if worth or not WAYS[way]["compiled"]:
                yield n_members, way


def measured(
    config: RunConfig, way: str, device: str, ceiling: float, *, seconds: float, rounds: int
) -> Row:
    """Return the row of one case; one that fails says why and leaves the others their turn."""
    try:
        step, first = stack_seconds(config, way, device, seconds=seconds, rounds=rounds)
    except FAULTS as fault:
        return failed(config, way, fault)
    finally:
        give_back(device)
    tokens = len(config.members) * config.train.batch_tokens / step
    return (
        about(config)
        | {"way": way, "first_step_s": round(first, 2)}
        | rates(config, tokens, ceiling)
    )


def failed(config: RunConfig, way: str, fault: BaseException) -> Row:
    """Return the row of a case that could not be timed."""
    return about(config) | {"way": way, "step_ms": None, "note": why(fault)}


def about(config: RunConfig) -> Row:
    """Return what a row says of its shape."""
    shape = config.architecture
    return {
        "architecture": shape.name,
        "d_model": shape.d_model,
        "n_layers": shape.n_layers,
        "n_params": count_params(shape),
        "n_params_nonembedding": count_params_nonembedding(shape),
        "batch_tokens": config.train.batch_tokens,
        "n_members": len(config.members),
    }


def rates(config: RunConfig, tokens_per_second: float, ceiling: float) -> Row:
    """Return speed, and the share of the ceiling, attention's square counted half."""
    flops = tokens_per_second * flops_per_token(config.architecture, "porian+attn")
    tokens = len(config.members) * config.train.batch_tokens
    return {
        "step_ms": round(1e3 * tokens / tokens_per_second, 4),
        "tokens_per_second": round(tokens_per_second),
        "utilisation": round(flops / ceiling, 4),
    }


def fastest(rows: list[Row]) -> Row | None:
    """Return the row of the most tokens a second."""
    some = [row for row in rows if row["step_ms"] is not None]
    return max(some, key=lambda row: row["tokens_per_second"], default=None)
