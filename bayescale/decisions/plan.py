"""The parts of a plan: runs, target, price and value, each field with its unit and its limits."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bayescale.runs.numbers import label, parse_number
from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS

LN2 = math.log(2.0)


def _number(found: Any) -> Any:
    return _read(found, counts=False)


def _amount(found: Any) -> Any:
    return _read(found, counts=True)


def _read(found: Any, counts: bool) -> Any:
    if isinstance(found, bool):
        raise ValueError("a truth value")
    if not isinstance(found, str):
        return found
    try:
        return parse_number(found, counts=counts)
    except ValueError as error:
        raise ValueError("not a number") from error


def _word(found: Any) -> Any:
    return label(found) if isinstance(found, int | float) and not isinstance(found, bool) else found


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Amount = Annotated[float, BeforeValidator(_amount), Field(allow_inf_nan=False)]
Word = Annotated[str, BeforeValidator(_word), Field(min_length=1)]


class Part(BaseModel):
    """A frozen part of a plan that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedRun(Part):
    """A run one could pay for; fields as in a runs table.

    Parameters
    ----------
    name : str
        What the plan calls it.
    n_params, n_tokens : float
        Parameters, and training tokens seen.
    flops : float, optional
        Training compute, FLOPs; only where the price's convention is ``stated``.
    group : dict of str to str
        Label of each group column of the fit.
    """

    name: Word = Field(description="a name")
    n_params: Amount = Field(gt=0, description="a positive number of parameters, such as 1.4B")
    n_tokens: Amount = Field(gt=0, description="a positive number of tokens, such as 28B")
    flops: Amount | None = Field(
        None, gt=0, description="a positive number of FLOPs, where price.flops_convention is stated"
    )
    group: dict[str, Word] = Field(
        default_factory=dict, description="a mapping of group columns to labels"
    )

    @property
    def inputs(self) -> dict[str, float]:
        """What a law or a price may read of the run."""
        own = {} if self.flops is None else {FLOPS: self.flops}
        return {N_PARAMS: self.n_params, N_TOKENS: self.n_tokens, **own}


class Target(Part):
    """The loss to meet; given in nats per token, or in bits per byte.

    Parameters
    ----------
    loss : float
        Nats per token; always there once checked.
    bits_per_byte, bytes_per_token : float, optional
        What `loss` was worked out from.
    """

    loss: Number = Field(gt=0, description="a positive loss in nats per token, or bits_per_byte")
    bits_per_byte: Number | None = Field(None, gt=0, description="positive bits per byte")
    bytes_per_token: Number | None = Field(
        None, gt=0, description="the tokenizer's positive mean bytes per token"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_bits(cls, found: Any) -> Any:
        if not isinstance(found, dict) or found.get("bits_per_byte") is None:
            return found
        if found.get("bytes_per_token") is None:
            raise ValueError("bits_per_byte needs bytes_per_token, the tokenizer's mean")
        bits, size = _number(found["bits_per_byte"]), _number(found["bytes_per_token"])
        numbers = isinstance(bits, int | float) and isinstance(size, int | float)
        return {"loss": bits * size * LN2, **found} if numbers else found

    @model_validator(mode="after")
    def _agree(self) -> Target:
        if self.bits_per_byte is not None and self.bytes_per_token is not None:
            nats = self.bits_per_byte * self.bytes_per_token * LN2
            if not math.isclose(self.loss, nats, rel_tol=1e-9):
                raise ValueError(f"loss {self.loss:g} disagrees with {nats:g} from bits_per_byte")
        return self


class Price(Part):
    """What a FLOP of training costs.

    Parameters
    ----------
    usd_per_gpu_hour : float
        USD.
    peak_flops : float
        FLOPs per second of one GPU at its peak.
    mfu : float
        Share of the peak in use.
    flops_convention : {"6ND", "stated"}
        How a run's FLOPs are counted.
    failure_allowance : float
        Extra compute for failed and restarted work, as a share.
    """

    usd_per_gpu_hour: Number = Field(ge=0, description="USD, zero or more")
    peak_flops: Amount = Field(
        ge=1e9, description="FLOPs per second of one GPU at its peak, such as 989e12"
    )
    mfu: Number = Field(
        gt=0, le=1, description="the share of the peak in use, above 0 and at most 1 (40 % is 0.4)"
    )
    flops_convention: Literal["6ND", "stated"] = Field(
        "6ND", description="6ND, or stated where every run gives its own flops"
    )
    failure_allowance: Number = Field(
        0.0, ge=0, description="extra compute for failed work as a share, zero or more, such as 0.1"
    )

    def gpu_hours(self, flops: float) -> float:
        """Return the GPU-hours that `flops` of useful training take, failures included."""
        return flops * (1.0 + self.failure_allowance) / (self.peak_flops * self.mfu * 3600.0)


class Value(Part):
    """What meeting the target is worth.

    Parameters
    ----------
    usd : float
        USD.
    """

    usd: Amount = Field(gt=0, description="positive USD, such as 50000 or 50K")
