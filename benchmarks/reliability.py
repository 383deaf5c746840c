"""Count how often 90 % intervals held in the committed backtests: models/reliability.json.

python benchmarks/reliability.py
"""

from __future__ import annotations

import json
from pathlib import Path

from bayescale.forecasts.backtest import Backtest, load_backtest
from bayescale.forecasts.baselines import BASELINES
from bayescale.forecasts.tasks import BINS
from bayescale.models.catalog import WEAK_MODEL, list_models

RESULTS = Path(__file__).parent / "results"
OUT = Path("models/reliability.json")
FAR = ("bayescale_architectures", "bayescale_byte_pairs", "bayescale_cpu")
"""Families of our own small runs: what tells of the model that is used outside the corpus."""


def main() -> None:
    made = {
        name: load_backtest(path(name))
        for name in (*list_models(), *BASELINES)
        if path(name).exists()
    }
    held = {name: made[name] for name in list_models() if name in made}
    far = load_backtest(path(f"{WEAK_MODEL}_locked")).frame
    held[WEAK_MODEL] = Backtest(far[far["family"].isin(FAR)])
    content = {
        "command": "python benchmarks/reliability.py",
        "models": {name: counts(backtest) for name, backtest in sorted(held.items())},
        "tables": {WEAK_MODEL: "of our own tables, unlike any public one"},
        "overall": {name: averages(backtest) for name, backtest in made.items()},
    }
    OUT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def path(model: str) -> Path:
    return RESULTS / f"backtest_{model}.csv"


def counts(backtest: Backtest) -> dict[str, dict[str, int]]:
    """Return tables, held and predicted runs by cell; evaluations of one run count once each."""
    frame = backtest.frame
    out = {}
    for cell in BINS:
        rows = frame[frame["cell"] == cell]
        if len(rows):
            out[cell] = {
                "n_tables": len(rows[["table", "group"]].drop_duplicates()),
                "held": round(float((rows["coverage_90"] * rows["n_points"]).sum())),
                "predicted": int(rows["n_points"].sum()),
            }
    return out


def averages(backtest: Backtest) -> dict[str, float]:
    """Return CRPS and coverage of the 90 % interval, families weighted equally."""
    means = backtest.summary().set_index("measure")["mean"]
    return {name: round(float(means[name]), 4) for name in ("crps", "coverage_90")}


if __name__ == "__main__":
    main()
