"""Stacked training against a plain loop on the same device, with the same batch of each network.

The plain side is what one writes for one network: an ordinary module in bfloat16 autocast, fused
AdamW, a clip, compiled, or captured as a CUDA graph, or both; its fastest form counts. Its batches
come from the device, too, so that it loses no time to a loader. Networks trained one after the
other take their tokens at the speed of one, which is what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from on_gpu.bench import FAULTS, give_back, random_tokens, settle, step_seconds
from on_gpu.shapes import LADDER, REHEARSAL, Shape, unit
from on_gpu.speed import Row, about, failed, fastest, measured, rates
from stacked_training import OPTIM, RATE, Plain
from torch import Tensor, nn
from torch.nn import functional

from bayescale.harness.config import RunConfig
from bayescale.harness.resident import ResidentBatches, resident

FORMS = ("eager", "compile", "graph", "compile+graph")
OURS = ("graph", "compile+graph")
WIDTHS = (64, 128, 256, 512, 768)
"""Up to one million parameters: 64 and 128; 4 to 10 million: 256; one network: 512 and 768."""
CEILING_SHARES = {512: 0.30, 768: 0.40}
"""Least share of the matmul rate that is asked of wide networks."""


def least_ratio(n_params_nonembedding: int) -> float:
    """Return the least ratio to the plain loop that is asked of a size."""
    if n_params_nonembedding <= 1_000_000:
        return 5.0
    return 2.0 if n_params_nonembedding <= 10_000_000 else 0.9


def rivals(
    device: str,
    ceiling: float,
    *,
    tiny: bool,
    seconds: float,
    done: frozenset[object] = frozenset(),
) -> Iterator[Row]:
    """Yield one row a shape that is not done: both sides, their ratio, and what is asked."""
    shapes = REHEARSAL if tiny else [shape for shape in LADDER if shape.d_model in WIDTHS]
    for shape in shapes:
        if shape.d_model in done:
            continue
        plain = [plain_row(shape, form, device, ceiling, tiny, seconds) for form in FORMS]
        stacked = [
            measured(
                unit(shape, shape.members[-1], tiny=tiny, precision="bfloat16"),
                way,
                device,
                ceiling,
                seconds=seconds,
                rounds=5,
            )
            for way in OURS
        ]
        yield compared(plain, stacked)


def compared(plain: list[Row], stacked: list[Row]) -> Row:
    """Return the fastest of both sides and whether the ratio is what was asked."""
    theirs, ours = (fastest(rows) for rows in (plain, stacked))
    if theirs is None or ours is None:
        return stacked[0] | {"passed": False, "plain": plain, "stacked": stacked}
    asked = least_ratio(ours["n_params_nonembedding"])
    ratio = ours["tokens_per_second"] / theirs["tokens_per_second"]
    share = CEILING_SHARES.get(ours["d_model"], 0.0)
    return {
        "d_model": ours["d_model"],
        "n_params_nonembedding": ours["n_params_nonembedding"],
        "n_members": ours["n_members"],
        "ratio": round(ratio, 3),
        "least_ratio": asked,
        "utilisation": ours["utilisation"],
        "least_utilisation": share,
        "passed": ratio >= asked and ours["utilisation"] >= share,
        "plain": plain,
        "stacked": stacked,
    }


def plain_row(
    shape: Shape, form: str, device: str, ceiling: float, tiny: bool, seconds: float
) -> Row:
    """Return the row of the plain loop in one form."""
    config = unit(shape, 1, tiny=tiny, precision="bfloat16")
    try:
        step = step_seconds(plain_loop(config, form, device), seconds=seconds, rounds=5)
    except FAULTS as fault:
        return failed(config, form, fault)
    finally:
        give_back(device)
    speed = rates(config, config.train.batch_tokens / step, ceiling)
    return about(config) | {"way": form} | speed


def plain_loop(config: RunConfig, form: str, device: str) -> Callable[[int], None]:
    """Return what takes n steps of a plain network and waits for the device."""
    step = _plain_step(config, form, device)
    if "graph" in form and device != "cpu":
        step = _captured(step)

    def take(n: int) -> None:
        for _ in range(n):
            step()
        settle(device)

    return take


def _plain_step(config: RunConfig, form: str, device: str) -> Callable[[], object]:
    torch.manual_seed(0)
    network = Plain(config.architecture, device).to(device)
    called = network
    if "compile" in form:
        torch._dynamo.reset()
        backend = "aot_eager" if device == "cpu" else "inductor"
        called = torch.compile(network, dynamic=False, backend=backend)
    settings = {"lr": RATE, "betas": (0.9, OPTIM.beta2), "weight_decay": 0.0, "fused": True}
    capturable = {"capturable": True} if device != "cpu" else {}
    optimiser = torch.optim.AdamW(network.parameters(), **settings, **capturable)
    batches, at = _batches(config, device), torch.zeros((), dtype=torch.int64, device=device)

    def step() -> None:
        batch = batches.draw(at)[0]
        at.add_(1).remainder_(1000)
        _learn(called, network, optimiser, batch)

    return step


def _learn(
    called: Callable[[Tensor], Tensor],
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Tensor,
) -> None:
    # A cached cast would outlive the graph that made it.
    with torch.autocast(batch.device.type, dtype=torch.bfloat16, cache_enabled=False):
        logits = called(batch[:, :-1])
    loss = functional.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), OPTIM.clip)
    optimiser.step()


def _batches(config: RunConfig, device: str) -> ResidentBatches:
    n = config.train.batch_tokens // config.architecture.context
    return resident(random_tokens(config), (0,), n_sequences=n, n_steps=1000, device=device)


def _captured(step: Callable[[], object]) -> Callable[[], object]:
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
