"""How fast small networks train: alone, compiled, stacked, and in bfloat16.

    python benchmarks/harness_speed.py [--sizes 35k 200k 1M 4M] [--batch N]

Every variant trains eight networks of one shape, on one thread, in float32 unless it says bf16:

plain            one after the other, an ordinary module with fused AdamW, as in nanoGPT
plain, compiled  the same through ``torch.compile``
stacked          all eight at once, AdamW in steps on all
eager            as many at once, and the form of AdamW, that the harness measured to be fastest;
                 what a sweep does that says ``compiled: never``
stacked, compiled    all eight at once, the network compiled
as picked        eager or compiled, whichever the planner takes for `PLANNED` steps; what a sweep
                 does that leaves both choices to it
plain, bf16; stacked, bf16

Variants alternate in one process and times are process times, so that a busy machine disturbs all
alike; every turn begins with a step that is not timed, because the memory of the one before it has
gone back to the kernel. Ratios are medians over rounds of plain time / variant time, beside the
load that the machine was under. Networks are compiled at 256 tokens a step alone; without a C++
compiler they are left out, and said so. What is not asked for stays in the result file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch
from stacked_training import OPTIM, RATE, Plain, plain_step

from bayescale.harness.accounting import count_params_nonembedding, flops_per_token
from bayescale.harness.adamw_choice import faster_adamw
from bayescale.harness.architectures import Backbone
from bayescale.harness.checkpoint import TrainState
from bayescale.harness.compile_choice import Speeds, speeds
from bayescale.harness.compiling import compiled_gradients
from bayescale.harness.config import (
    STEPWISE,
    ArchitectureConfig,
    DataConfig,
    Member,
    OptimConfig,
    RunConfig,
    TrainConfig,
)
from bayescale.harness.record import hardware
from bayescale.harness.stacking import Gradients, gradients, members_at_once, update

RESULT = Path(__file__).parent / "results" / "harness_speed.json"
MEMBERS, CONTEXT, VOCAB = 8, 128, 256
SHAPES = {"35k": (32, 3, 88), "200k": (64, 4, 168), "1M": (128, 5, 344), "4M": (256, 5, 680)}
"""Width, depth and channel-mixer width by parameters without embedding; head dimension 32."""
BATCHES = {"35k": (256, 2048), "200k": (256, 2048), "1M": (256, 2048), "4M": (256, 1024)}

COMPILED_AT = 256
"""Tokens a step at which networks are compiled: where dispatch costs most."""
PLANNED = 8192
"""Steps that the planner is told of: two million tokens at 256 a step."""

Step = Callable[[], object]


def shape(size: str) -> ArchitectureConfig:
    d_model, n_layers, ffn_width = SHAPES[size]
    return ArchitectureConfig(
        d_model=d_model,
        n_layers=n_layers,
        n_heads=d_model // 32,
        ffn_width=ffn_width,
        vocab_size=VOCAB,
        context=CONTEXT,
    )


class Stack:
    """Eight networks of one shape with one batch each, and ways to train them a step."""

    def __init__(self, config: ArchitectureConfig, batch_tokens: int) -> None:
        self.backbone = Backbone(config)
        initial = torch.stack([self.backbone.initial(k) for k in range(MEMBERS)])
        self.state = TrainState.begin(initial)
        self.rate = torch.full((MEMBERS,), RATE)
        size = (MEMBERS, batch_tokens // config.context, config.context + 1)
        generator = torch.Generator().manual_seed(0)
        self.batch = torch.randint(0, config.vocab_size, size, generator=generator)
        with tempfile.TemporaryDirectory() as folder:
            self.picked = members_at_once(
                Path(folder), self.backbone, self.state.params, self.batch, 10**6
            )
        self.adamw = faster_adamw(OPTIM, (MEMBERS, self.backbone.n_params))
        self.speeds = self._speeds(batch_tokens) if batch_tokens == COMPILED_AT else None

    def plain(self, compiled: bool = False) -> Step:
        """Return a step of the plain networks, one after the other."""
        params = self.backbone.unpack(self.state.params)
        networks = [Plain(self.backbone.config) for _ in range(MEMBERS)]
        for k, network in enumerate(networks):
            network.copy_member(params, k)
        settings = {"lr": RATE, "betas": (0.9, OPTIM.beta2), "weight_decay": 0.0, "fused": True}
        optimisers = [torch.optim.AdamW(network.parameters(), **settings) for network in networks]
        called = [torch.compile(network) if compiled else network for network in networks]

        def step() -> None:
            for network, optimiser, own in zip(called, optimisers, self.batch, strict=True):
                plain_step(network, optimiser, own)

        return step

    def stacked(self, at_once: int, adamw: str) -> Step:
        """Return a step of the harness with a number of members at once and a form of AdamW."""
        return self._step(partial(gradients, self.backbone), at_once, adamw)

    def compiled(self) -> Step:
        """Return a step of the harness with all members at once through a compiled network."""
        return self._step(compiled_gradients(self.backbone), MEMBERS, self.adamw)

    def _step(self, own: Gradients, at_once: int, adamw: str) -> Step:
        settings = {"at_once": at_once, "rate_K": self.rate, "config": in_form(adamw)}
        return lambda: update(own, self.state, self.batch, **settings)

    def _speeds(self, batch_tokens: int) -> Speeds | None:
        """Return what the planner measures; None, with a warning, where no compiler works."""
        train = TrainConfig(batch_tokens=batch_tokens, milestones=(PLANNED * batch_tokens,))
        members = tuple(Member(seed=k, learning_rate=RATE) for k in range(MEMBERS))
        unit = RunConfig(
            architecture=self.backbone.config,
            data=DataConfig(corpus="python_stdlib"),
            optim=OPTIM,
            train=train,
            members=members,
        )
        return speeds(unit, lambda _: True)


def in_form(adamw: str) -> OptimConfig:
    """Return the optimiser in one of its forms."""
    return replace(OPTIM, adamw=adamw)


def bf16(step: Step) -> Step:
    """Return a step whose products are in bfloat16; parameters and moments stay float32."""

    def cast() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            step()

    return cast


def variants(stack: Stack) -> dict[str, Step]:
    """Return the steps of all variants, plain first."""
    eager = stack.stacked(stack.picked, stack.adamw)
    made = {
        "plain": stack.plain(),
        "stacked": stack.stacked(MEMBERS, STEPWISE),
        "eager": eager,
        "plain, bf16": bf16(stack.plain()),
        "stacked, bf16": bf16(stack.stacked(MEMBERS, stack.adamw)),
    }
    if stack.speeds is None:
        return made | {"as picked": eager}
    # First: what compiles forgets what was compiled before.
    compiled = stack.compiled()
    picked = compiled if stack.speeds.saves(PLANNED) else eager
    return made | {
        "as picked": picked,
        "stacked, compiled": compiled,
        "plain, compiled": stack.plain(compiled=True),
    }


def measure(
    config: ArchitectureConfig, batch_tokens: int, *, rounds: int, seconds: float
) -> dict[str, object]:
    """Return speeds and ratios of all variants on one shape and batch."""
    stack = Stack(config, batch_tokens)
    steps = variants(stack)
    first = {name: _first(step) for name, step in steps.items()}
    n_steps = max(1, round(seconds / _timed(steps["plain"], 1)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            times[name].append(_timed(step, n_steps) / n_steps)
    tokens = MEMBERS * batch_tokens
    per_token = flops_per_token(config, "porian+attn")
    return {
        "picked_at_once": stack.picked,
        "picked_adamw": stack.adamw,
        "compiling": about_compiling(stack.speeds),
        "load": [round(load, 1) for load in os.getloadavg()],
        "rounds": rounds,
        "steps_per_round": n_steps,
        "variants": {
            name: {
                "step_ms": round(1e3 * statistics.median(own), 2),
                "tokens_per_second": round(tokens / statistics.median(own)),
                "gflop_per_second": round(tokens * per_token / statistics.median(own) / 1e9, 2),
                "first_step_s": round(first[name], 2),
                **_ratio(times["plain"], own),
                **_ratio(times.get("plain, compiled", []), own, " to compiled"),
            }
            for name, own in times.items()
        },
    }


def about_compiling(found: Speeds | None) -> dict[str, object] | None:
    """Return what the planner measured and took, and from how many steps on it compiles."""
    if found is None:
        return None
    gain = found.eager - found.compiled
    return {
        **{f"{name}_s": round(value, 4) for name, value in asdict(found).items()},
        "pays_from_steps": round(found.compiling / gain) if gain > 0 else None,
        "planned_steps": PLANNED,
        "picked": found.saves(PLANNED),
    }


def _ratio(plain: list[float], own: list[float], to: str = "") -> dict[str, object]:
    if not plain:
        return {}
    ratios = sorted(a / b for a, b in zip(plain, own, strict=True))
    ends = [round(ratios[0], 2), round(ratios[-1], 2)]
    return {f"ratio{to}": round(statistics.median(ratios), 2), f"ratio_range{to}": ends}


def _first(step: Step) -> float:
    """Return the process time of the first step, with what it compiles."""
    start = time.process_time()
    step()
    return time.process_time() - start


def _timed(step: Step, n: int) -> float:
    """Return the process time of some steps, after one that warms up."""
    step()
    start = time.process_time()
    for _ in range(n):
        step()
    return time.process_time() - start


def memory_per_member(size: str, batch_tokens: int) -> float:
    """Return MiB that another member adds to a training process: state and activations."""
    context = multiprocessing.get_context("spawn")
    peaks = []
    for n_members in (1, MEMBERS):
        with context.Pool(1) as pool:
            peaks.append(pool.apply(_peak_memory, (size, batch_tokens, n_members)))
    return round((peaks[1] - peaks[0]) / (MEMBERS - 1) / 2**20, 2)


def _peak_memory(size: str, batch_tokens: int, n_members: int) -> int:
    torch.set_num_threads(1)
    config = shape(size)
    backbone = Backbone(config)
    state = TrainState.begin(torch.stack([backbone.initial(k) for k in range(n_members)]))
    batch = torch.zeros(n_members, batch_tokens // CONTEXT, CONTEXT + 1, dtype=torch.int64)
    rate = torch.full((n_members,), RATE)
    for _ in range(2):
        update(
            partial(gradients, backbone), state, batch, at_once=n_members, rate_K=rate, config=OPTIM
        )
    # getrusage would count what the parent had when it forked; the kernel's own mark begins anew.
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found, "Linux alone keeps this mark"
    return 1024 * int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--batch", type=int, help="tokens a step; all when left out")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="plain time of a round")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    timing = {"rounds": asked.rounds, "seconds": asked.seconds}
    results = json.loads(RESULT.read_text())["results"] if RESULT.is_file() else {}
    for size in asked.sizes:
        found = results.setdefault(size, {}) | about(size)
        results[size] = found
        for batch in BATCHES[size]:
            if asked.batch in (None, batch):
                own = measure(shape(size), batch, **timing)
                found.setdefault("tokens_a_step", {})[str(batch)] = own
        print(size, json.dumps(found, indent=1))
        save({name: results[name] for name in SHAPES if name in results})


def about(size: str) -> dict[str, object]:
    """Return the shape of a size, and what a member of it takes."""
    config = shape(size)
    return {
        "d_model": config.d_model,
        "n_layers": config.n_layers,
        "n_params_nonembedding": count_params_nonembedding(config),
        "memory_mib_per_member": memory_per_member(size, 256),
    }


def save(results: dict[str, object]) -> None:
    """Write the result file."""
    report = {
        "command": "python benchmarks/harness_speed.py",
        "hardware": hardware("cpu"),
        "torch": torch.__version__,
        "members": MEMBERS,
        "context": CONTEXT,
        "results": results,
    }
    RESULT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
