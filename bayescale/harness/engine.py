"""Run units of work: in this process, in processes of this machine, or as tasks of a Ray cluster.

Every engine keeps the same promise: a unit is done once, a killed worker is replaced, SIGTERM and
a deadline save the state, and a later call on any engine or machine goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from bayescale.errors import HarnessError, UnknownNameError
from bayescale.harness.config import warn_if_head_dim_varies
from bayescale.harness.job import Job, Work, run_job
from bayescale.harness.pool import run_pool
from bayescale.harness.tally import FAILURES, Finished, Progress, Tally, as_failure
from bayescale.harness.train import Outcome

__all__ = ["ENGINES", "Job", "Progress", "run_job", "run_jobs"]

ENGINES = ("local", "ray")


def run_jobs(
    jobs: list[Job],
    *,
    engine: str = "local",
    workers: int = 1,
    gpus_per_job: float = 0.0,
    progress: Progress | None = None,
    on_finished: Finished | None = None,
    on_failed: Callable[[Job, HarnessError], None] | None = None,
    work: Work = run_job,
) -> Outcome:
    """Run jobs until all are finished, a deadline passes or SIGTERM arrives.

    Parameters
    ----------
    jobs : list of Job
        In the order in which to start them.
    engine : {"local", "ray"}
        ``ray`` joins the cluster that ``RAY_ADDRESS`` names, or starts one on this machine.
    workers : int
        Processes, each with one thread of PyTorch; one local worker runs in this process. A
        cluster of several machines decides itself.
    gpus_per_job : float
        Share of a GPU that a Ray task asks for: 0.25 packs four small units on one.
    progress : callable, optional
        Told the share done and the current job.
    on_finished : callable, optional
        Called in this process after each finished job; True stops the rest.
    on_failed : callable, optional
        Called in this process with each failed job and its error.
    work : callable
        What is done with a job.

    Returns
    -------
    {"finished", "stopped"}
        Whether all jobs are finished, or given up for good.

    Raises
    ------
    HarnessError
        When jobs failed, after the others were run, or the engine cannot run here.
    UnknownNameError
        When there is no such engine.
    """
    check_engine(engine, workers)
    warn_if_head_dim_varies(job.config.architecture for job in jobs)
    if not jobs:
        return "finished"
    tally = Tally(jobs, progress, on_finished, on_failed)
    if engine == "ray":
        from bayescale.harness.cluster import run_cluster

        run_cluster(jobs, tally, work, workers, gpus_per_job)
    elif workers == 1:
        _run_here(jobs, tally, work)
    else:
        run_pool(jobs, tally, work, workers)
    return tally.outcome()


def check_engine(engine: str, workers: int) -> None:
    """Refuse an engine that cannot run here, before anything is written.

    Parameters
    ----------
    engine : str
        One of `ENGINES`.
    workers : int
        Units that run side by side.

    Raises
    ------
    HarnessError
        When ``workers`` is below 1, or Ray is asked for and not installed.
    UnknownNameError
        When there is no such engine.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if workers < 1:
        raise HarnessError(f"run_jobs: workers is {workers}, but at least 1 is needed.")
    if engine == "ray" and find_spec("ray") is None:
        raise HarnessError(
            "engine 'ray': the package 'ray' is not installed.", "Install bayescale[cluster]."
        )


def _run_here(jobs: list[Job], tally: Tally, work: Work) -> None:
    for job in jobs:

        def tell(share: float, job: Job = job) -> None:
            tally.share(job, share)

        try:
            outcome = work(job, tell)
        except FAILURES as error:
            tally.fail(job, as_failure(error))
        else:
            tally.finish(job, outcome)
        if tally.stopping:
            return
