"""Chinchilla's runs, read by others from the vector graphics of a figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bayescale.runs import schema

LEFT_OUT = 5
"""The largest losses, which the published refit leaves out."""


def convert(files: Mapping[str, Path]) -> pd.DataFrame:
    """Return one row a run; tokens are C / (6 N), because the figure shows N and C."""
    (path,) = files.values()
    read = pd.read_csv(path)
    rank = read["loss"].rank(ascending=False, method="first")
    return pd.DataFrame(
        {
            schema.RUN_ID: [f"chin{k:03d}" for k in range(len(read))],
            schema.DATASET: "massivetext",
            schema.ARCHITECTURE: "transformer",
            schema.N_PARAMS: read["Model Size"],
            schema.N_TOKENS: read["Training FLOP"] / (6.0 * read["Model Size"]),
            schema.FLOPS: read["Training FLOP"],
            schema.LOSS: read["loss"],
            schema.LOSS_KIND: "train_final_smoothed",
            "excluded_by_refit": (rank <= LEFT_OUT).astype(int),
        }
    )
