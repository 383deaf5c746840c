"""Files as the authors of public tables wrote them, made from tables that were read from them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator

import pandas as pd

from bayescale.runs.public.card import load_public_card
from bayescale.runs.public.converters.gadre_losses import DATASETS, EVALUATIONS
from bayescale.runs.public.converters.routing import LOSSES

Files = dict[str, bytes]


def chinchilla(table: pd.DataFrame) -> Files:
    names = {"params": "Model Size", "flops": "Training FLOP", "loss": "loss"}
    return {"data/svg_extracted_data.csv": _csv(table[[*names]].rename(columns=names))}


def marin_isoflop(table: pd.DataFrame) -> Files:
    optimal = table["is_validation_optimal"].eq(1)
    made = pd.DataFrame(
        {
            "Name": optimal.map({True: "ladder-validation-optimal-3e+19", False: "isoflop-3e+19"}),
            "parameter_count": table["params"],
            "throughput/total_tokens": table["tokens"],
            "throughput/total_gflops": table["flops"] / 1e9,
            "eval/paloma/macro_loss": table["loss"],
            "trainer.train_batch_size": table["batch_tokens"] // 4096,
            "trainer.num_train_steps": table["step"],
            "optimizer.learning_rate": table["learning_rate"],
            "model.hidden_dim": table["width"],
            "model.num_layers": table["depth"],
        }
    )
    folder = "data/isoflops/extract/marin_202603/raw"
    groups = made.groupby(table["dataset"])
    return {f"{folder}/isoflop-{corpus}.csv": _csv(part) for corpus, part in groups}


def routing(table: pd.DataFrame) -> Files:
    keys = ["run_id", "step"]
    wide = table.pivot(index=keys, columns="loss_kind", values="loss").reset_index()
    runs = table.drop_duplicates(keys).merge(wide, on=keys)
    labels = {"dense": "Dense", "moe_hash": "Hash", "moe_sbase": "S-Base", "moe_rl_r": "RL-R"}
    same = ["step", "num_experts", "k", "routing_frequency", "flop_increase", "seed"]
    made = runs[same].assign(
        hyper_id=runs["run_id"],
        router_type=runs["architecture"].map(labels),
        total_parameter_count=runs["params"],
        dense_parameter_count=runs["params_active"],
        flops_per_step=runs["flops"] / (3.0 * runs["step"]),
        model_size_label=runs["size_label"],
        **{f"loss_{kind}": runs[kind] for kind in LOSSES},
    )
    return {"data/curves.csv.gz": gzip.compress(_csv(made), mtime=0)}


def datablations(table: pd.DataFrame) -> Files:
    names = table["run_id"].str.removeprefix("db_").str.replace(r"_s\d$", "", regex=True)
    columns = (names, table["params"], table["tokens"], table["unique_tokens"], table["loss"])
    lines = [
        f"{name} {float(n)} {float(d)} {float(u)} {loss}\n"
        for name, n, d, u, loss in zip(*columns, strict=True)
    ]
    source = {"cell_type": "code", "source": ["print(1)\n"], "outputs": [{"text": ["1b25\n"]}]}
    cell = {"cell_type": "code", "outputs": [{"output_type": "stream", "text": lines}]}
    text = json.dumps({"cells": [{"cell_type": "markdown"}, source, cell]})
    return {"utils/parametric_fit.ipynb": text.encode()}


def gadre_losses(table: pd.DataFrame) -> Files:
    return dict(_models(table))


def _models(table: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    datasets = {ours: theirs for theirs, ours in DATASETS.items()}
    paths = {kind: part for part, kind in EVALUATIONS.items()}
    groups = table.groupby("run_id", sort=False)
    for file, (_, rows) in zip(load_public_card("gadre_losses").files, groups, strict=True):
        run = rows.iloc[0]
        batch = 1 if pd.isna(run["batch_tokens"]) else int(run["batch_tokens"] // 2048)
        asked = {
            "model": f"configs/{run['architecture'].removeprefix('open_lm:')}.json",
            "tokens": int(run["tokens"]),
            "params": int(run["params"]),
            "params_no_embed": int(run["params_nonembedding"]),
            "lr": run["learning_rate"],
            "global_bs": batch,
            "warmup": 100 if batch == 1 else int(run["warmup_tokens"] / run["batch_tokens"]),
            "chinchilla_multiplier": run["token_multiplier"] / 20.0,
        }
        results = [
            {
                "loss": row["loss"],
                "loss_sequences_lower_95": row["loss_lo95"],
                "loss_sequences_upper_95": row["loss_hi95"],
                "val_data": [f"eval_data{paths[row['loss_kind']]}shard-0.tar"],
            }
            for row in rows.to_dict("records")
        ]
        model = {"dataset_name": datasets[run["dataset"]], "hyperparameters": asked}
        yield file.path, json.dumps(model | {"results": results}).encode()


def _csv(frame: pd.DataFrame) -> bytes:
    return str(frame.to_csv(index=False)).encode()


WRITERS: dict[str, Callable[[pd.DataFrame], Files]] = {
    "chinchilla": chinchilla,
    "datablations": datablations,
    "gadre_losses": gadre_losses,
    "marin_isoflop": marin_isoflop,
    "routing": routing,
}
