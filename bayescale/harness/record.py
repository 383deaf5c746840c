"""One finished measurement, and the append-only file of a unit's measurements."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from sys import intern
from typing import Any

import torch

from bayescale.errors import HarnessError
from bayescale.harness.accounting import (
    count_params,
    count_params_nonembedding,
    flops_per_token,
    mixer_flops,
)
from bayescale.harness.config import RunConfig
from bayescale.harness.data import Batches
from bayescale.harness.evaluate import bits_per_byte
from bayescale.harness.locks import append_whole
from bayescale.harness.measure import Details, Measurement
from bayescale.runs import schema

FILE_NAME = "records.jsonl"

COLUMNS = (
    schema.RUN_ID,
    schema.TRUNK,
    schema.DATASET,
    schema.ARCHITECTURE,
    schema.N_PARAMS,
    schema.N_PARAMS_NONEMBEDDING,
    schema.N_TOKENS,
    schema.N_TOKENS_UNIQUE,
    schema.FLOPS,
    schema.LOSS,
    schema.LOSS_SE,
    schema.BITS_PER_BYTE,
    schema.LOSS_KIND,
    schema.TOKENIZER,
    schema.SEED,
    schema.STEP,
    schema.STATUS,
    schema.LEARNING_RATE,
    schema.BATCH_TOKENS,
    "beta2",
    "weight_decay",
    schema.WARMUP_TOKENS,
    schema.EPOCHS,
    schema.D_MODEL,
    schema.N_LAYERS,
    schema.N_HEADS,
    schema.FFN_WIDTH,
    schema.VOCAB_SIZE,
    schema.CONTEXT,
)
"""Columns of every row, in the order of the table; what a unit measures beside them follows."""
PRECISION = "precision"
"""Column of rows whose networks computed in short floats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One member at one token budget: a row of the runs table and where it came from."""

    row: dict[str, Any]
    """Values by column name of `bayescale.runs.schema`, and the raw shape."""
    config_hash: str
    """Hash of the unit's resolved configuration."""
    tokens_sha256: str
    """Hash of the token file; empty for the synthetic stream."""
    torch_version: str
    """Version that trained it."""
    hardware: str
    """Machine in words."""
    cpu_seconds: float
    """Process time of the unit so far in this process, all members together."""
    details: Details = field(default_factory=dict)
    """Measurements too long for a row, such as losses by document."""

    @property
    def run_id(self) -> str:
        """Identifier of the measurement: trunk and step."""
        return str(self.row[schema.RUN_ID])


def run_row(
    config: RunConfig, member: int, step: int, batches: Batches, made: Measurement, status: str
) -> dict[str, Any]:
    """Return the row of one member at one token budget.

    Parameters
    ----------
    config : RunConfig
        The unit.
    member : int
        Position of the member.
    step : int
        Optimiser steps taken.
    batches : Batches
        Source of the tokens.
    made : Measurement
        Its loss and what else was asked for; of a diverged member they may be NaN, which the row
        leaves empty.
    status : str
        One of `bayescale.runs.schema.STATUSES`.

    Returns
    -------
    dict
        Column name to value, None where it does not apply.
    """
    shape, trunk = config.architecture, config.trunk_hash(member)
    n_tokens = step * config.train.batch_tokens
    n_unique = batches.n_tokens_unique or n_tokens
    found = made.found
    finite = math.isfinite(found.loss)
    bits = bits_per_byte(found.loss, batches.bytes_per_token)
    values = {
        schema.RUN_ID: f"{trunk}-{step}",
        schema.TRUNK: trunk,
        schema.DATASET: config.data.corpus,
        schema.ARCHITECTURE: shape.name,
        schema.N_PARAMS: count_params(shape),
        schema.N_PARAMS_NONEMBEDDING: count_params_nonembedding(shape),
        schema.N_TOKENS: n_tokens,
        schema.N_TOKENS_UNIQUE: n_unique,
        schema.FLOPS: flops_per_token(shape) * n_tokens,
        schema.LOSS: found.loss if finite else None,
        schema.LOSS_SE: found.loss_se if finite else None,
        schema.BITS_PER_BYTE: bits if finite else None,
        schema.LOSS_KIND: "validation",
        schema.TOKENIZER: batches.tokenizer,
        schema.SEED: config.members[member].seed,
        schema.STEP: step,
        schema.STATUS: status,
        schema.LEARNING_RATE: config.members[member].learning_rate,
        schema.BATCH_TOKENS: config.train.batch_tokens,
        schema.EPOCHS: n_tokens / n_unique,
    }
    values |= asdict(shape) | asdict(config.optim)
    unusual = mixer_flops(shape)
    beside: dict[str, Any] = {} if unusual is None else {schema.MIXER_FLOPS: unusual}
    if config.train.precision != "float32":
        beside[PRECISION] = config.train.precision
    return {name: values[name] for name in COLUMNS} | beside | made.columns


def append(folder: Path, records: list[RunRecord]) -> None:
    """Append records to a unit's file and make sure that they reached the disk.

    Parameters
    ----------
    folder : Path
        Folder of the unit.
    records : list of RunRecord
        Lines to add.

    Raises
    ------
    HarnessError
        When the disk does not take them; the file is then as it was.
    """
    lines = [json.dumps(asdict(record), allow_nan=False) + "\n" for record in records]
    try:
        append_whole(folder / FILE_NAME, lines)
    except OSError as error:
        raise HarnessError(
            f"{FILE_NAME} of unit {folder.name}: {len(lines)} records cannot be written "
            f"({error.strerror}).",
            "Free some space, then resume: earlier records and the last checkpoint are whole.",
        ) from error


def read(folder: Path) -> dict[str, RunRecord]:
    """Read a unit's records.

    Parameters
    ----------
    folder : Path
        Folder of the unit.

    Returns
    -------
    dict of str to RunRecord
        By run identifier. A measurement repeated after a kill counts once; a line torn by a kill
        is not a measurement.

    Raises
    ------
    HarnessError
        When a whole line is not a record.
    """
    path = folder / FILE_NAME
    records: dict[str, RunRecord] = {}
    for number, line in enumerate(path.read_text().splitlines() if path.is_file() else [], start=1):
        try:
            tree = json.loads(line)
        except json.JSONDecodeError:
            continue
        try:
            # Thousands of rows share the names of their columns.
            tree["row"] = {intern(name): value for name, value in tree["row"].items()}
            record = RunRecord(**tree)
            records[record.run_id] = record
        except (AttributeError, TypeError, KeyError) as error:
            raise HarnessError(
                f"{FILE_NAME} of unit {folder.name}, line {number}: not a run record ({error}); "
                f"it begins {line[:60]!r}.",
                "The file was changed by hand or written by another version; train the unit anew.",
            ) from error
    return records


def hardware(device: str) -> str:
    """Return the machine in words.

    Parameters
    ----------
    device : str
        ``"cpu"`` or a CUDA device.

    Returns
    -------
    str
        Accelerator name, or processor name and number of threads used.
    """
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [li for li in info.read_text().splitlines() if li.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    n_threads = torch.get_num_threads()
    return f"{name}, {n_threads} thread{'s' if n_threads > 1 else ''}"
