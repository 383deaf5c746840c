"""The forecast of a sweep's largest run while the sweep is still running."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import BayescaleError, BayescaleWarning, DecisionError
from bayescale.runs import schema

if TYPE_CHECKING:
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
        posterior = fitted(own, seed)
        made = forecast(
            posterior, n_params=target.n_params, n_tokens=target.n_tokens, warn=False
        ).quantile([0.05, 0.5, 0.95])
    except BayescaleError as error:
        return Outlook(target=target, n_rows=len(own), reason=error.message)
    low, median, high = np.ravel(made).tolist()
    return Outlook(target=target, n_rows=len(own), low=low, median=median, high=high)


def fitted(rows: Rows, seed: int) -> Posterior:
    """Fit the recommended model to rows of one arm, without what a last fit will say better.

    Parameters
    ----------
    rows : list of dict
        Rows of a sweep so far.
    seed : int
        Seed of the fit.

    Raises
    ------
    BayescaleError
        When they do not allow a fit.
    """
    import pandas as pd

    from bayescale.inference.fit import fit

    if not rows:
        raise DecisionError("No run of its arm is finished.")
    with warnings.catch_warnings():
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
