"""Is what the device computes right? Mixers against slow forms, members against members alone,
compiled networks against those that are not."""

from __future__ import annotations

import dataclasses
import importlib
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from on_gpu.bench import FAULTS, open_stack, random_tokens, why
from on_gpu.shapes import LADDER, REHEARSAL, unit

from bayescale.harness.architectures import ARCHITECTURES, Backbone
from bayescale.harness.config import ArchitectureConfig, FactsConfig, RunConfig
from bayescale.harness.data import Batches
from bayescale.harness.facts import FactBatches
from bayescale.harness.resident import resident
from bayescale.harness.schedule import Segment

ORACLE_LIMIT = 5e-3
"""Largest error of a mixer in bfloat16, as a share of the norm of what it should say."""
LOSS_LIMIT = {"float32": 1e-4, "bfloat16": 5e-3}
"""Largest difference of a loss after twenty steps, as a share of it: other sums or roundings."""
STEPS = 20
LENGTH = 150
"""Positions: several chunks of every mixer, the last one not full."""


def all_checks(device: str, *, tiny: bool) -> Iterator[dict[str, object]]:
    """Yield one row a check: what, found, limit, passed."""
    names = sorted(ARCHITECTURES)
    for name in names:
        found = partial(mixer_error, name, device)
        yield _row(f"{name}, bfloat16, slow form", ORACLE_LIMIT, found)
    shape = REHEARSAL[0] if tiny else LADDER[2]
    words = random_tokens(unit(shape, 1, tiny=tiny, precision="float32"))
    for what, batches in (("batches", words), ("facts", FactBatches(FactsConfig(), 128, 128))):
        differ = partial(batches_differ, batches, device)
        yield _row(f"{what} of the device and of the host", 0.0, differ)
    n_members, n_steps = (2, 2) if tiny else (4, STEPS)
    for precision, limit in LOSS_LIMIT.items():
        # Short products inside float32 would hide what stacking does.
        torch.set_float32_matmul_precision("highest" if precision == "float32" else "high")
        for name in names:
            config = unit(shape, n_members, architecture=name, tiny=tiny, precision=precision)
            found = partial(stack_error, config, device, n_steps)
            yield _row(f"{name}, {precision}, stack against one", limit, found)
    # One layer: what takes time to compile is the number of operations. A rehearsal only traces.
    flat = dataclasses.replace(shape, n_layers=1)
    for name in names[:2] if tiny else names:
        config = unit(flat, n_members, architecture=name, tiny=tiny, precision="bfloat16")
        found = partial(compile_error, config, device, n_steps)
        yield _row(f"{name}, compiled against not", LOSS_LIMIT["bfloat16"], found)


def mixer_error(name: str, device: str) -> float:
    """Return the error of a mixer in bfloat16 against its slow form in float64, both its layers."""
    config = ArchitectureConfig(
        name=name, d_model=64, n_layers=2, n_heads=2, ffn_width=64, vocab_size=8, context=LENGTH
    )
    backbone = Backbone(config)
    flat = backbone.initial(0)[None].bfloat16()
    drawn = torch.randn(1, LENGTH, config.d_model, generator=torch.Generator().manual_seed(1))
    stream = torch.nn.functional.rms_norm(drawn, (config.d_model,)).bfloat16()
    errors = []
    for layer in range(config.n_layers):
        params = _of_layer(backbone.unpack(flat), layer)
        exact = _slow(name, stream[0], params, config, layer)
        on_device = {key: value.to(device) for key, value in params.items()}
        found = backbone.mixer(stream.to(device), on_device, LENGTH, layer)[0].double().cpu()
        errors.append(float((found - exact).norm() / exact.norm()))
    return max(errors)


def _of_layer(params: dict[str, torch.Tensor], layer: int) -> dict[str, torch.Tensor]:
    mix = f"{layer}.mix."
    own = {n.removeprefix(mix): p for n, p in params.items() if n.startswith(mix)}
    return own | {
        n.removeprefix("shared."): p for n, p in params.items() if n.startswith("shared.")
    }


def _slow(
    name: str,
    stream: torch.Tensor,
    params: dict[str, torch.Tensor],
    config: ArchitectureConfig,
    layer: int,
) -> torch.Tensor:
    """Return what the tests' slow form says of one sequence, in float64 on the host."""
    oracle = importlib.import_module(f"tests.harness.architectures.reference_{name}")
    own = {key: value[0].double() for key, value in params.items()}
    # The slow forms know shared parameters by their full name.
    return oracle.mix(
        stream.double(), own | {f"shared.{k}": v for k, v in own.items()}, config, layer
    )


def stack_error(config: RunConfig, device: str, n_steps: int) -> float:
    """Return how far losses after some steps of a stack are from those of its members alone."""
    together = _losses(config, "graph", device, n_steps)
    alone = [
        _losses(dataclasses.replace(config, members=(member,)), "graph", device, n_steps)[0]
        for member in config.members
    ]
    return max(abs(a - b) / b for a, b in zip(together, alone, strict=True))


def compile_error(config: RunConfig, device: str, n_steps: int) -> float:
    """Return how far losses after some steps of a compiled stack are from those of a plain one."""
    losses = [_losses(config, way, device, n_steps) for way in ("compile+graph", "graph")]
    return max(abs(a - b) / b for a, b in zip(*losses, strict=True))


def _losses(config: RunConfig, way: str, device: str, n_steps: int) -> list[float]:
    stretch = Segment(start=0, stop=n_steps, shape="constant", branches=False, measured=False)
    with tempfile.TemporaryDirectory() as folder:
        steps = open_stack(config, way, device, Path(folder))
        steps.take(steps.state, stretch)
    return steps.last.tolist()


def batches_differ(host: Batches, device: str) -> float:
    """Return the share of tokens that differ between batches of the device and of the host."""
    seeds, n = (0, 1, 2), 4
    drawn = resident(host, seeds, n_sequences=n, n_steps=50, device=device)
    step = torch.tensor(49, device=device)
    return float((drawn.draw(step).cpu() != host.train(seeds, 49, n)).double().mean())


def _row(what: str, limit: float, find: Callable[[], float]) -> dict[str, object]:
    """Return the row of one check; one that cannot be made fails and spares the others."""
    row = {"check": what, "limit": limit}
    try:
        found = find()
    except FAULTS as fault:
        return row | {"found": None, "passed": False, "note": why(fault)}
    return row | {"found": found, "passed": found <= limit}
