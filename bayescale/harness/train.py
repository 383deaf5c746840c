"""Train one unit from its first step to its last row, or on from wherever it was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from bayescale.harness import checkpoint, given_up, record
from bayescale.harness.architectures import Backbone
from bayescale.harness.checkpoint import TrainState
from bayescale.harness.config import RunConfig
from bayescale.harness.data import Batches, open_batches
from bayescale.harness.devices import check_device
from bayescale.harness.measure import measure
from bayescale.harness.record import RunRecord
from bayescale.harness.schedule import Segment, segments
from bayescale.harness.steps import Style, open_steps

Outcome = Literal["finished", "stopped", "given up"]


def train(
    config: RunConfig,
    folder: Path,
    *,
    corpus_dir: Path | None = None,
    device: str = "cpu",
    style: Style = "auto",
    should_stop: Callable[[], bool] | None = None,
    give_up: Callable[[], str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Train all members on all milestones and append one record per member and milestone.

    A unit stopped or killed at any instant goes on from its checkpoint and ends bit for bit as if
    it had never been interrupted (same processor and number of threads; on a GPU, whose sums come
    in no fixed order, with the same batches and rates).

    Parameters
    ----------
    config : RunConfig
        The unit.
    folder : Path
        Folder of this unit alone; made if missing.
    corpus_dir : Path, optional
        What `build_corpus` returned; not needed for the synthetic stream.
    device : str
        PyTorch device: ``"cpu"``, ``"cuda"`` or one of several, ``"cuda:1"``.
    style : {"auto", "host", "resident", "compiled"}
        How steps are taken; see `bayescale.harness.steps.open_steps`.
    should_stop : callable, optional
        Asked after every step, on a GPU after every hundred; True writes a checkpoint and returns.
    give_up : callable, optional
        Asked as often; a reason other than "" stops the unit for good. It is written down beside
        the checkpoint, and holds until a call without ``give_up``, which goes on from there.
    progress : callable, optional
        Called about once a second with the share of steps done.

    Returns
    -------
    {"finished", "stopped", "given up"}
        Whether every milestone has its records, or will have none.

    Raises
    ------
    HarnessError
        When the device, the corpus or a checkpoint cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.to_json() + "\n")
    if is_finished(config, folder):
        checkpoint.discard(folder)
        return "finished"
    check_device(device)
    if give_up is None:
        given_up.forget(folder)
    elif given_up.is_given_up(folder):
        return "given up"

    plan = segments(config.train)
    backbone = Backbone(config.architecture, config.train.precision)
    batches = open_batches(config, corpus_dir)
    n_steps = sum(segment.n_steps for segment in plan)

    unit, shape = config.content_hash, (len(config.members), backbone.n_params)
    state = checkpoint.load(folder, device, unit=unit, shape=shape)
    if state is None:
        initial = torch.stack([backbone.initial(member.seed) for member in config.members])
        state = TrainState.begin(initial.to(device))
    steps = open_steps(style, config, folder, backbone, batches, state)
    saved_at, told_at, cpu_start = time.monotonic(), 0.0, time.process_time()

    while state.segment < len(plan):
        segment = plan[state.segment]
        if segment.branches and state.step == segment.start:
            state.leave_trunk()
        while state.step < segment.stop:
            steps.take(state, segment)
            now = time.monotonic()
            stop = should_stop is not None and should_stop()
            reason = "" if stop or give_up is None else give_up()
            if stop or reason or now - saved_at > config.train.checkpoint_seconds:
                checkpoint.save(folder, state, unit)
                saved_at = now
            if progress is not None and now - told_at > 1.0:
                done = sum(s.n_steps for s in plan[: state.segment]) + state.step - segment.start
                progress(done / n_steps)
                told_at = now
            if stop:
                return "stopped"
            if reason:
                given_up.note(folder, state.step, plan[-1].stop, reason)
                return "given up"

        if segment.measured:
            cpu_seconds = round(time.process_time() - cpu_start, 2)
            fresh = _records(config, backbone, batches, state, segment, device, cpu_seconds)
            known = record.read(folder)
            record.append(folder, [one for one in fresh if one.run_id not in known])
        if segment.branches:
            state.return_to_trunk(segment.start)
        state.segment += 1

    checkpoint.discard(folder)
    return "finished"


def is_finished(config: RunConfig, folder: Path) -> bool:
    """Return whether every member has its record at every milestone.

    Parameters
    ----------
    config : RunConfig
        The unit.
    folder : Path
        Its folder, which need not exist.

    Returns
    -------
    bool
        Whether `train` would have nothing to do.
    """
    known = record.read(folder)
    return all(
        f"{config.trunk_hash(k)}-{segment.stop}" in known
        for segment in segments(config.train)
        if segment.measured
        for k in range(len(config.members))
    )


def _records(
    config: RunConfig,
    backbone: Backbone,
    batches: Batches,
    state: TrainState,
    segment: Segment,
    device: str,
    cpu_seconds: float,
) -> list[RunRecord]:
    """Measure every member at the end of a segment."""
    decayed = segment.branches and segment.start > 0
    measured = measure(
        config,
        backbone,
        batches,
        params_KP=state.params,
        undecayed_KP=state.trunk[0] if decayed else state.params,
        step=segment.start if decayed else segment.stop,
    )
    statuses = ["diverged" if out else "finished" for out in state.diverged.tolist()]
    return [
        RunRecord(
            row=record.run_row(config, k, state.step, batches, one, status),
            config_hash=config.content_hash,
            tokens_sha256=config.data.tokens_sha256,
            torch_version=torch.__version__,
            hardware=record.hardware(device),
            cpu_seconds=cpu_seconds,
            details=one.details,
        )
        for k, (one, status) in enumerate(zip(measured, statuses, strict=True))
    ]
