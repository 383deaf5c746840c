"""Train a resolved plan until a deadline, and go on from there when started again."""

from __future__ import annotations

import json
import signal
import tarfile
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from on_gpu.bench import FAULTS, give_back, stack_seconds, why

from bayescale.errors import HarnessError
from bayescale.harness.accounting import count_params
from bayescale.harness.budget import Limits, fitted
from bayescale.harness.config import RunConfig
from bayescale.harness.estimate import Estimate
from bayescale.harness.packing import unpack_corpus
from bayescale.harness.resolved_plan import ResolvedPlan, tuned_rates
from bayescale.harness.runs_file import write_tables, write_whole
from bayescale.harness.steps import Style
from bayescale.harness.train import is_finished, train

Outcome = Literal["finished", "failed", "stopped"]
SMALL = {".json", ".jsonl", ".csv"}
RATES, SEEDS = "learning_rates.json", "fitted.json"
TO_BEGIN = {"resident": 20.0, "compiled": 120.0}
"""Seconds within which a unit is compiled, captured and under way."""
CORPORA = "corpora"
"""Folder of unpacked corpora; they and checkpoints are not carried from one machine to the next."""


@dataclass
class Session:
    """One call: where things are, and when to stop."""

    packed: Path
    """Folder of packed corpora."""
    out: Path
    """Folder of everything that is written."""
    device: str
    seconds: float
    """Wall seconds of this call."""
    compile_from: int
    """Width from which networks are compiled."""
    archive: Path
    """File that holds all but checkpoints, written after every unit."""
    rehearsal: bool = False
    began: float = field(default_factory=time.time)
    asked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        signal.signal(signal.SIGTERM, lambda number, _: self.asked.append(number))

    def over(self) -> bool:
        """Return whether to save the state and stop."""
        return bool(self.asked) or time.time() - self.began > self.seconds

    def late(self, style: Style) -> bool:
        """Return whether too little is left to begin a unit in a style."""
        return bool(self.asked) or time.time() - self.began > self.seconds - TO_BEGIN[style]

    def style(self, config: RunConfig) -> Style:
        """Return how a unit takes its steps."""
        wide = config.architecture.d_model >= self.compile_from
        return "compiled" if wide and not self.rehearsal else "resident"

    def say(self, *words: object) -> None:
        """Print a line with the seconds since the start."""
        print(f"{time.time() - self.began:7.1f} s ", *words, flush=True)


def read_plan(path: Path) -> ResolvedPlan:
    """Return the plan of a file."""
    try:
        return ResolvedPlan.from_json(path.read_text())
    except OSError as error:
        raise HarnessError(
            f"resolved plan {str(path)!r}: it cannot be read ({error.strerror}).",
            "Make it with benchmarks/gpu_pack.py and carry its folder here.",
        ) from error


def corpus_of(plan: ResolvedPlan, session: Session) -> Path | None:
    """Return the folder of a plan's tokens, unpacked if need be; None of a synthetic stream."""
    if plan.units[0].data.facts:
        return None
    return unpack_corpus(session.packed / plan.corpus, session.out / CORPORA / plan.corpus)


def train_plans(plans: list[ResolvedPlan], session: Session, *, budget: float) -> Outcome:
    """Train plans in turn as far as this call gets; what fails leaves the others their turn."""
    outcomes: list[Outcome] = []
    for plan in plans:
        if "stopped" not in outcomes:
            outcomes.append(train_plan(plan, session, budget=budget))
    return _worst(outcomes)


def train_plan(plan: ResolvedPlan, session: Session, *, budget: float) -> Outcome:
    """Train a plan as far as this call gets and write its tables.

    ``budget`` is the wall seconds of the plan in all calls together: seeds, then long runs, are
    left out until it fits; what was left out is decided once and kept.
    """
    folder, corpus = session.out / plan.name, corpus_of(plan, session)

    def run(config: RunConfig) -> Outcome:
        return _train(config, folder / "units" / config.content_hash, corpus, session)

    outcomes: list[Outcome] = []
    for trial in plan.trials:
        outcomes.append(run(trial))
        archive(session.out, session.archive)
        if outcomes[-1] == "stopped":
            return "stopped"
    if "failed" in outcomes:
        session.say(f"{plan.name}: without all its trials it has no learning rates")
        return "failed"
    rates = tuned_rates(plan, [folder / "units" / t.content_hash for t in plan.trials])
    write_whole(folder / RATES, json.dumps(rates, indent=1) + "\n")
    units = _fitted(plan.with_rates(rates).units, folder / SEEDS, budget, session)
    held_back = frozenset(units[i].content_hash for i in plan.held_back)
    places = [(unit, folder / "units" / unit.content_hash) for unit in units]
    for unit in units:
        outcomes.append(run(unit))
        write_tables(folder, places, held_back)
        archive(session.out, session.archive)
        if outcomes[-1] == "stopped":
            return "stopped"
    return _worst(outcomes)


def _worst(outcomes: list[Outcome]) -> Outcome:
    """Return that of the whole: what is stopped goes on, whatever failed before."""
    return next((one for one in ("stopped", "failed") if one in outcomes), "finished")


def _train(config: RunConfig, folder: Path, corpus: Path | None, session: Session) -> Outcome:
    style = session.style(config)
    # A rehearsal that is over at once still begins, so that there is something to resume.
    if session.late(style) and not session.rehearsal and not is_finished(config, folder):
        return "stopped"
    outcome = _attempt(config, folder, corpus, session, style)
    if outcome == "failed" and style == "compiled":
        outcome = _attempt(config, folder, corpus, session, "resident")
    return outcome


def _attempt(
    config: RunConfig, folder: Path, corpus: Path | None, session: Session, style: Style
) -> Outcome:
    """Train a unit in one style, or say what kept it from that."""
    begin, shape = time.time(), config.architecture
    outcome, note = "failed", ""
    try:
        ended = train(
            config,
            folder,
            corpus_dir=corpus,
            device=session.device,
            style=style,
            should_stop=session.over,
        )
        outcome = "stopped" if ended == "stopped" else "finished"
    except FAULTS as fault:
        note = f", {why(fault)}"
    give_back(session.device)
    session.say(
        f"{shape.name} {shape.d_model}x{shape.n_layers}, {len(config.members)} members, {style}: "
        f"{outcome} after {time.time() - begin:.1f} s{note}"
    )
    return outcome


def _fitted(
    units: tuple[RunConfig, ...], kept: Path, budget: float, session: Session
) -> tuple[RunConfig, ...]:
    """Return the units that the budget has room for, as decided the first time."""
    if not kept.is_file():
        found = units if budget == float("inf") else _within(units, budget, session)
        write_whole(kept, json.dumps([unit.to_json() for unit in found], indent=1) + "\n")
    return tuple(RunConfig.from_json(text) for text in json.loads(kept.read_text()))


def _within(units: tuple[RunConfig, ...], budget: float, session: Session) -> tuple[RunConfig, ...]:
    estimates = []
    for unit in units:
        speed = len(unit.members) * unit.train.batch_tokens / _step_seconds(unit, session)
        estimates.append(Estimate(config=unit, tokens_per_second=speed))
        session.say(f"{count_params(unit.architecture)} parameters: {speed:.3g} tokens/s")
    found = fitted(estimates, Limits(seconds=budget))
    for one in found:
        session.say(
            f"{one.n_params} parameters: {len(one.config.members)} seeds, {one.seconds:.0f} s"
        )
    return tuple(one.config for one in found)


def _step_seconds(unit: RunConfig, session: Session) -> float:
    """Return the seconds of a step in the way in which the unit will be trained."""
    ways = ("compile+graph", "graph") if session.style(unit) == "compiled" else ("graph",)
    seconds, faults = 0.01 if session.rehearsal else 0.5, []
    for way in ways:
        try:
            return stack_seconds(unit, way, session.device, seconds=seconds, rounds=3)[0]
        except FAULTS as fault:
            faults.append(f"{way}: {why(fault)}")
        finally:
            give_back(session.device)
    raise HarnessError(
        f"unit of {count_params(unit.architecture)} parameters: it cannot be timed "
        f"({'; '.join(faults)}).",
        "Leave --budget out, or the size out of the plan.",
    )


def archive(out: Path, target: Path) -> Path:
    """Write all but checkpoints and tokens into one small file, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".tmp")
    with tarfile.open(partial, "w:gz") as file:
        for path in sorted(out.rglob("*")):
            small = path.is_file() and path.suffix in SMALL
            if small and path.relative_to(out).parts[0] != CORPORA:
                file.add(path, path.relative_to(out))
    partial.replace(target)
    return target


def restore(archived: Path, out: Path) -> None:
    """Put back what `archive` kept; what is there already is newer and stays."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with tarfile.open(archived) as file:
                file.extractall(folder, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise HarnessError(
                f"archive {str(archived)!r}: it cannot be read ({error}).",
                "It is the gpu-runs.tar.gz of an earlier machine.",
            ) from error
        for path in Path(folder).rglob("*"):
            target = out / path.relative_to(folder)
            if path.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
