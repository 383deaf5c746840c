"""What siblings are worth: each table cut as in a backtest, its siblings in full, or cut alike.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/siblings.py [FAMILY ...]

A family's tables of one evaluation are siblings; no training run is in two of them. Every pooled
model takes the numbers it has without the family, and the spreads that `learn_siblings.py` found
without it. Baselines: the same table alone, by models without pooling and without a hedge, and the
usual practice. Scores are cached in `--cache`, so that families can be run one at a time; the
result holds the families that were scored, by model. ``--full-only`` leaves out what siblings cut
alike are worth, which is half of the work; ``--reach 2 3`` adds those that reach two and three
times as far as the table; ``--between`` cuts tables at other places, as a second look at what was
chosen in sight of the first.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from on_siblings.designs import with_design

from bayescale.errors import ForecastError
from bayescale.forecasts.backtest import corpus_jobs
from bayescale.forecasts.corpus import load_corpus, load_rules
from bayescale.forecasts.methods import ModelMethod, Prediction, resolve_method
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predict import predict
from bayescale.forecasts.running import Job, run_jobs
from bayescale.forecasts.summary import family_scores, family_weights, overall, relative
from bayescale.inference.fit import run_arrays
from bayescale.inference.guard import guarded
from bayescale.inference.pooled import PooledEffort, sample_pooled
from bayescale.inference.posterior import Posterior
from bayescale.inference.threads import one_thread
from bayescale.laws import load_law
from bayescale.models.catalog import POOLED_MODEL, load_model
from bayescale.models.corpus_prior import load_corpus_prior
from bayescale.models.learned import without_families
from bayescale.models.problem import Problem, pooled_constants
from bayescale.models.spec import ModelSpec
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import write_atomically

RESULT = Path(__file__).parent / "results" / "siblings.json"
SPREADS = RESULT.with_name("sibling_spreads.json")
"""What `learn_siblings.py` learned, for models of which it is the prior."""

LEARNED = "_siblings"
FAMILIES = ("gadre", "marin", "mixing", "porian", "pythia", "xlstm")
NO_SIBLING = {"xlstm_isoflop"}
FACTORS, BETWEEN = (10.0, 100.0), (5.0, 30.0)
"""Times the largest compute kept, and those of a second look at what was chosen on the first."""

FEW_DECADES = {("mixing", FACTORS): (3.0,), ("mixing", BETWEEN): (2.0,)}
"""Families whose runs span too little compute for those factors."""

EFFORT = PooledEffort(chains=32, warm_up=15, kept=40, target_ess=100.0, target_rhat=1.05)
"""A quarter of the usual: scores need fewer draws than a user's gates ask for."""

USUAL = "huber_bootstrap"
ALONE = ("coupled_gp", "coupled_growing_gp")


_WAYS = {np.inf: "full", 1.0: "alike"}


@dataclass(frozen=True, eq=False)
class Pooled:
    """A table pooled with siblings.

    Parameters
    ----------
    spec : ModelSpec
        The pooled model.
    siblings : tuple of RunsTable
        All their runs.
    reach : float
        Cut them at this many times the compute at which the table is cut; 1 cuts them alike.
    width_alone : bool
        Whether the guard of `inference.guard` acts.
    """

    spec: ModelSpec
    siblings: tuple[RunsTable, ...]
    reach: float = np.inf
    width_alone: bool = True

    @property
    def name(self) -> str:
        whole = _WAYS.get(self.reach, f"reach_{self.reach:g}")
        return whole + ("" if self.width_alone else "_unguarded")

    @property
    def identity(self) -> str:
        return f"{self.spec.hash} {self.name} {[table.fingerprint for table in self.siblings]}"

    def __call__(self, train: RunsTable, inputs: Any) -> Prediction:
        limit = self.reach * train.compute_6nd.max()
        cut = [t.split_by_compute(limit)[0] if np.isfinite(limit) else t for t in self.siblings]
        tables = [train, *(table for table in cut if len(table))]
        with one_thread():
            posterior = _fitted_once(self.spec, tables)
            posterior = guarded(posterior, 0) if self.width_alone else posterior
            parts = predict(posterior, 0, {name: inputs[name] for name in posterior.law.inputs})
        found = posterior.diagnostics
        return Prediction(Mixture(parts.mean, parts.variance), max(found.khat), found.ess)


_LAST: dict[str, Posterior] = {}


def _fitted_once(spec: ModelSpec, tables: list[RunsTable]) -> Posterior:
    """Return the posterior, kept until another one is asked for: with and without the guard."""
    key = " ".join([spec.hash, *(table.fingerprint for table in tables)])
    if key not in _LAST:
        _LAST.clear()
        _LAST[key] = fitted(spec, tables)
    return _LAST[key]


def problems_of(spec: ModelSpec, tables: Sequence[RunsTable]) -> tuple[Problem, ...]:
    """Return tables made ready for one pooled fit, one group each."""
    arrays = [run_arrays(load_law(spec.law), table) for table in tables]
    constants = pooled_constants(spec, [(inputs, log_loss) for inputs, log_loss, _ in arrays])
    return tuple(
        Problem(
            spec=spec,
            inputs=part[0],
            log_loss=part[1],
            trunks=part[2],
            constants=fixed,
            levels={"table": str(k)},
        )
        for k, (part, fixed) in enumerate(zip(arrays, constants, strict=True))
    )


def fitted(spec: ModelSpec, tables: Sequence[RunsTable]) -> Posterior:
    """Return the pooled posterior of tables, one group each."""
    problems = problems_of(spec, tables)
    draws, population, diagnostics = sample_pooled(problems, draws=1000, seed=0, effort=EFFORT)
    return Posterior(
        spec=spec,
        group_columns=("table",),
        labels=tuple((str(k),) for k in range(len(tables))),
        problems=problems,
        draws=draws,
        population=population,
        diagnostics=diagnostics,
        notes=(),
        provenance={},
    )


def pooled_without(model: str, family: str) -> ModelSpec:
    """Return a pooled model that has learned nothing of a family."""
    spec = without_families(load_model(f"{model}_partial"), (family,))
    if not model.endswith(LEARNED):
        return spec
    learned = load_corpus_prior(SPREADS)
    return with_design(spec, learned.average({family} & set(learned.families)))


def jobs_of(
    family: str, factors: tuple[float, ...] = FACTORS
) -> Iterator[tuple[Job, tuple[RunsTable, ...]]]:
    """Return the tasks of a family, each with the siblings of its table."""
    tables = [t for t in load_corpus(families=(family,))[family] if t[0] not in NO_SIBLING]
    usable = {(name, evaluation_of(table)): table.usable()[0] for name, table in tables}
    factors = FEW_DECADES.get((family, factors), factors)
    for name, table in tables:
        key = (name, evaluation_of(table))
        siblings = tuple(t for k, t in usable.items() if k[1] == key[1] and k != key)
        try:
            jobs = corpus_jobs({family: [(name, table)]}, factors, load_rules())
        except ForecastError:
            continue
        for job in jobs:
            yield replace(job, evaluation=key[1]), siblings


def evaluation_of(table: RunsTable) -> str:
    """Return the evaluation of a table, by its first kind of loss."""
    kinds = np.unique(table.labels("loss_kind")).tolist() if table.has("loss_kind") else [""]
    return str(kinds[0])


def main() -> None:
    asked = _arguments()
    factors = BETWEEN if asked.between else FACTORS
    reaches = [] if asked.full_only else [1.0, *asked.reach]
    # Each with and without the guard in turn: they share a fit.
    pooled_ways = [(np.inf, True), *((reach, on) for reach in reaches for on in (True, False))]
    frames: dict[str, list[pd.DataFrame]] = {}
    for family in asked.families:
        pooled = pooled_without(asked.model, family)
        alone = [
            without_families(replace(load_model(name), hedge=None), (family,)) for name in ALONE
        ]
        for job, siblings in jobs_of(family, factors):
            ways = [Pooled(pooled, siblings, *way) for way in pooled_ways]
            methods = (*ways, *(ModelMethod(spec) for spec in alone), resolve_method(USUAL))
            for method in methods:
                made = run_jobs([job], method, backend="sequential", cache=asked.cache)
                frames.setdefault(made.model, []).append(made.frame)
            print(family, job.group or job.table, job.evaluation, job.task.factor, file=sys.stderr)
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    known = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    options = ["--model", asked.model, *(["--full-only"] if asked.full_only else [])]
    options += ["--between"] if asked.between else []
    options += ["--reach", *(f"{reach:g}" for reach in asked.reach)] if asked.reach else []
    command = " ".join(["python benchmarks/siblings.py", *asked.families, *options])
    key = f"{asked.model} between" if asked.between else asked.model
    known[key] = {"command": command, "factors": factors, **summary(whole, asked.model)}
    content = json.dumps(known, indent=1)
    write_atomically(RESULT, lambda part: part.write_text(content + "\n", encoding="utf-8"))
    print(content)


def summary(frames: dict[str, pd.DataFrame], model: str) -> dict[str, Any]:
    """Return the scores of every method, and how the pooled ones compare."""
    methods = {}
    for name, frame in frames.items():
        methods[name] = {
            "overall": overall(frame).set_index("measure").to_dict("index"),
            "families": family_scores(frame).set_index("family").to_dict("index"),
            "bad_khat": float((frame["khat"] > 0.7).mean()),
            "cpu_seconds": float(frame["cpu_seconds"].median()),
        }
    base = model.removesuffix(LEARNED)
    alone, usual = frames[base], frames[USUAL]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "models": {"pooled": load_model(f"{model}_partial").hash, "alone": load_model(base).hash},
        "tasks": len(alone.groupby(["table", "group", "evaluation", "factor"])),
        "methods": methods,
        "full_over_usual": relative(frames["full"], usual),
        "full_over_alone": relative(frames["full"], alone),
        **{f"full_over_{name}_alone": relative(frames["full"], frames[name]) for name in ALONE},
        **{
            f"{name}_minus_alone_percent": paired(frame, alone)
            for name, frame in frames.items()
            if name.startswith(("alike", "reach"))
        },
    }


def paired(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, float]:
    """Return the difference of mean CRPS in percent of the other's, families resampled."""
    one, two = (family_scores(frame)["crps"].to_numpy() for frame in (ours, theirs))
    weights = family_weights(len(one))
    ratio = 100.0 * ((weights @ one) / (weights @ two) - 1.0)
    low, high = np.quantile(ratio, [0.05, 0.95])
    return {
        "mean": float(100.0 * (one.mean() / two.mean() - 1.0)),
        "low": float(low),
        "high": float(high),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "families", nargs="*", default=list(FAMILIES), help="families of the corpus"
    )
    parser.add_argument("--cache", type=Path, help="folder of finished tasks")
    parser.add_argument("--model", default=POOLED_MODEL, help="without its _partial")
    parser.add_argument("--full-only", action="store_true")
    parser.add_argument(
        "--reach", nargs="*", type=float, default=[], help="cut siblings at so many times as much"
    )
    parser.add_argument("--between", action="store_true", help="cut tables 5 and 30 times lower")
    return parser.parse_args()


if __name__ == "__main__":
    main()
