"""The runs and the target of a plan, each field with its unit and its limits."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field, field_validator, model_validator

from bayescale.decisions.labels import read_group
from bayescale.decisions.part import Amount, Number, Part, Word, as_number
from bayescale.runs.mixed import SEPARATING
from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS, downstream

ERROR_MODEL = "error_of_loss_plain_weak"
"""Model of the law from loss to error that a plan takes by default."""

LN2 = math.log(2.0)

MAX_LOSS = 25.0
"""Nats per token above which no tokenizer's uniform guess lies: a perplexity was meant."""


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
    cost_usd : float, optional
        What the run costs, where that is known better than from compute and price.
    group : dict of str to str, or tuple of str
        Label of each group column of the fit: ``{dataset: c4}``, ``dataset=c4``, ``c4`` (labels in
        the order of the columns, ``c4/xlstm`` or a list), or ``dataset: c4`` beside the size.
    """

    name: Word = Field(description="a name")
    n_params: Amount = Field(gt=0, description="a positive number of parameters, such as 1.4B")
    n_tokens: Amount = Field(gt=0, description="a positive number of tokens, such as 28B")
    flops: Amount | None = Field(
        None, gt=0, description="a positive number of FLOPs, where price.flops_convention is stated"
    )
    cost_usd: Amount | None = Field(
        None, ge=0, description="USD, zero or more, in place of compute times price"
    )
    group: dict[str, Word] | tuple[Word, ...] = Field(
        default_factory=dict,
        description="a mapping of group columns to labels such as {dataset: c4}, or labels alone",
    )

    @model_validator(mode="before")
    @classmethod
    def _labels_beside(cls, found: Any) -> Any:
        """Move labels that stand beside the size to where groups stand."""
        beside = [c for c in SEPARATING if isinstance(found, dict) and c in found]
        if not beside:
            return found
        if found.get("group") is not None:
            raise ValueError(f"{' and '.join(beside)} and group both say the group")
        rest = {key: value for key, value in found.items() if key not in beside}
        return {**rest, "group": {column: found[column] for column in beside}}

    @field_validator("group", mode="before")
    @classmethod
    def _read_group(cls, found: Any) -> Any:
        return read_group(found)

    @property
    def inputs(self) -> dict[str, float]:
        """What a law or a price may read of the run."""
        own = {} if self.flops is None else {FLOPS: self.flops}
        return {N_PARAMS: self.n_params, N_TOKENS: self.n_tokens, **own}


class DownstreamTarget(Part):
    """A downstream error to meet, and the table that ties it to the loss.

    Parameters
    ----------
    error : float
        Error rate to meet.
    runs : str
        Table of runs with the loss and the error of each: a file, or a shipped table's name.
    column : str
        Column of `runs` that holds the error.
    model : str
        Model of a law from loss to error.
    where : str, optional
        Conditions on rows of `runs`.
    """

    error: Number = Field(gt=0, lt=1, description="an error rate between 0 and 1, such as 0.45")
    runs: Word = Field(description="a table with the loss and the downstream error of runs")
    column: Word = Field(downstream("error"), description="the column that holds the error")
    model: Word = Field(ERROR_MODEL, description="a model of a law from loss to error")
    where: Word | None = Field(None, description="conditions on rows, such as 'task=arc'")


class Target(Part):
    """What to meet: a loss, in nats per token or bits per byte, or a downstream error.

    Parameters
    ----------
    loss : float
        Nats per token; always there once checked. Where a downstream error is to be met, `decide`
        sets it to the loss at which the fitted law's median meets that; it counts for nothing else.
    bits_per_byte, bytes_per_token : float, optional
        What `loss` was worked out from.
    downstream : DownstreamTarget, optional
        What is to be met in place of a loss.
    probability : float
        Probability of meeting it that the budget asked about must bring.
    """

    loss: Number = Field(
        gt=0, le=MAX_LOSS, description="a positive loss in nats per token, or bits_per_byte"
    )
    downstream: DownstreamTarget | None = Field(None, description="a mapping with error and runs")
    bits_per_byte: Number | None = Field(None, gt=0, description="positive bits per byte")
    bytes_per_token: Number | None = Field(
        None, gt=0, description="the tokenizer's positive mean bytes per token"
    )
    probability: Number = Field(0.9, gt=0, lt=1, description="a probability, such as 0.9")

    @model_validator(mode="before")
    @classmethod
    def _from_bits(cls, found: Any) -> Any:
        if isinstance(found, dict) and found.get("downstream") is not None:
            return {"loss": MAX_LOSS, **found}
        if not isinstance(found, dict) or found.get("bits_per_byte") is None:
            return found
        if found.get("bytes_per_token") is None:
            raise ValueError("bits_per_byte needs bytes_per_token, the tokenizer's mean")
        bits, size = as_number(found["bits_per_byte"]), as_number(found["bytes_per_token"])
        numbers = isinstance(bits, int | float) and isinstance(size, int | float)
        return {"loss": bits * size * LN2, **found} if numbers else found

    @model_validator(mode="after")
    def _agree(self) -> Target:
        if self.bits_per_byte is not None and self.bytes_per_token is not None:
            nats = self.bits_per_byte * self.bytes_per_token * LN2
            if not math.isclose(self.loss, nats, rel_tol=1e-9):
                raise ValueError(f"loss {self.loss:g} disagrees with {nats:g} from bits_per_byte")
        return self

    @property
    def level(self) -> float:
        """What an outcome must not exceed: the downstream error, else the loss."""
        return self.loss if self.downstream is None else self.downstream.error
