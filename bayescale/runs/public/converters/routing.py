"""Routed and dense networks: six losses at the end of a run, one of them along its way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bayescale.runs import schema

BATCH_TOKENS = 256 * 2048
"""From the paper; the file does not say."""

ARCHITECTURES = {"dense": "dense", "hash": "moe_hash", "s-base": "moe_sbase", "rl-r": "moe_rl_r"}
LOSSES = ("validation", "c4", "curation_corpus", "lambada", "pile", "wikitext103")


def convert(files: Mapping[str, Path]) -> pd.DataFrame:
    """Return one row a run, step and loss; FLOPs are three times those of the forward passes."""
    (path,) = files.values()
    read = pd.read_csv(path)
    run = read.groupby(["hyper_id", "seed"], sort=False, dropna=False)
    table = pd.DataFrame(
        {
            schema.RUN_ID: run.ngroup().map("route{:03d}".format),
            schema.DATASET: "massivetext",
            schema.ARCHITECTURE: read["router_type"].str.lower().map(ARCHITECTURES),
            schema.N_PARAMS: read["total_parameter_count"],
            schema.N_PARAMS_ACTIVE: read["dense_parameter_count"],
            schema.N_TOKENS: read["step"] * BATCH_TOKENS,
            schema.FLOPS: 3.0 * read["flops_per_step"] * read["step"],
            schema.STEP: read["step"],
            schema.BATCH_TOKENS: BATCH_TOKENS,
            schema.SEED: read["seed"],
            schema.N_EXPERTS: read["num_experts"],
            "k": read["k"],
            "routing_frequency": read["routing_frequency"],
            "flop_increase": read["flop_increase"],
            "size_label": read["model_size_label"],
            "is_final": (read["step"] == run["step"].transform("max")).astype(int),
        }
    )
    kinds = [table.copy() for _ in LOSSES]
    for kind, part in zip(LOSSES, kinds, strict=True):
        part[schema.LOSS], part[schema.LOSS_KIND] = read[f"loss_{kind}"], kind
    return pd.concat(kinds, ignore_index=True).dropna(subset=[schema.LOSS])
