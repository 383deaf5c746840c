"""Replay the choice of the next run on public tables, next to random and classical designs.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/next_run.py [--families xlstm]

Of each table the cheapest runs that a backtest would fit are known, the largest is the target, and
all others up to a third of its compute can be made. Every policy makes one run at a time, sees its
real loss, refits under the same constants, and stops when the target's central 90 % interval has
closed half (or three quarters) of the way, on a log scale, from its first width to the width after
all runs. Compared is the compute spent; families are judged by the prior learned without them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayescale.decisions.design import cheapest, frontier
from bayescale.forecasts.corpus import load_corpus, load_rules
from bayescale.forecasts.covariance import joint_moments
from bayescale.forecasts.forecast import forecast
from bayescale.forecasts.methods import ModelMethod, method_identity, resolve_method, without_family
from bayescale.forecasts.points import Points
from bayescale.forecasts.predict import predict
from bayescale.forecasts.tasks import Rules
from bayescale.inference.posterior import Posterior
from bayescale.models.catalog import DEFAULT_MODEL
from bayescale.models.problem import Constants
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import write_atomically
from bayescale.runs.schema import LOSS, N_PARAMS, N_TOKENS

RESULT = Path(__file__).parent / "results" / "next_run.json"
FAMILIES = ("xlstm", "gadre", "porian", "bigcode")
SHARES = (0.5, 0.75)
RANDOM = 10
"""Random orders that are averaged."""

BELOW = 3.0
"""Runs that can be made have the target's compute divided by this, or less."""


@dataclass
class Campaign:
    """One table's known runs, its target, and the runs that can be made.

    Fits are kept: policies often meet the same set of runs.
    """

    method: ModelMethod
    runs: RunsTable
    known: list[int]
    target: int
    pool: list[int]
    constants: Constants | None = None
    fitted: dict[frozenset[int], tuple[Posterior, float, float]] = field(default_factory=dict)

    @classmethod
    def on(cls, table: RunsTable, method: ModelMethod, rules: Rules) -> Campaign | None:
        """Cut a table; None where nothing is left to make."""
        runs, _ = table.usable()
        order = np.argsort(runs.compute_6nd, kind="stable").tolist()
        target, cost = order[-1], runs.compute_6nd
        sizes = range(rules.min_runs, len(runs))
        enough = (n for n in sizes if not rules.broken_by(_only(runs, order[:n])))
        size = next(enough, len(runs))
        pool = [row for row in order[size:-1] if cost[row] <= cost[target] / BELOW]
        return cls(method, runs, order[:size], target, pool) if len(pool) >= 8 else None

    def points(self, rows: Sequence[int]) -> Points:
        inputs = {name: self.runs.numbers(name)[list(rows)] for name in (N_PARAMS, N_TOKENS)}
        return Points(inputs, ((),) * len(rows))

    def state(self, made: Sequence[int]) -> tuple[Posterior, float, float]:
        """Return the fit with some runs made, the target's width, and its error in log loss."""
        key = frozenset(made)
        if key not in self.fitted:
            posterior = self.method.fit(_only(self.runs, [*self.known, *made]), self.constants)
            self.constants = self.constants or posterior.problems[0].constants
            ahead = forecast(posterior, self.points([self.target]), warn=False)
            low, middle, high = np.log(ahead.quantile([0.05, 0.5, 0.95]))[:, 0]
            actual = np.log(self.runs.numbers(LOSS)[self.target])
            self.fitted[key] = posterior, float(high - low), float(middle - actual)
        return self.fitted[key]

    def spend(self, wanted: float, choose: Callable[[list[int]], int]) -> dict[str, float]:
        """Make runs until the target's interval is as narrow as wanted."""
        made: list[int] = []
        while self.state(made)[1] > wanted and len(made) < len(self.pool):
            made.append(choose(made))
        _, width, error = self.state(made)
        flops = float(self.runs.compute_6nd[made].sum())
        return {"flops": flops, "runs": len(made), "width": width, "error": abs(error)}

    def left(self, made: Sequence[int]) -> list[int]:
        return [row for row in self.pool if row not in made]

    def ours(self, made: list[int], wanted: float) -> int:
        """Begin the cheapest set that promises the width."""
        posterior, width, _ = self.state(made)
        left = self.left(made)
        moments = joint_moments(posterior, self.points([self.target, *left]))
        costs = self.runs.compute_6nd[left]
        found = frontier(moments.covariance, moments.noise, costs)
        chosen = cheapest(found, wanted / width).runs
        return left[chosen[0]] if chosen else left[int(np.argmin(costs))]

    def d_optimal(self, made: list[int]) -> int:
        """Make the run whose loss by the law is least known: it adds most to the determinant."""
        left = self.left(made)
        parts = predict(self.state(made)[0], 0, dict(self.points(left).inputs))
        return left[int(parts.law.var(axis=0).argmax())]


def _only(runs: RunsTable, rows: Sequence[int]) -> RunsTable:
    mask = np.zeros(len(runs), dtype=bool)
    mask[list(rows)] = True
    return runs.select(mask)


def replay(campaign: Campaign, share: float) -> dict[str, Any]:
    """Return what every policy spent, and the error it ended with."""
    first, last = campaign.state([])[1], campaign.state(campaign.pool)[1]
    wanted = first ** (1 - share) * last**share
    orders = [np.random.default_rng([7, k]).permutation(campaign.pool) for k in range(RANDOM)]
    blind = [campaign.spend(wanted, lambda made, o=order: int(o[len(made)])) for order in orders]
    return {
        "share": share,
        "pool": len(campaign.pool),
        "width_first": first,
        "width_wanted": wanted,
        "ours": campaign.spend(wanted, lambda made: campaign.ours(made, wanted)),
        "random": {name: float(np.mean([one[name] for one in blind])) for name in blind[0]},
        "cheapest_first": campaign.spend(wanted, lambda made: campaign.pool[len(made)]),
        "d_optimal": campaign.spend(wanted, campaign.d_optimal),
    }


def summary(frame: pd.DataFrame) -> dict[str, Any]:
    """Return geometric means of compute over that of random, tables then families equally."""
    out: dict[str, Any] = {}
    for share, rows in frame.groupby("share"):
        mean = rows.groupby("family")[["ours", "cheapest_first", "d_optimal"]].mean()
        errors = rows.groupby("family")[["error_ours", "error_random"]].mean()
        out[f"{share:g} of the way"] = {
            "flops_over_random": np.exp(mean.mean()).to_dict(),
            "by_family": np.exp(mean).to_dict("index"),
            "abs_error": errors.mean().to_dict(),
            "tables_below_0.7": int((rows["ours"] <= np.log(0.7)).sum()),
            "tables": len(rows),
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    method = resolve_method(asked.model)
    rules = load_rules()
    # Families made before by the same method are kept, so that the work can be done in pieces.
    tables = _made_before(asked.out, method_identity(method), asked.families)
    for family, named in load_corpus(families=tuple(asked.families)).items():
        own = without_family(method, family)
        assert isinstance(own, ModelMethod)
        for _, table in named:
            campaign = Campaign.on(table, own, rules[family])
            for share in SHARES if campaign else ():
                found = replay(campaign, share)
                tables.append({"family": family, "table": table.name, **found})
                print(table.name, _row(tables[-1]), flush=True)
    content = {
        "command": "python benchmarks/next_run.py",
        "date": datetime.now(UTC).date().isoformat(),
        "version": version("bayescale"),
        "method": method_identity(method),
        "summary": summary(pd.DataFrame([_row(table) for table in tables])),
        "tables": tables,
    }
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(asked.out, lambda part: part.write_text(text))
    print(json.dumps(content["summary"], indent=1))


def _made_before(path: Path, method: str, families: Sequence[str]) -> list[dict[str, Any]]:
    found = json.loads(path.read_text()) if path.exists() else {"method": ""}
    kept = found["tables"] if found["method"] == method else []
    return [table for table in kept if table["family"] not in families]


def _row(found: dict[str, Any]) -> dict[str, Any]:
    """Return log compute of each policy over that of random, and errors."""
    spent = {p: found[p]["flops"] for p in ("ours", "random", "cheapest_first", "d_optimal")}
    logs = {p: float(np.log(max(v, 1.0) / spent["random"])) for p, v in spent.items()}
    errors = {f"error_{p}": found[p]["error"] for p in ("ours", "random")}
    return {"family": found["family"], "share": found["share"], **logs, **errors}


if __name__ == "__main__":
    main()
