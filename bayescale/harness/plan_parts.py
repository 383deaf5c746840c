"""The parts of a sweep plan: sizes, the search for settings, data, measurements and budget."""

from __future__ import annotations

import math
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bayescale.harness.budget import Limits


class Strict(BaseModel):
    """Base of the plan's parts: immutable, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Size(Strict):
    """One point of the ladder of sizes."""

    d_model: int = Field(ge=1)
    n_layers: int = Field(ge=1)
    seeds: tuple[int, ...] | None = Field(default=None, min_length=1)
    """Seeds of this size, fewer where runs are dear; the plan's when left out."""
    milestones: tuple[int, ...] | None = Field(default=None, min_length=1)
    """Token budgets of this size, fewer where runs are dear; the plan's when left out."""
    held_back: bool = False
    """Whether its rows go into a table of their own, for forecasts to be tested on."""


class Tuning(Strict):
    """How settings are found: a grid on some sizes, then a power law in N for each."""

    sizes: tuple[int, ...] = Field(min_length=1)
    """Positions in the plan's ``sizes``."""
    grid: tuple[float, ...] = Field(min_length=3)
    """Rates to try, ascending, members of one stacked unit."""
    batch_tokens: tuple[int, ...] = ()
    """Batches to try at every rate, ascending; the plan's alone when left out."""
    beta2: tuple[float, ...] = ()
    """Values of beta2 to try with every rate and batch; the plan's alone when left out."""
    tokens: int = Field(ge=1)
    """Token budget of the trial runs."""
    eval_tokens: int | None = Field(default=None, ge=1)
    """Evaluation tokens of the trial runs, which are compared on the same ones; the plan's when
    left out."""
    seed: int = 1000
    """Seed of the trial runs; none of the plan's seeds."""


class Facts(Strict):
    """Law of the synthetic stream."""

    vocab_size: int = 32
    key_tokens: int = 3
    exponent: float = 0.6
    noise: float = 0.1


class Measure(Strict):
    """What is measured beside the loss; see `bayescale.harness.config.MeasureConfig`."""

    noise_batches: int = 0
    attention_logits: bool = False
    documents: bool = False
    position_lengths: tuple[int, ...] = ()
    probes: tuple[str, ...] = ()


class Budget(Strict):
    """What a sweep may cost; seeds, then long runs, are left out until it does not cost more."""

    seconds: float | None = Field(default=None, gt=0)
    """Wall time, at the speed measured on the machine that begins the sweep."""
    flops: float | None = Field(default=None, gt=0)
    """Training FLOPs, by the harness's default convention."""
    usd: float | None = Field(default=None, gt=0)
    """Price of the wall time, at ``usd_per_hour``."""
    usd_per_hour: float | None = Field(default=None, gt=0)
    """Price of the machine, all workers together."""

    @model_validator(mode="after")
    def _check_price(self) -> Self:
        if (self.usd is None) != (self.usd_per_hour is None):
            raise ValueError("usd and usd_per_hour are given together or not at all")
        return self

    @property
    def limits(self) -> Limits:
        """The same in seconds and FLOPs."""
        seconds = [math.inf if self.seconds is None else self.seconds]
        if self.usd is not None and self.usd_per_hour is not None:
            seconds.append(3600.0 * self.usd / self.usd_per_hour)
        flops = math.inf if self.flops is None else self.flops
        return Limits(seconds=min(seconds), flops=flops)
