"""How far the means over seeds of the table `cpu_architectures` lie from a law.

Run ``python benchmarks/architectures_on_a_law.py``; seconds. Laws of size and data are fitted to
the means of every dataset and architecture by least squares on log loss, and the residuals are set
beside the standard error that the seeds imply. With 16 means and five coefficients a law that
is true leaves residuals below one standard error, so the ratio is given raw and by degrees of
freedom.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

import bayescale as bs
from bayescale.laws.base import Law
from bayescale.laws.ops import from_unconstrained

TABLE = "cpu_architectures"
LAWS = ("kaplan", "chinchilla", "coupled")
RESULT = Path(__file__).parent / "results" / "architectures_on_a_law.json"
N_STARTS = 20


def means(table: str) -> pd.DataFrame:
    """Return mean, variance and number of log losses of every cell."""
    rows = bs.read_runs(table).frame.assign(log_loss=lambda frame: np.log(frame["loss"]))
    cells = rows.groupby(["dataset", "architecture", "n_params", "n_tokens"])["log_loss"]
    return cells.agg(["mean", "var", "count"]).reset_index()


def residuals(law: Law, own: pd.DataFrame) -> np.ndarray:
    """Return what the best least-squares fit of a law leaves of log loss."""
    reference = {name: np.exp(np.log(own[name]).mean()) for name in law.inputs}
    inputs = {name: (own[name] / reference[name]).to_numpy() for name in law.inputs}
    measured = own["mean"].to_numpy()

    def left(theta: np.ndarray) -> np.ndarray:
        given = zip(law.coefficients, theta, strict=True)
        natural = {c.symbol: from_unconstrained(x, c.support) for c, x in given}
        return measured - np.log(law.evaluate(inputs, natural))

    generator = np.random.default_rng(0)
    centre = np.array([measured.mean(), *np.zeros(len(law.coefficients) - 1)])
    starts = centre + generator.normal(0.0, 1.0, (N_STARTS, len(centre)))
    found = [least_squares(left, start, x_scale=1.0, max_nfev=2000) for start in starts]
    return min(found, key=lambda fit: fit.cost).fun


def row(law: Law, own: pd.DataFrame) -> dict[str, float | int]:
    """Return rms residual, the seeds' standard error and their ratio for one group."""
    left, n_free = residuals(law, own), len(own) - len(law.coefficients)
    standard_error = float(np.sqrt((own["var"] / own["count"]).mean()))
    rms, by_freedom = (float(np.sqrt((left**2).sum() / n)) for n in (len(own), n_free))
    return {
        "means": len(own),
        "rms_percent": round(100 * rms, 3),
        "standard_error_percent": round(100 * standard_error, 3),
        "ratio": round(rms / standard_error, 2),
        "ratio_by_degrees_of_freedom": round(by_freedom / standard_error, 2),
    }


if __name__ == "__main__":
    cells = means(TABLE)
    groups = {
        " / ".join(map(str, key)): own for key, own in cells.groupby(cells.columns[:2].tolist())
    }
    found = {
        law: {name: row(bs.load_law(law), own) for name, own in groups.items()} for law in LAWS
    }
    overall = {
        law: round(
            float(
                np.sqrt(
                    sum(r["means"] * r["rms_percent"] ** 2 for r in rows.values())
                    / sum(r["means"] * r["standard_error_percent"] ** 2 for r in rows.values())
                )
            ),
            2,
        )
        for law, rows in found.items()
    }
    report = {
        "command": "python benchmarks/architectures_on_a_law.py",
        "table": TABLE,
        "ratio_over_all_groups": overall,
        "laws": found,
    }
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
