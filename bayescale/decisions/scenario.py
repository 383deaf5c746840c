"""The scenario: which runs could be funded, what they cost, what meeting the target is worth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from bayescale.arguments import PATH, check_arguments
from bayescale.decisions.faults import decision_error
from bayescale.decisions.part import Part, Word
from bayescale.decisions.plan import DownstreamTarget, PlannedRun, Target
from bayescale.decisions.plan_file import read_plan
from bayescale.decisions.price import Inference, Price
from bayescale.decisions.value import Risk, Value
from bayescale.errors import DecisionError
from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS

MOST_USD = 1e14
"""A run dearer than this is a mistake of units: the world produces about as much in a year."""


class Scenario(Part):
    """A decision to be made, resolved and checked; read from a file by `load_scenario`.

    Parameters
    ----------
    title : str
        The question.
    candidates : tuple of PlannedRun
        Runs that could be funded.
    target : Target
        The loss to meet, nats per token.
    price : Price
        What a FLOP of training costs.
    value : Value
        What meeting the target is worth.
    pilots : tuple of PlannedRun
        Runs one could make first, at the same price.
    inference : Inference, optional
        Demand on the funded network; it is served where that pays.
    risk : Risk, optional
        Attitude to losing money; None weighs sums by their mean.

    Raises
    ------
    DecisionError
        With the field, the value found and what was expected.
    """

    title: Word = Field(description="a title")
    candidates: tuple[PlannedRun, ...] = Field(
        min_length=1, description="a list of at least one run that could be funded"
    )
    target: Target = Field(
        description="a mapping with loss, or with bits_per_byte and bytes_per_token, or downstream"
    )
    price: Price = Field(description="a mapping with usd_per_gpu_hour, peak_flops and mfu")
    value: Value = Field(description="a mapping with usd")
    pilots: tuple[PlannedRun, ...] = Field((), description="a list of runs one could make first")
    inference: Inference | None = Field(None, description="a mapping with lifetime_tokens")
    risk: Risk | None = Field(None, description="a mapping with tolerance_usd")

    def __init__(self, where: str = "scenario", /, **data: Any) -> None:
        """Check `data`; messages call the whole `where`."""
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise decision_error(error, where, _SECTIONS) from None

    @model_validator(mode="after")
    def _check_runs(self) -> Scenario:
        names = [run.name for run in self.runs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"name {twice!r} is used twice, expected one name a run")
        stated = self.price.flops_convention == "stated"
        for run in self.runs:
            if stated != (run.flops is not None):
                held = "has no flops" if stated else f"states flops {run.flops:g}"
                raise ValueError(
                    f"run {run.name!r} {held}, but price.flops_convention is"
                    f" {self.price.flops_convention!r}"
                )
        return self

    @model_validator(mode="after")
    def _check_worth(self) -> Scenario:
        worthless, level = self.value.worthless_at, self.target.level
        if worthless is not None and worthless <= level:
            raise ValueError(
                f"value.worthless_at is {worthless:g}, expected above the target of {level:g}"
            )
        if self.value.at(level) <= 0:
            raise ValueError(f"value.points make the target of {level:g} worth nothing")
        return self

    @model_validator(mode="after")
    def _check_cost(self) -> Scenario:
        for run in self.runs:
            cost = self.run_cost_usd(run)
            if cost > MOST_USD:
                raise ValueError(
                    f"run {run.name!r} would cost {cost:.2g} USD, more than all the money there"
                    f" is: check its n_params and n_tokens, price.usd_per_gpu_hour,"
                    f" price.peak_flops and price.mfu"
                )
            if self.risk is not None and cost > 100.0 * self.risk.tolerance_usd:
                raise ValueError(
                    f"risk.tolerance_usd is {self.risk.tolerance_usd:g}, but run {run.name!r} costs"
                    f" {cost:.3g} USD: expected a tolerance of at least a hundredth of that"
                )
        return self

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "plan") -> Scenario:
        """Return the scenario that plain data describe.

        Parameters
        ----------
        data : mapping
            As in a plan file, or from `to_dict`.
        where : str
            What messages call it.

        Raises
        ------
        DecisionError
            With the field, the value found and what was expected.
        """
        return cls(where, **{str(key): value for key, value in data.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return every field, defaults included, as plain data."""
        return self.model_dump(mode="json")

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        """Candidates, then pilots."""
        return (*self.candidates, *self.pilots)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Fields of the price that the plan left to their default, each with its value."""
        left = [name for name in Price.model_fields if name not in self.price.model_fields_set]
        values = {name: getattr(self.price, name) for name in left}
        return tuple(f"price.{name} = {v}" for name, v in values.items() if v is not None)

    def flops(self, inputs: Mapping[str, float]) -> float:
        """Return a run's training compute in FLOPs, by the price's convention.

        Parameters
        ----------
        inputs : mapping of str to float
            ``n_params`` and ``n_tokens``, and ``flops`` where the convention is ``stated``.

        Raises
        ------
        DecisionError
            When an input that the convention reads is missing.
        """
        stated = self.price.flops_convention == "stated"
        for name in (FLOPS,) if stated else (N_PARAMS, N_TOKENS):
            if name not in inputs:
                raise DecisionError(
                    f"plan {self.title!r}: a run with {', '.join(inputs) or 'no inputs'} has no"
                    f" {name}, which price.flops_convention {self.price.flops_convention!r} reads."
                )
        return inputs[FLOPS] if stated else 6.0 * inputs[N_PARAMS] * inputs[N_TOKENS]

    def cost_usd(self, inputs: Mapping[str, float]) -> float:
        """Return what a run costs in USD, failure allowance included; see `flops`."""
        return self.price.usd_per_gpu_hour * self.price.gpu_hours(self.flops(inputs))

    def run_cost_usd(self, run: PlannedRun) -> float:
        """Return what a run of the plan costs in USD: as stated, else from its compute."""
        return self.cost_usd(run.inputs) if run.cost_usd is None else run.cost_usd

    def days(self, run: PlannedRun) -> float | None:
        """Return the days a run of the plan takes, None where the plan states no GPUs."""
        return self.price.days(self.flops(run.inputs))

    def is_late(self, run: PlannedRun, after_days: float = 0.0) -> bool:
        """Return whether a run that starts after some days ends past the deadline."""
        days, deadline = self.days(run), self.price.deadline_days
        return days is not None and deadline is not None and after_days + days > deadline

    def serving_usd(self, run: PlannedRun) -> float:
        """Return what serving a run's network for life costs in USD, zero without demand."""
        return 0.0 if self.inference is None else self.inference.cost_usd(run.n_params, self.price)

    @property
    def value_usd(self) -> float:
        """What just meeting the target is worth, USD."""
        return self.value.at(self.target.level)


_SECTIONS: dict[str, type[BaseModel]] = {
    "": Scenario,
    "candidates": PlannedRun,
    "pilots": PlannedRun,
    "target": Target,
    "target.downstream": DownstreamTarget,
    "price": Price,
    "value": Value,
    "inference": Inference,
    "risk": Risk,
}


def load_scenario(path: str | Path) -> Scenario:
    """Read a plan file.

    Parameters
    ----------
    path : str or Path
        A YAML file with title, candidates, target, price, value and optionally pilots.

    Returns
    -------
    Scenario
        Checked, with every field resolved.

    Raises
    ------
    DecisionError
        When the file cannot be read, or with the field, the value found and what was expected.
    """
    check_arguments("load_scenario", DecisionError, path=(path, PATH))
    path = Path(path)
    return Scenario.from_dict(read_plan(path), f"plan file {path.name!r}")
