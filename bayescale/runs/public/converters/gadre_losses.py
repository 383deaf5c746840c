"""The over-training testbed: 104 models on three corpora, eight evaluations each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bayescale.runs import schema

DATASETS = {"c4_original": "c4", "rpj": "redpajama", "rw_original": "refinedweb"}
EVALUATIONS = {
    "/openlm/": "openlm_mix",
    "/c4_val/": "c4_val",
    "/paloma_c4_en/": "paloma_c4_en",
    "/paloma_dolma_100_programing_languages/": "paloma_code100",
    "/paloma_falcon-refinedweb/": "paloma_refinedweb",
    "/paloma_ptb/": "paloma_ptb",
    "/paloma_redpajama/": "paloma_redpajama",
    "/de-en/": "c4_german",
}
"""Part of the path of the evaluated text, to the kind of loss."""

CONTEXT = 2048
TOKENS_PER_PARAMETER = 20.0
"""What the files call a multiplier of one."""


def convert(files: Mapping[str, Path]) -> pd.DataFrame:
    """Return one row a model and evaluation."""
    rows: list[dict[str, Any]] = []
    for k, path in enumerate(files.values()):
        model = json.loads(path.read_text(encoding="utf-8"))
        rows += ({schema.RUN_ID: f"gadre{k:03d}", **row} for row in _rows(model))
    return pd.DataFrame(rows)


def _rows(model: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    asked = model["hyperparameters"]
    # The three largest runs have a batch of one written down, which is a placeholder.
    batch = asked["global_bs"] * CONTEXT if asked["global_bs"] > 1 else None
    run = {
        schema.DATASET: DATASETS[model["dataset_name"]],
        "shape": Path(asked["model"]).stem,
        schema.ARCHITECTURE: "open_lm",
        schema.N_PARAMS: asked["params"],
        schema.N_PARAMS_NONEMBEDDING: asked["params_no_embed"],
        schema.N_TOKENS: asked["tokens"],
        schema.BATCH_TOKENS: batch,
        schema.LEARNING_RATE: asked["lr"],
        schema.WARMUP_TOKENS: batch and batch * asked["warmup"],
        "token_multiplier": asked["chinchilla_multiplier"] * TOKENS_PER_PARAMETER,
    }
    for result in model["results"]:
        kind = _kind(result["val_data"][0])
        if kind is None:
            continue
        yield {
            **run,
            schema.LOSS: result["loss"],
            schema.LOSS_KIND: kind,
            "loss_lo95": result["loss_sequences_lower_95"],
            "loss_hi95": result["loss_sequences_upper_95"],
        }


def _kind(path: str) -> str | None:
    return next((kind for part, kind in EVALUATIONS.items() if part in path), None)
