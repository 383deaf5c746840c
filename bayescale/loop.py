"""Where training and forecasting meet: forecasts of a sweep that runs, and sweeps led by them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import BayescaleError, BayescaleWarning, DecisionError
from bayescale.runs import schema

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.harness.plan import SweepPlan
    from bayescale.inference.posterior import Posterior

Rows = list[dict[str, Any]]

CONDITION = re.compile(r"\s*width\s*<=?\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*")


@dataclass(frozen=True, kw_only=True)
class Target:
    """The run that a sweep is made for.

    Parameters
    ----------
    n_params : float
        Parameters.
    n_tokens : float
        Training tokens.
    dataset, architecture : str
        Arm of the sweep whose rows tell of it.
    """

    n_params: float
    n_tokens: float
    dataset: str
    architecture: str

    def without(self, rows: Rows) -> Rows:
        """Return the rows of its arm, those of the run itself left out."""
        return [
            row
            for row in rows
            if (row[schema.DATASET], row[schema.ARCHITECTURE]) == (self.dataset, self.architecture)
            and (row[schema.N_PARAMS], row[schema.N_TOKENS]) != (self.n_params, self.n_tokens)
        ]


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """The forecast of a target from the rows so far.

    Parameters
    ----------
    target : Target
        What is forecast.
    n_rows : int
        Rows that it was made from.
    low, median, high : float
        5, 50 and 95 % of the loss of one new run, nats per token; NaN before there is a forecast.
    reason : str
        Why there is no forecast yet; empty when there is one.
    """

    target: Target
    n_rows: int
    low: float = float("nan")
    median: float = float("nan")
    high: float = float("nan")
    reason: str = ""

    @property
    def width(self) -> float:
        """Width of the central 90 % interval of log loss; NaN before there is a forecast."""
        return float(np.log(self.high / self.low))

    def __str__(self) -> str:
        """Return one line."""
        name = f"{self.target.architecture} on {self.target.dataset}"
        run = f"{self.target.n_params:.4g} parameters, {self.target.n_tokens:.4g} tokens ({name})"
        if self.reason:
            return f"{run}: no forecast from {self.n_rows} rows yet. {self.reason}"
        return (
            f"{run}: {self.median:.4f} [{self.low:.4f}, {self.high:.4f}] from {self.n_rows} rows, "
            f"width {self.width:.4f}"
        )


def largest_runs(plan: SweepPlan) -> list[Target]:
    """Return the largest planned run of every arm: most parameters, then most tokens.

    Parameters
    ----------
    plan : SweepPlan
        The plan.

    Returns
    -------
    list of Target
        One for each corpus and architecture. Runs held back are planned runs too.
    """
    from bayescale.harness.accounting import count_params

    targets = []
    for arm in plan.arms:
        size = max(arm.sizes, key=lambda each: count_params(arm.shape(each)))
        batch = arm.batch_tokens
        tokens = batch if isinstance(batch, int) else batch[arm.sizes.index(size)]
        steps = round((size.milestones or arm.milestones)[-1] / tokens)
        targets.append(
            Target(
                n_params=count_params(arm.shape(size)),
                n_tokens=steps * tokens,
                dataset=arm.corpus,
                architecture=arm.architecture,
            )
        )
    return targets


def outlook(target: Target, rows: Rows, seed: int = 0) -> Outlook:
    """Forecast a target from the rows of its arm.

    Parameters
    ----------
    target : Target
        What is forecast.
    rows : list of dict
        Rows of a sweep so far.
    seed : int
        Seed of the fit.

    Returns
    -------
    Outlook
        With the reason where the rows do not allow a forecast yet.
    """
    from bayescale.forecasts.forecast import forecast

    own = target.without(rows)
    try:
        posterior = _fitted(own, seed)
        made = forecast(
            posterior, n_params=target.n_params, n_tokens=target.n_tokens, warn=False
        ).quantile([0.05, 0.5, 0.95])
    except BayescaleError as error:
        return Outlook(target=target, n_rows=len(own), reason=error.message)
    low, median, high = np.ravel(made).tolist()
    return Outlook(target=target, n_rows=len(own), low=low, median=median, high=high)


def _fitted(rows: Rows, seed: int) -> Posterior:
    import pandas as pd

    from bayescale.inference.fit import fit

    if not rows:
        raise DecisionError("No run of its arm is finished.")
    with warnings.catch_warnings():
        # A fit on the way says much that the last one will say better.
        warnings.simplefilter("ignore", BayescaleWarning)
        return fit(pd.DataFrame(rows), engine="amis", seed=seed)


def parse_until(text: str) -> float:
    """Read a condition such as ``width<=0.02``.

    Parameters
    ----------
    text : str
        The condition.

    Returns
    -------
    float
        The widest central 90 % interval of log loss that is sharp enough.

    Raises
    ------
    DecisionError
        When it is not of this form.
    """
    found = CONDITION.fullmatch(text)
    if found is None or float(found.group(1)) <= 0:
        raise DecisionError(
            f"until is {text!r}, expected a width such as 'width<=0.02'.",
            "The width is that of the central 90 % interval of log loss: 0.02 is about 2 %.",
        )
    return float(found.group(1))


class Watcher:
    """Forecasts the targets whenever rows arrive; the callback of a sweep.

    Parameters
    ----------
    targets : list of Target
        What is forecast.
    until : str, optional
        Condition under which the sweep is told to stop: all targets are as sharp.
    tell : callable, optional
        Given every new list of outlooks.
    """

    def __init__(
        self,
        targets: list[Target],
        until: str | None = None,
        tell: Callable[[list[Outlook]], None] | None = None,
    ) -> None:
        self.targets, self.tell = targets, tell
        self.width = None if until is None else parse_until(until)
        self.history: list[list[Outlook]] = []

    def __call__(self, rows: Rows) -> bool:
        """Take all rows so far; return whether they are enough."""
        if not rows:
            return False
        made = [outlook(target, rows) for target in self.targets]
        self.history.append(made)
        if self.tell is not None:
            self.tell(made)
        return self.enough

    @property
    def enough(self) -> bool:
        """Whether every target is sharp enough."""
        if self.width is None or not self.history:
            return False
        # NaN, which stands for no forecast, is never sharp.
        return all(each.width <= self.width for each in self.history[-1])


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
        posterior = _fitted(target.without(rows), seed)
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
