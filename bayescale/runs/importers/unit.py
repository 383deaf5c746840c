"""A unit of our own harness: the folder that it trains in, read while it trains.

One line of ``losses.jsonl`` holds the mean training losses of all members since the last one. A
member's longest run is its trunk up to where the last decay branches off, and that branch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bayescale.runs import schema
from bayescale.runs.importers.lines import read_rows
from bayescale.runs.importers.run_log import N_STEPS, SCHEDULE, SCHEDULE_DECAY, RunLog, collect

CONFIG, LOSSES, RECORDS = "config.json", "losses.jsonl", "records.jsonl"
GIVEN_UP = "given_up.json"
LOSS = "train_loss"


def recognises(folder: Path) -> bool:
    """Return whether a folder is that of a unit which has begun to train."""
    return (folder / CONFIG).is_file() and (folder / LOSSES).is_file()


def read(folder: Path) -> list[RunLog]:
    """Return the log of each member of a unit, on its longest budget."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    rows = [row for row in read_rows(folder / LOSSES) if _belongs(row, config["train"])]
    facts = _facts(config, folder)
    return [
        RunLog(
            f"{folder.name}-{k}",
            collect((LOSS, row[schema.STEP], row["loss"][k]) for row in rows),
            facts | {schema.SEED: member["seed"], schema.LEARNING_RATE: member["learning_rate"]},
            "killed" if (folder / GIVEN_UP).is_file() else _status(rows, facts),
        )
        for k, member in enumerate(config["members"])
    ]


def _belongs(row: Mapping[str, Any], train: Mapping[str, Any]) -> bool:
    """Return whether a line is of the trunk or of the last branch, and not of an earlier one."""
    last = len(train["milestones"]) - 1
    if train["schedule"] == "wsd":
        return row["segment"] % 2 == 0 or row["segment"] == 2 * last + 1
    return train["schedule"] == "constant" or row["segment"] == last


def _facts(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    train = config["train"]
    facts = {
        schema.DATASET: config["data"]["corpus"],
        schema.ARCHITECTURE: config["architecture"]["name"],
        schema.BATCH_TOKENS: train["batch_tokens"],
        N_STEPS: round(train["milestones"][-1] / train["batch_tokens"]),
        SCHEDULE: train["schedule"],
        SCHEDULE_DECAY: train["decay_fraction"],
    }
    # The configuration does not count parameters; the first measurement does.
    for record in _records(folder / RECORDS):
        facts[schema.N_PARAMS] = record["row"][schema.N_PARAMS]
    return facts


def _records(path: Path) -> Iterator[dict[str, Any]]:
    return read_rows(path) if path.is_file() else iter(())


def _status(rows: list[dict[str, Any]], facts: Mapping[str, Any]) -> str:
    return "finished" if rows and rows[-1][schema.STEP] >= facts[N_STEPS] else "running"
