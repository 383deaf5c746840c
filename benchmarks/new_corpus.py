"""What pilots on a new corpus buy when siblings have been run at scale, on Marin's three corpora.

    BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/new_corpus.py [MODEL]

Each corpus in turn is the new one. Of its runs of at most 3e19 FLOPs the fit sees 0, 1, 3, 5, or
all; of its siblings it sees everything. Pilots are drawn at random. Scored are the new
corpus' runs at 3e20 FLOPs (its top budget) and at all larger budgets: error of the median, coverage
and relative width of the 90 % interval; and, of the best run at the top budget, the forecast over
what was measured, in per cent. Writes results/new_corpus.json; no observed row.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.runs.save import write_atomically

RESULT = Path(__file__).parent / "results" / "new_corpus.json"
CORPORA = ("comma", "dclm", "nemotron")
PILOTS = (0, 1, 3, 5)
REPEATS = 1
SMALL, TOP, ALL = 3.1e19, 2.5e20, "all"


def marin() -> bs.RunsTable:
    """Return the runs off the tuned optimum, up to 3e20 FLOPs, with a token a parameter."""
    folder = Path(os.environ.get("BAYESCALE_PUBLIC_DATA", "../shared/data"))
    runs = bs.read_runs(folder / "marin_isoflop.csv", where="flops<=3.5e20", name="marin")
    kept = runs.numbers("is_validation_optimal") != 1
    return runs.select(kept & (runs.numbers("n_tokens") >= runs.numbers("n_params")))


def shown(runs: bs.RunsTable, corpus: str, pilots: int | str, seed: int) -> bs.RunsTable:
    """Return what the fit sees: the siblings, and some small runs of the new corpus."""
    own = runs.labels("dataset") == corpus
    small = np.flatnonzero(own & (runs.numbers("flops") <= SMALL))
    rng = np.random.default_rng([seed, CORPORA.index(corpus)])
    chosen = small if isinstance(pilots, str) else rng.permutation(small)[:pilots]
    mask = ~own
    mask[chosen] = True
    return runs.select(mask)


def scored(posterior: bs.Posterior, runs: bs.RunsTable, corpus: str) -> dict[str, float]:
    """Return errors, coverage and width on the new corpus' larger runs, in per cent."""
    larger = runs.where([f"dataset={corpus}", f"flops>{SMALL}"])
    at = {name: larger.numbers(name) for name in ("n_params", "n_tokens")}
    made = bs.forecast(posterior, labels=[(corpus,)] * len(larger), warn=False, **at)
    (low, high), loss = made.interval(0.9).T, larger.numbers("loss")
    top = larger.numbers("flops") > TOP
    missed = 100 * (made.median / loss - 1.0)
    best = int(np.where(top, loss, np.inf).argmin())
    ends = [100 * float(end[best] / loss[best] - 1.0) for end in (low, high)]
    return {
        "best_median": float(missed[best]),
        "best_q05": ends[0],
        "best_q95": ends[1],
        "error_top": float(np.abs(missed[top]).mean()),
        "bias_top": float(missed[top].mean()),
        "coverage_90": float(((low <= loss) & (loss <= high)).mean()),
        "width_90_top": float(100 * ((high - low) / loss)[top].mean()),
        "width_90": float(100 * ((high - low) / loss).mean()),
    }


def one(runs: bs.RunsTable, model: str, corpus: str, pilots: int | str, seed: int) -> pd.DataFrame:
    """Return one row: a fit with some pilots, scored."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        posterior = bs.fit(
            shown(runs, corpus, pilots, seed), model, group="dataset", without_family="marin",
            seed=seed,
        )  # fmt: skip
    seconds = time.process_time() - started
    found = {**scored(posterior, runs, corpus), "cpu": seconds}
    return pd.DataFrame([{"corpus": corpus, "pilots": str(pilots), "seed": seed, **found}])


def rows(model: str, cache: Path | None, minutes: float) -> pd.DataFrame:
    """Return one row a fit, going on from those of the cache, as far as the time allows."""
    runs, ends = marin(), time.monotonic() + 60 * minutes
    found = (
        pd.read_csv(cache, dtype={"pilots": str}) if cache and cache.exists() else pd.DataFrame()
    )
    plans = [(p, 0) for p in (*PILOTS, ALL)]
    plans += [(p, seed) for seed in range(1, REPEATS) for p in PILOTS if p]
    asked = [(corpus, *plan) for plan in plans for corpus in CORPORA]
    for corpus, pilots, seed in asked[len(found) :]:
        if time.monotonic() > ends:
            break
        found = pd.concat([found, one(runs, model, corpus, pilots, seed)], ignore_index=True)
        if cache:
            found.to_csv(cache, index=False)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="coupled_gp_partial")
    parser.add_argument("--cache", type=Path, help="file of finished fits")
    parser.add_argument("--minutes", type=float, default=600.0)
    asked = parser.parse_args()
    frame = rows(asked.model, asked.cache, asked.minutes)
    by_corpus = frame.drop(columns="seed").groupby(["pilots", "corpus"], sort=False).mean()
    mean = by_corpus.groupby("pilots", sort=False).mean()
    content: dict[str, Any] = {
        "command": f"python benchmarks/new_corpus.py {asked.model}",
        "date": datetime.now(UTC).date().isoformat(),
        "version": bs.__version__,
        "fits": len(frame),
        "mean_over_corpora": mean.round(4).to_dict("index"),
        "by_corpus": {f"{c}, {p}": v for (p, c), v in by_corpus.round(4).to_dict("index").items()},
    }
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(RESULT, lambda part: part.write_text(text))
    print(mean.round(2).to_string())


if __name__ == "__main__":
    main()
