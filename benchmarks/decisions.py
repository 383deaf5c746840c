"""Backtest decisions on the corpus: fund a hidden run or not, by us and by the usual practice.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/decisions.py [MODEL]

Every hidden run of every task of the backtest is a candidate. Its target lies -2 to +2 % from the
usual practice's predicted loss, meeting it is worth one unit, and the run costs .1 to .9 of it. A
policy funds where its probability of the target exceeds that cost; regret is what knowing the
outcome would have brought beyond it. Each family is judged by the prior learned without it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayescale.forecasts.backtest import corpus_jobs
from bayescale.forecasts.corpus import load_corpus, load_rules
from bayescale.forecasts.methods import Prediction, method_identity, resolve_method, without_family
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.running import Job
from bayescale.forecasts.summary import family_scores, family_weights
from bayescale.forecasts.tasks import BINS
from bayescale.models.catalog import DEFAULT_MODEL
from bayescale.models.discrepancy import Floats
from bayescale.runs.save import write_atomically
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS

RESULT = Path(__file__).parent / "results" / "decisions.json"
USUAL = "huber_bootstrap"
OFFSETS = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
COSTS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
POLICIES = ("ours", "usual", "always", "never")
EDGES = np.array([0.2, 0.4, 0.6, 0.8])


def main() -> None:
    asked = _arguments()
    ours, usual = resolve_method(asked.model, asked.seed), resolve_method(USUAL, asked.seed)
    rows: list[dict[str, Any]] = []
    for job in corpus_jobs(load_corpus(), rules=load_rules()):
        inputs = {name: job.task.test.numbers(name) for name in (N_PARAMS, N_TOKENS)}
        mine = Prediction.of(without_family(ours, job.family)(job.task.train, inputs))
        theirs = Prediction.of(usual(job.task.train, inputs))
        rows += judged(job, mine, theirs)
    content = {
        "command": f"python benchmarks/decisions.py {asked.model}",
        "date": datetime.now(UTC).date().isoformat(),
        "version": version("bayescale"),
        "method": method_identity(ours),
        **summary(pd.DataFrame(rows)),
    }
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(asked.out, lambda part: part.write_text(text))
    print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default=DEFAULT_MODEL)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args()


def judged(job: Job, mine: Prediction, theirs: Prediction) -> Iterator[dict[str, Any]]:
    """Yield one row a cell: regret, Brier score and reliability, averaged over its questions."""
    targets = np.median(theirs.log_loss, axis=0) + np.log1p(OFFSETS)[:, None]
    met = np.log(job.task.test.numbers(LOSS)) <= targets
    probs = {"ours": below(mine, targets), "usual": below(theirs, targets)}
    probs |= {"always": np.ones(met.shape), "never": np.zeros(met.shape)}
    for cell in BINS:
        inside = job.task.cells == cell
        if inside.any():
            at = {name: prob[:, inside] for name, prob in probs.items()}
            yield {**job.labels, "cell": cell, **scores(at, met[:, inside])}


def below(made: Prediction, targets: Floats) -> Floats:
    """Return the probability of each target, shapes (offsets, points) in and out."""
    if isinstance(made.log_loss, Mixture):
        return made.log_loss.cdf(targets)
    return np.asarray((made.log_loss[:, None, :] <= targets).mean(axis=0))


def scores(probs: dict[str, Floats], met: Floats) -> dict[str, float]:
    """Return the mean regret of each policy, two Brier scores and what reliability needs."""
    found = {f"regret_{name}": regret(probs[name], met) for name in POLICIES}
    for name in ("ours", "usual"):
        found[f"brier_{name}"] = float(np.mean((probs[name] - met) ** 2))
        bins = np.searchsorted(EDGES, probs[name], side="right")
        for k in range(len(EDGES) + 1):
            here = bins == k
            found[f"share_{name}_{k}"] = float(here.mean())
            found[f"said_{name}_{k}"] = float(np.mean(here * probs[name]))
            found[f"met_{name}_{k}"] = float(np.mean(here * met))
    return found


def regret(prob: Floats, met: Floats) -> float:
    """Return the mean regret, in units of the value, of funding where `prob` exceeds the cost."""
    costs = COSTS[:, None, None]
    funded = prob > costs
    return float(np.where(met, (1.0 - costs) * ~funded, costs * funded).mean())


def summary(frame: pd.DataFrame) -> dict[str, Any]:
    """Return means over families with 90 % intervals from resampling them."""
    measures = [
        name for name in frame if name.startswith(("regret", "brier", "share", "said", "met"))
    ]
    by_family = family_scores(frame, measures=measures)
    weights = family_weights(len(by_family))
    values = {name: by_family[name].to_numpy() for name in measures}
    ratio = {
        f"regret over {name}": _ratio(values["regret_ours"], values[f"regret_{name}"], weights)
        for name in ("usual", "always", "never")
    }
    skill = _ratio(values["brier_ours"], values["brier_usual"], weights)
    return {
        "questions": len(frame),
        "regret": {name: float(values[f"regret_{name}"].mean()) for name in POLICIES},
        **ratio,
        "brier": {name: float(values[f"brier_{name}"].mean()) for name in ("ours", "usual")},
        "brier skill": {
            "mean": 1 - skill["mean"],
            "low": 1 - skill["high"],
            "high": 1 - skill["low"],
        },
        "reliability": {name: _reliability(values, name, weights) for name in ("ours", "usual")},
        "families": by_family.set_index("family")[
            ["regret_ours", "regret_usual", "brier_ours", "brier_usual"]
        ]
        .round(4)
        .to_dict("index"),
    }


def _ratio(ours: Floats, theirs: Floats, weights: Floats) -> dict[str, float]:
    low, high = np.quantile((weights @ ours) / (weights @ theirs), [0.05, 0.95])
    return {"mean": float(ours.mean() / theirs.mean()), "low": float(low), "high": float(high)}


def _reliability(values: dict[str, Floats], name: str, weights: Floats) -> list[dict[str, Any]]:
    """Return, for each bin of the probability said, how often the target was met."""
    bins = []
    for k in range(len(EDGES) + 1):
        share, said, met = (values[f"{what}_{name}_{k}"] for what in ("share", "said", "met"))
        often = (weights @ met) / np.maximum(weights @ share, 1e-12)
        low, high = np.quantile(often, [0.05, 0.95])
        mean = float(said.mean() / share.mean())
        bins.append(
            {
                "share": float(share.mean()),
                "said": mean,
                "met": float(met.mean() / share.mean()),
                "low": float(low),
                "high": float(high),
                "inside": bool(low <= mean <= high),
            }
        )
    return bins


if __name__ == "__main__":
    main()
