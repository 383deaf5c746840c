"""Warm-up, constant rate, and one linear decay branch per token budget.

All budgets of one size come from one trunk: at (1 - decay_fraction) of a budget the trunk's state
is kept, decayed to zero over the rest, evaluated and restored.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayescale.harness.config import TrainConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A stretch of steps on the trunk or on a decay branch."""

    start: int
    """First step."""
    stop: int
    """One past the last step."""
    decays: bool
    """Whether this is a branch, to be evaluated at its end and then left."""

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return self.stop - self.start


def segments(config: TrainConfig) -> tuple[Segment, ...]:
    """Return trunk, branch, trunk, branch, ... in the order of training.

    Parameters
    ----------
    config : TrainConfig
        Milestones, batch and decay fraction.

    Returns
    -------
    tuple of Segment
        Two per milestone; a trunk stretch may be empty, a branch has at least one step.
    """
    plan, at = [], 0
    for tokens in config.milestones:
        stop = round(tokens / config.batch_tokens)
        start = min(round(stop * (1 - config.decay_fraction)), stop - 1)
        plan.append(Segment(start=min(at, start), stop=start, decays=False))
        plan.append(Segment(start=start, stop=stop, decays=True))
        at = start
    return tuple(plan)


def rate_factor(segment: Segment, step: int, warmup_steps: float) -> float:
    """Return the learning rate as a share of its peak.

    Parameters
    ----------
    segment : Segment
        Where the step lies.
    step : int
        Optimiser step, from 0.
    warmup_steps : float
        Length of the warm-up, in steps.

    Returns
    -------
    float
        In (0, 1].
    """
    warmup = min(1.0, (step + 1) / max(warmup_steps, 1.0))
    return warmup * (segment.stop - step) / segment.n_steps if segment.decays else warmup
