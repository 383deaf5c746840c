"""Fit the lower half of the compute budgets of isoFLOP tables, predict every run of the upper half.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/isoflop.py [MODEL ...]

The protocol of the peer study that this project began with: nominal 95 % intervals of one new run,
scores averaged over runs and then over experiments. Families are predicted by what was learned
without them. The peer package needs an environment of its own: see peer/adapter.py. It takes
minutes, so what the result already holds of it for the same tables is kept.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peer.adapter import LAWS, method

from bayescale.forecasts.corpus import load_corpus
from bayescale.forecasts.methods import (
    Method,
    Prediction,
    method_identity,
    method_name,
    without_family,
)
from bayescale.forecasts.mixture import Mixture
from bayescale.models.discrepancy import Floats
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import write_atomically
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS

RESULT = Path(__file__).parent / "results" / "isoflop.json"

BUDGETS = {
    "chinchilla": (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21),
    "llama3": (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21, 1e22),
    "marin": (3e18, 9e18, 1.8e19, 3e19, 9e19, 1.8e20, 3e20),
    "misfitting": tuple(np.geomspace(8.46e16, 2.18e19, 27).tolist()),
}
"""The budgets of the study, 6 N D, by family of the corpus. Those of (Mis)Fitting it interpolated
between checkpoints; here finished runs alone are fitted and predicted, by the nearest budget."""

NEAR = 2.0
"""A run belongs to the nearest budget, unless it is further off than this factor."""

BASELINES = ("huber_bootstrap", "huber_bootstrap_bare", "chinchilla_plain_student_t_weak")
SCORES = ("coverage_95", "coverage_95_top", "width_95", "error", "error_top")


def main() -> None:
    asked = _arguments()
    peers = [] if asked.without_peer else list(LAWS)
    models = [*(asked.models or [None, "coupled_gp_weak"]), *BASELINES, *peers]
    methods = [method(model, asked.seed) for model in models]
    tables = dict(experiments())
    record = _record(methods, tables, asked)
    known = _known(asked.out, record)
    for each in methods:
        name = method_name(each)
        record["rows"] += known.get(name) or list(score_all(tables, each))
    frame = pd.DataFrame(record["rows"])
    means = frame.groupby("method", sort=False)[list(SCORES)].mean().round(4)
    print(means.to_string())
    content = json.dumps({**record, "means": means.to_dict("index")}, indent=1)
    write_atomically(asked.out, lambda part: part.write_text(content + "\n"))


def experiments() -> Iterator[tuple[str, tuple[str, RunsTable, RunsTable, Any]]]:
    """Yield name, and family, fitted runs, predicted runs and which of them are at the top."""
    for family, tables in load_corpus(families=tuple(BUDGETS)).items():
        budgets = np.log(BUDGETS[family])
        for name, table in tables:
            usable, _ = table.usable()
            distance = np.abs(np.log(usable.compute_6nd)[:, None] - budgets)
            nearest = distance.argmin(axis=1)
            kept = distance.min(axis=1) < np.log(NEAR)
            upper = nearest >= (len(budgets) + 1) // 2
            top = nearest[kept & upper]
            parts = usable.select(kept & ~upper), usable.select(kept & upper)
            yield name, (family, *parts, top == top.max())


def score_all(tables: dict[str, Any], predict: Method) -> Iterator[dict[str, Any]]:
    """Yield one row an experiment."""
    for name, (family, train, test, top) in tables.items():
        started = time.perf_counter()
        inputs = {column: test.numbers(column) for column in (N_PARAMS, N_TOKENS)}
        made = without_family(predict, family)(train, inputs)
        low, middle, high = _quantiles(made)
        actual = np.log(test.numbers(LOSS))
        inside = (low <= actual) & (actual <= high)
        # Width and error are shares of the loss that was measured.
        width = (np.exp(high) - np.exp(low)) / np.exp(actual)
        error = np.abs(np.exp(middle - actual) - 1.0)
        found = [inside.mean(), inside[top].mean(), width.mean(), error.mean(), error[top].mean()]
        scores = {score: round(float(v), 4) for score, v in zip(SCORES, found, strict=True)}
        bias = round(float(np.mean(middle - actual)), 4)
        seconds = round(time.perf_counter() - started, 2)
        head = {"method": method_name(predict), "experiment": name}
        yield {**head, **scores, "bias": bias, "wall_seconds": seconds}


def _quantiles(made: Prediction | Mixture | Floats) -> Floats:
    levels = np.array([0.025, 0.5, 0.975])
    found = made.log_loss if isinstance(made, Prediction) else made
    if isinstance(found, Mixture):
        return found.quantile(levels)
    return np.asarray(np.quantile(found, levels, axis=0))


def _record(
    methods: list[Method], tables: dict[str, Any], asked: argparse.Namespace
) -> dict[str, Any]:
    return {
        "command": " ".join(["python benchmarks/isoflop.py", *asked.models]),
        "date": datetime.now(UTC).date().isoformat(),
        "methods": {method_name(each): method_identity(each) for each in methods},
        "experiments": {
            name: {
                "fitted": len(train),
                "predicted": len(test),
                "at_top": int(top.sum()),
                "sha256": [train.fingerprint, test.fingerprint],
            }
            for name, (_, train, test, top) in tables.items()
        },
        "rows": [],
    }


def _known(path: Path, record: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the peer's rows of an earlier result of the same methods and tables."""
    if not path.exists():
        return {}
    old = json.loads(path.read_text(encoding="utf-8"))
    if old["experiments"] != record["experiments"]:
        return {}
    kept: dict[str, list[dict[str, Any]]] = {}
    for row in old["rows"]:
        name = row["method"]
        if name in LAWS and old["methods"][name] == record["methods"].get(name):
            kept.setdefault(name, []).append(row)
    return kept


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="models by name; default: what fit chooses")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args()


if __name__ == "__main__":
    main()
