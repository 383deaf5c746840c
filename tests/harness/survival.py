"""Drivers in processes of their own, for tests that kill them or their workers at random steps."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np

from bayescale.harness import record
from bayescale.harness.engine import Job, run_jobs
from bayescale.harness.job import LOCK

PATIENCE = 120.0


def drive(jobs: list[Job], engine: str, workers: int) -> None:
    """Run jobs, as a driver whose exit status is that of a shell."""
    run_jobs(jobs, engine=engine, workers=workers)


def broken(job: Job, progress: object = None, should_stop: object = None) -> str:
    """Stand for work with a fault that nobody foresaw."""
    raise TypeError(f"a fault in {job.title}")


def start(jobs: list[Job], engine: str, workers: int) -> multiprocessing.process.BaseProcess:
    """Start a driver; a server that has PyTorch loaded forks it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([run_jobs.__module__])
    driver = context.Process(target=drive, args=(jobs, engine, workers))
    driver.start()
    return driver


def finish_under_fire(
    job: Job, victim: str, n_kills: int, *, engine: str = "local", workers: int = 1, seed: int = 0
) -> int:
    """Kill the driver or the worker at random steps until the job is done; return the kills."""
    steps = job.config.train.milestones[-1] // job.config.train.batch_tokens
    targets = np.sort(np.random.default_rng(seed).choice(steps, n_kills, replace=False)) + 1
    driver, killed = start([job], engine, workers), []
    for target in targets.tolist():
        while (found := _victim(job.folder, target, victim, driver, killed)) is None:
            driver.join(PATIENCE)
            if driver.exitcode == 0:
                return len(killed)
            driver = start([job], engine, workers)  # its job lost its worker too often
        os.kill(found, signal.SIGKILL)
        killed.append(found)
        if victim == "driver":
            driver.join(PATIENCE)
            driver = start([job], engine, workers)
    while driver.join(PATIENCE) or driver.exitcode:
        driver = start([job], engine, workers)
    assert driver.exitcode == 0
    return len(killed)


def _victim(
    folder: Path,
    target: int,
    victim: str,
    driver: multiprocessing.process.BaseProcess,
    killed: list[int],
) -> int | None:
    """Return the process to kill at a step; None when the driver has ended before."""
    if not _reached(folder, target, driver):
        return None
    if victim == "driver":
        return driver.pid
    while driver.exitcode is None:
        found = (folder / LOCK).read_text().split()
        if found and int(found[1]) not in killed:
            return int(found[1])
        time.sleep(0.001)
    return None


def _reached(folder: Path, target: int, driver: multiprocessing.process.BaseProcess) -> bool:
    """Wait for a step; False when the driver has ended before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and driver.exitcode is None:
        newest = max((path.stem for path in folder.glob("checkpoint-*.pt")), default="-0")
        if int(newest.split("-")[1]) >= target or len(record.read(folder)) > target:
            return True
        time.sleep(0.001)
    return False
