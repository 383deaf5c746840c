"""Score sizes and growth rates of the discrepancy where runs are unlike any public table's.

Run from the repository's root; it needs no table but those shipped, and takes about a minute:

    python benchmarks/far_from_the_corpus.py

Each row is `coupled_gp_weak` with another discrepancy, on the families of our own small runs that
have been looked at (NOTES.md): what `coupled_growing_gp_weak` took its numbers from. A family is
held honestly by the row that the other one likes best.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from bayescale.forecasts.backtest import backtest_corpus
from bayescale.forecasts.corpus import load_corpus
from bayescale.forecasts.methods import resolve_method
from bayescale.inference.threads import one_thread
from bayescale.laws import Prior
from bayescale.models.catalog import load_model
from bayescale.models.corpus_prior import gain
from bayescale.models.spec import ModelSpec

FAMILIES = ("bayescale_cpu", "bayescale_architectures")
TAU = (-4.2, -3.7, -3.2, -2.7, -2.2)
KAPPA = (0.06, 0.12, 0.24)
GROWTH = {"compute": {"rho": 0.19}, "tokens": {"rho": 0.0, "rho_tokens": 0.37, "rho_ratio": 0.15}}
"""What grows with what: as in the weak model, and as learned for the default."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    corpus = load_corpus(locked=True, families=FAMILIES)
    weak, rows = load_model("coupled_gp_weak"), []
    with one_thread():
        usual = backtest_corpus(corpus, resolve_method("huber_bootstrap")).summary("family")
        for (name, growth), tau, kappa in product(GROWTH.items(), TAU, KAPPA):
            spec = with_discrepancy(weak, tau, kappa=kappa, **growth)
            found = backtest_corpus(corpus, resolve_method(spec)).summary("family")
            better = gain(*(np.array(x) for x in (found.log_score, found.crps, usual.crps)))
            for row, value in zip(found.itertuples(), better, strict=True):
                at = {"growth": name, "tau": tau, "kappa": kappa, "family": row.family}
                rows.append({**at, "gain": value, "held_90": row.coverage_90, "crps": row.crps})
    shape = {"index": ["growth", "tau", "kappa"], "columns": "family"}
    print(
        pd.DataFrame(rows).pivot(**shape, values=["gain", "held_90", "crps"]).round(3).to_string()
    )


def with_discrepancy(spec: ModelSpec, tau: float, **numbers: float) -> ModelSpec:
    """Return a model with another discrepancy; `tau` is the log of its median size."""
    assert spec.discrepancy is not None
    spread = spec.discrepancy.tau.arguments["sigma"]
    size = Prior("LogNormal", {"mu": tau, "sigma": spread}, "tried here")
    return replace(spec, discrepancy=replace(spec.discrepancy, tau=size, **numbers))


if __name__ == "__main__":
    main()
