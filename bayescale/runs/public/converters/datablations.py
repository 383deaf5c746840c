"""Repeated data: the list of final losses that a notebook prints, name by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from bayescale.runs import schema

PRINTED = re.compile(r"(?P<name>\w+) (?P<N>\S+) (?P<D>\S+) (?P<U>\S+) (?P<loss>\d\S*)\s*")
MISREAD = "4b284b12b2"
"""The one name whose tokens the notebook takes apart wrongly (84.1B of 2.2B, not 84B of 12B)."""


def convert(files: Mapping[str, Path]) -> pd.DataFrame:
    """Return one row a run; runs of one name are repeats with other seeds."""
    (path,) = files.values()
    found = [match for line in _lines(path) if (match := PRINTED.fullmatch(line))]
    read = pd.DataFrame([match.groupdict() for match in found if match["name"] != MISREAD]).astype(
        {"N": float, "D": float, "U": float, "loss": float}
    )
    repeat = read.groupby("name").cumcount() + 1
    repeated = read["name"].duplicated(keep=False)
    suffix = ("_s" + repeat.astype(str)).where(repeated, "")
    return pd.DataFrame(
        {
            schema.RUN_ID: "db_" + read["name"] + suffix,
            schema.DATASET: "c4",
            schema.ARCHITECTURE: "transformer_gpt2",
            schema.N_PARAMS: read["N"],
            schema.N_TOKENS: read["D"],
            schema.N_TOKENS_UNIQUE: read["U"],
            schema.LOSS: read["loss"],
            schema.LOSS_KIND: "c4_validation_final",
            schema.SEED: repeat.astype(str).where(repeated, ""),
            schema.EPOCHS: read["D"] / read["U"],
        }
    )


def _lines(notebook: Path) -> Iterator[str]:
    """Yield the printed lines of the first cell that prints such a list."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            lines = output.get("text", [])
            if sum(bool(PRINTED.fullmatch(line)) for line in lines) > 1:
                yield from lines
                return
