"""A sweep that is led by its own forecasts: suggest, train, refit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import BayescaleError, DecisionError
from bayescale.live import Outlook, Rows, Target, fitted, largest_runs, outlook, parse_until
from bayescale.runs import schema

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.harness.plan import SweepPlan


@dataclass(frozen=True, kw_only=True)
class Loop:
    """What a sweep that was led by its own forecasts has done.

    Parameters
    ----------
    table : Path
        The runs table.
    rounds : DataFrame
        One row a round: sizes trained so far, rows, FLOPs, forecast and width after it.
    outlook : Outlook
        The last forecast.
    ended : str
        Why it ended: ``sharp``, ``nothing left`` or ``stopped``.
    """

    table: Path
    rounds: pd.DataFrame
    outlook: Outlook
    ended: str

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Loop: {len(self.rounds)} rounds, {self.ended}; {self.outlook}>"


def run_loop(
    plan_path: str | Path,
    out_dir: str | Path,
    *,
    until: str,
    start: int = 3,
    k: int = 1,
    seed: int = 0,
    on_round: Callable[[Outlook], None] | None = None,
    **options: Any,
) -> Loop:
    """Train the smallest sizes of a plan, then only those that sharpen its largest run's forecast.

    Every round fits the rows so far, works out what each size that is left would tell of the
    target for its compute, trains the most telling and fits again. The target's own size is
    trained never: the forecast is there to save it.

    Parameters
    ----------
    plan_path : str or Path
        YAML plan of one corpus and one architecture: its sizes are the menu.
    out_dir : str or Path
        Folder of the sweep; a later call goes on in it.
    until : str
        When to stop, such as ``width<=0.02``.
    start : int
        Sizes of the first round, the smallest.
    k : int
        Sizes to train in each further round.
    seed : int
        Seed of the fits.
    on_round : callable, optional
        Given the forecast after each round.
    **options
        Passed to `bayescale.harness.sweep.run_sweep`: workers, engine, deadline, progress, ...

    Returns
    -------
    Loop
        The table, the rounds and the last forecast.

    Raises
    ------
    DecisionError
        When the plan has several arms or too few sizes, or the condition cannot be read.
    """
    import pandas as pd

    from bayescale.harness.plan_file import load_plan
    from bayescale.harness.sweep import run_sweep

    plan, width = load_plan(plan_path), parse_until(until)
    menu = _menu(plan, start)
    (target,) = largest_runs(plan)
    trained, rounds = menu[:start], []
    while True:
        ends: list[str] = []
        seen: list[Rows] = [[]]
        table = run_sweep(
            plan, out_dir, only=trained, on_rows=seen.append, on_end=ends.append, **options
        )
        rows = seen[-1]
        now = outlook(target, rows, seed)
        rounds.append(_round(trained, rows, now))
        if on_round is not None:
            on_round(now)
        left = [position for position in menu if position not in trained]
        ended = _ended(ends[0], now.width <= width, bool(left))
        if ended:
            return Loop(table=table, rounds=pd.DataFrame(rounds), outlook=now, ended=ended)
        trained = [*trained, *_most_telling(plan, target, rows, left, now.width / width, seed)[:k]]


def _menu(plan: SweepPlan, start: int) -> list[int]:
    """Return the positions of a plan's sizes, smallest first, without its largest."""
    from bayescale.harness.accounting import count_params

    if len(plan.arms) > 1:
        raise DecisionError(
            f"plan {plan.name!r} has {len(plan.arms)} arms, expected one corpus and one "
            "architecture.",
            "Write a plan for each, or run the whole sweep.",
        )
    order = sorted(
        range(len(plan.sizes)), key=lambda position: count_params(plan.shape(plan.sizes[position]))
    )
    if not 1 <= start < len(order):
        raise DecisionError(
            f"plan {plan.name!r} has {len(order)} sizes, of which the largest is forecast; start "
            f"is {start}, expected between 1 and {len(order) - 1}."
        )
    return order[:-1]


def _round(trained: list[int], rows: Rows, now: Outlook) -> dict[str, Any]:
    return {
        "sizes": len(trained),
        "rows": len(rows),
        "flops": sum(row[schema.FLOPS] for row in rows),
        "loss_q05": now.low,
        "loss_q50": now.median,
        "loss_q95": now.high,
        "width": now.width,
    }


def _ended(outcome: str, sharp: bool, any_left: bool) -> str:
    if outcome == "stopped":
        return "stopped"
    if sharp:
        return "sharp"
    return "" if any_left else "nothing left"


def _most_telling(
    plan: SweepPlan, target: Target, rows: Rows, left: list[int], excess: float, seed: int
) -> list[int]:
    """Return the sizes to train next, by what their longest runs tell for their compute."""
    import pandas as pd

    from bayescale.decisions.design import cheapest, frontier
    from bayescale.forecasts.covariance import joint_moments
    from bayescale.forecasts.forecast import forecast
    from bayescale.harness.accounting import count_params

    try:
        posterior = fitted(target.without(rows), seed)
    except BayescaleError:  # too few runs for a forecast: the smallest size is the cheapest help
        return left[:1]
    sizes = [plan.sizes[position] for position in left]
    runs = [
        (count_params(plan.shape(size)), (size.milestones or plan.milestones)[-1]) for size in sizes
    ]
    points = [(target.n_params, target.n_tokens), *runs]
    frame = pd.DataFrame(points, columns=[schema.N_PARAMS, schema.N_TOKENS], dtype=float)
    made = forecast(posterior, frame, warn=False)
    joint = joint_moments(made.posterior, made.points)
    costs = np.array([6.0 * n_params * n_tokens for n_params, n_tokens in runs])
    chosen = cheapest(frontier(joint.covariance, joint.noise, costs), 1.0 / excess)
    return [left[position] for position in chosen.runs] or left[:1]
