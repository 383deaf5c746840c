"""The limit from which siblings are not heard, chosen without the tested family.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/guard_limit.py

`inference.guard` keeps a group as it lies alone where pooling leaves it more than a share of its
width. Here every task is scored both ways, with what is left of its width: tables with siblings cut
at the places of `siblings.py` and between them, and tables with strangers (`strangers.py`). For
each family the limit is chosen on all tasks of the other families, strangers and siblings alike,
where it makes the mean over families of the log of CRPS least; a family of both kinds counts twice.
What the limits so chosen score is also given over a family's tables alone, from `siblings.json`.
Writes results/guard_limit.json. Takes an hour; `--cache` keeps what is finished.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from siblings import BETWEEN, FACTORS, FAMILIES, Pooled, fitted, jobs_of, pooled_without
from siblings import RESULT as SIBLINGS
from strangers import jobs as jobs_of_strangers

from bayescale.forecasts.methods import Prediction
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predict import predict
from bayescale.forecasts.running import Job, Row, score_job
from bayescale.forecasts.summary import family_scores
from bayescale.inference.guard import WORTH, drawn_alone, guarded_groups, width_kept
from bayescale.inference.posterior import Posterior
from bayescale.inference.threads import one_thread
from bayescale.models.catalog import load_model
from bayescale.models.spec import ModelSpec
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import write_atomically

RESULT = Path(__file__).parent / "results" / "guard_limit.json"
MODEL = "coupled_growing_gp_siblings"
LIMITS = np.round(np.arange(0.3, 1.21, 0.05), 2)
CUTS = {"siblings": (MODEL, FACTORS), "siblings_between": (f"{MODEL} between", BETWEEN)}
"""By kind: where `siblings.json` has its scores, and where its tables are cut."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder of finished tasks")
    cache = parser.parse_args().cache
    rows: list[Row] = []
    for kind, job, others in all_jobs():
        rows += [{**row, "kind": kind} for row in scored_or_read(kind, job, others, cache)]
        print(kind, job.table, job.evaluation, job.task.factor, flush=True)
    frame = pd.DataFrame(rows)
    report = {
        "command": "python benchmarks/guard_limit.py",
        "date": datetime.now(UTC).date().isoformat(),
        "model": load_model(f"{MODEL}_partial").hash,
        "shipped": WORTH,
        **summary(frame),
    }
    content = json.dumps(report, indent=1)
    write_atomically(RESULT, lambda part: part.write_text(content + "\n", encoding="utf-8"))
    print(content)


def all_jobs() -> Iterator[tuple[str, Job, tuple[RunsTable, ...]]]:
    """Return every task, what its other groups are, and these."""
    for kind, (_, factors) in CUTS.items():
        for family in FAMILIES:
            yield from ((kind, *found) for found in jobs_of(family, factors))
    yield from (("strangers", *found) for found in jobs_of_strangers(np.random.default_rng(0)))


def scored_or_read(
    kind: str, job: Job, others: tuple[RunsTable, ...], cache: Path | None
) -> list[Row]:
    """Return the rows of one task, from the cache where they are there."""
    spec = pooled_without(MODEL, job.family)
    if cache is None:
        return scored(spec, job, others)
    identity = job.identity(Pooled(spec, others))
    path = cache / f"{kind}-{identity}.json"
    if path.is_file():
        return list(json.loads(path.read_text(encoding="utf-8")))
    rows = scored(spec, job, others)
    write_atomically(path, lambda part: part.write_text(json.dumps(rows), encoding="utf-8"))
    return rows


def scored(spec: ModelSpec, job: Job, others: Sequence[RunsTable]) -> list[Row]:
    """Return one row a cell and way, heard or not, with what siblings leave of the width."""
    with one_thread():
        heard = fitted(spec, [job.task.train, *others])
        unheard = replace(heard, alone=drawn_alone(heard, (0,), 0))
        never = 0 in guarded_groups(heard.problems)
        kept = np.inf if never else width_kept(unheard, 0)
        ways = {"heard": heard, "unheard": unheard}
        return [
            {**row, "way": way, "kept": kept}
            for way, posterior in ways.items()
            for row in score_job(job, _Way(posterior))
        ]


class _Way:
    """A posterior that is fitted already, as a method.

    Parameters
    ----------
    posterior : Posterior
        Its first group is asked for.
    """

    name = "way"

    def __init__(self, posterior: Posterior) -> None:
        self._posterior = posterior

    def __call__(self, _: RunsTable, inputs: Any) -> Prediction:
        posterior = self._posterior
        parts = predict(posterior, 0, {name: inputs[name] for name in posterior.law.inputs})
        return Prediction(Mixture(parts.mean, parts.variance))


def at_limits(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return CRPS by kind: a row for each family, a column for each limit."""
    by_limit = {}
    for limit in LIMITS:
        chosen = frame[(frame["way"] == "heard") == (frame["kept"] <= limit)]
        by_limit[limit] = {
            kind: family_scores(part).set_index("family")["crps"]
            for kind, part in chosen.groupby("kind")
        }
    kinds = sorted(frame["kind"].unique())
    return {kind: pd.DataFrame({x: found[kind] for x, found in by_limit.items()}) for kind in kinds}


def chosen_without(scores: dict[str, pd.DataFrame], family: str) -> float:
    """Return the limit that makes the log of CRPS least, of all that other families have."""
    logs = pd.concat([np.log(part.drop(index=family, errors="ignore")) for part in scores.values()])
    return float(logs.mean().idxmin())


def summary(frame: pd.DataFrame) -> dict[str, Any]:
    """Return CRPS by limit, the limits chosen, and what they score beside the shipped one."""
    scores = at_limits(frame)
    known = json.loads(SIBLINGS.read_text(encoding="utf-8"))
    families = sorted(frame["family"].unique())
    limits = {family: chosen_without(scores, family) for family in families}
    report: dict[str, Any] = {"chosen_without": limits, "kinds": {}}
    for kind, part in scores.items():
        left_out = np.array([part.at[family, limits[family]] for family in part.index])
        report["kinds"][kind] = {
            "tasks": len(frame[frame["kind"] == kind].groupby(["table", "evaluation", "factor"])),
            "crps_by_limit": {str(x): float(part[x].mean()) for x in part},
            "crps_left_out": float(left_out.mean()),
            "crps_shipped": float(part[WORTH].mean()),
            "families_left_out": dict(zip(part.index, left_out.tolist(), strict=True)),
            "families_shipped": part[WORTH].to_dict(),
        }
        if kind in CUTS:
            alone = known[CUTS[kind][0]]["methods"]["coupled_gp"]["overall"]["crps"]["mean"]
            report["kinds"][kind]["left_out_over_coupled_gp_alone"] = float(left_out.mean() / alone)
    return report


if __name__ == "__main__":
    main()
