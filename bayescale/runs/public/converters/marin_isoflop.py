"""Marin's ladders: one architecture on three corpora, along lines of equal compute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bayescale.runs import schema

CONTEXT = 4096


def convert(files: Mapping[str, Path]) -> pd.DataFrame:
    """Return one row a run; the corpus is the last word of the file's name."""
    return pd.concat([_corpus(path) for path in files.values()], ignore_index=True)


def _corpus(path: Path) -> pd.DataFrame:
    read, corpus = pd.read_csv(path), path.stem.split("-")[-1]
    return pd.DataFrame(
        {
            schema.RUN_ID: [f"marin_{corpus}_{k:03d}" for k in range(len(read))],
            schema.DATASET: corpus,
            schema.ARCHITECTURE: "transformer_llama",
            schema.N_PARAMS: read["parameter_count"],
            schema.N_TOKENS: read["throughput/total_tokens"],
            schema.FLOPS: read["throughput/total_gflops"] * 1e9,
            schema.STEP: read["trainer.num_train_steps"],
            schema.BATCH_TOKENS: read["trainer.train_batch_size"] * CONTEXT,
            schema.LEARNING_RATE: read["optimizer.learning_rate"],
            schema.LOSS: read["eval/paloma/macro_loss"],
            schema.LOSS_KIND: "paloma_macro_loss",
            schema.D_MODEL: read["model.hidden_dim"],
            schema.N_LAYERS: read["model.num_layers"],
            "is_validation_optimal": read["Name"].str.contains("validation-optimal").astype(int),
        }
    )
