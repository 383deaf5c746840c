"""What a running job's curve adds to its forecast, and what the stop rule costs: replayed curves.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/watch.py [--learn]

Curves of hitchhiker_curves, datablations_curves (at most four epochs) and lr_schedule_curves, cut
at shares of their length. What curves look like is learned from the other families: least squares
for the power law and the decay, the grid's best predictive score for the wandering (`--learn`
prints it for all families, which is what ships). The end of a curve is its last value, or a line
through the last five where that value is a spike; its own noise is added when it is scored. Scores
are on log loss, curves averaged within a family.

Forecasts: `none`, three tenths wide; `5 %`, normal about the end with that sd, drawn anew for each
curve and repeat, so that it is calibrated by construction; `posterior`, of coupled_gp on smaller
runs of the same study (C4 curves of datablations). The stop rule is asked ten times a run; its
targets are quantiles of the forecast, so that a run meets one by its own merit. False stops are
counted among the runs that met their target.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from bayescale.forecasts.corpus import PUBLIC_DATA
from bayescale.forecasts.curve_points import curve_points, line_at, one_value_noise
from bayescale.forecasts.curve_prior import CurvePrior, draw_shapes
from bayescale.forecasts.curve_update import update, with_doubt
from bayescale.forecasts.forecast import forecast
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.schedules import done, schedules, to_come
from bayescale.forecasts.watch import SHAPES
from bayescale.inference.fit import fit
from bayescale.inference.threads import one_thread
from bayescale.runs.save import write_atomically
from bayescale.runs.table import read_runs

RESULT = Path(__file__).parent / "results" / "watch.json"
SHARES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
LOOKS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WANDERS = (-4.4, -4.0, -3.6, -3.2, -2.8)
WANDER_SD = 0.6
NONE_SD, SHARP_SD = 0.3, 0.05
TARGETS = (0.25, 0.5, 0.75)
STOP_RATES = (0.05, 0.1, 0.2)
REPEATS = 3
LEFT_OUT = {"redpajama_2.4B": "two curves were read from the figure as one"}
END_VALUES = 5
SPIKE = 0.01
"""Log loss off the line through its neighbours beyond which a last value is a spike."""


@dataclass(frozen=True, eq=False)
class Replayed:
    """A finished curve."""

    family: str
    run: str
    n_params: float
    share: np.ndarray
    loss: np.ndarray
    schedule: Any

    @property
    def end(self) -> float:
        last = float(np.log(self.loss[-1]))
        x, y = np.log(self.share[-END_VALUES:]), np.log(self.loss[-END_VALUES:])
        line = float(line_at(np.zeros(1), x[None], y[None])[0])
        return line if abs(last - line) > max(3.0 * self.end_noise, SPIKE) else last

    @property
    def end_noise(self) -> float:
        late = self.share >= 0.02
        return one_value_noise(self.share[late], np.log(self.loss[late]))


def read_curves(folder: Path) -> Iterator[Replayed]:
    """Yield the curves that reach back far enough to be cut."""
    for name, keys in (
        ("hitchhiker_curves", ["family", "run_id", "loss_kind"]),
        ("datablations_curves", ["run_id"]),
        ("lr_schedule_curves", ["run_id"]),
    ):
        table = pd.read_csv(folder / f"{name}.csv")
        if "planned_epochs" in table:
            table = table[table["planned_epochs"] <= 4]
        for _, rows in table.groupby(keys, sort=False):
            made = _replayed(name, rows)
            if len(made.share) >= 15 and made.share[0] <= 0.3 and made.run not in LEFT_OUT:
                yield made


def _replayed(table: str, rows: pd.DataFrame) -> Replayed:
    along = rows["tokens"] if "tokens" in rows else rows["step"]
    rows = rows.iloc[np.argsort(along.to_numpy(), kind="stable")]
    x = np.sort(along.to_numpy(float))
    plan: Any = "cosine" if table == "datablations_curves" else None
    family = "datablations" if plan else rows["family"].iloc[0]
    if table == "lr_schedule_curves":
        plan = np.interp(np.linspace(0, x[-1], 1001), x, rows["learning_rate"].to_numpy(float))
        family = "lr_schedules"
    size = float(rows["params"].iloc[0]) if "params" in rows else float("nan")
    losses = rows["loss"].to_numpy(float)
    return Replayed(family, rows["run_id"].iloc[0], size, x / x[-1], losses, plan)


def least_squares(curve: Replayed) -> dict[str, float]:
    """Return logit e, log alpha and log h of a whole curve, under the likeliest schedule."""
    points = curve_points(curve.share, curve.loss)
    weight = 1.0 / (points.noise**2 + 0.004**2)
    found = []
    for plan in schedules(curve.schedule):
        spent, falls = done(plan, points.share), to_come(plan, points.share)

        def misfit(at: np.ndarray, spent: Any = spent, falls: Any = falls) -> float:
            e, alpha, h = 1.0 / (1.0 + np.exp(-at[0])), np.exp(at[1]), np.exp(at[2])
            off = points.log_loss - np.log(e + (1.0 - e) * spent**-alpha) - h * falls
            off = off - np.average(off, weights=weight)
            prior = (at[0] / 1.5) ** 2 + ((at[1] + 1.05) / 0.6) ** 2 + (at[2] + 3.0) ** 2
            return float(0.5 * (weight * off**2).sum() + 0.5 * prior)

        found.append(minimize(misfit, [0.0, -1.0, -3.0], method="Nelder-Mead"))
    best = min(found, key=lambda one: one.fun)
    return dict(zip(("floor", "exponent", "decay"), best.x.tolist(), strict=True))


def learned(fits: pd.DataFrame, wander: float) -> CurvePrior:
    """Return means and sds over families: spread within one and between them."""
    by_family = fits.groupby("family")[["floor", "exponent", "decay"]]
    means = by_family.mean()
    within = sum(part.cov(ddof=0).fillna(0.0) for _, part in by_family) / len(means)
    covariance = within + means.cov()
    sd = np.sqrt(np.diag(covariance))
    centre = means.mean()
    return CurvePrior(
        floor=(float(centre["floor"]), float(sd[0])),
        exponent=(float(centre["exponent"]), float(sd[1])),
        decay=(float(centre["decay"]), float(sd[2])),
        together=float(covariance.loc["floor", "exponent"] / (sd[0] * sd[1])),
        wander=(wander, WANDER_SD),
    )


def normal(centre: float, sd: float) -> Mixture:
    """Return a normal forecast of the log of the final loss; one part in twenty will be doubted."""
    return Mixture(np.full((20, 1), centre), np.full((20, 1), sd**2))


def cut(
    curve: Replayed, prior: CurvePrior, share: float, made: Mixture, rng: np.random.Generator
) -> Mixture:
    """Return the final loss as expected when a share of the curve is known."""
    shapes = draw_shapes(prior, schedules(curve.schedule), SHAPES, rng)
    known = curve.share <= share
    points = curve_points(curve.share[known], curve.loss[known])
    return update(with_doubt(made), shapes, points, rng).mixture


def scored(curve: Replayed, share: float, now: Mixture) -> dict[str, Any]:
    """Return the scores of one cut."""
    measured = Mixture(now.mean, now.variance + curve.end_noise**2)
    q05, median, q95 = measured.quantile(np.array([0.05, 0.5, 0.95]))[:, 0]
    pit = float(measured.cdf(np.array([curve.end]))[0])
    inside = {f"inside_{p}": abs(pit - 0.5) <= p / 200 for p in (50, 80, 90, 95)}
    return {
        "family": curve.family,
        "share": share,
        **inside,
        "abs_error": abs(median - curve.end),
        "width_90": q95 - q05,
        "log_score": float(np.log(measured.pdf(np.array([curve.end]))[0])),
    }


def replay(
    curves: Sequence[Replayed], priors: dict[str, CurvePrior], sd: float, shares: Sequence[float]
) -> pd.DataFrame:
    """Return the scores of every curve at every cut, with forecasts of one width."""
    rng, rows = np.random.default_rng(1), []
    for curve in curves:
        made = normal(curve.end + sd * rng.standard_normal(), sd)
        rows += [
            scored(curve, share, cut(curve, priors[curve.family], share, made, rng))
            for share in shares
        ]
    return pd.DataFrame(rows)


def stops(
    curve: Replayed, prior: CurvePrior, made: Mixture, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Yield when the stop rule fires, for each target and rate."""
    expected = with_doubt(made)
    targets = expected.quantile(np.array(TARGETS))[:, 0]
    before = np.array([float(expected.cdf(np.array([t]))[0]) for t in targets])
    path = np.array(
        [
            [float(now.cdf(np.array([t]))[0]) for t in targets]
            for now in (cut(curve, prior, share, made, rng) for share in LOOKS)
        ]
    )
    for k, target in enumerate(targets):
        for rate in STOP_RATES:
            fired = path[:, k] <= rate * before[k]
            yield {
                "family": curve.family,
                "rate": rate,
                "met": curve.end <= target,
                "stopped": bool(fired.any()),
                "saved": 1.0 - LOOKS[int(fired.argmax())] if fired.any() else 0.0,
            }


def from_posteriors(curves: Sequence[Replayed], folder: Path) -> Iterator[tuple[Replayed, Mixture]]:
    """Yield the curves of C4 with a forecast from smaller runs of their study."""
    small = read_runs(
        folder / "datablations.csv", where=["epochs<=1.5", "n_params<2e9", "n_tokens<1e11"]
    )
    posterior = fit(small)
    for curve in curves:
        if curve.family == "datablations" and "_c4_" in curve.run:
            tokens = {2.81e9: 5.5e10, 4.2465e9: 8.4e10, 8.67e9: 1.78e11}[curve.n_params]
            made = forecast(posterior, n_params=curve.n_params, n_tokens=tokens, warn=False)
            yield curve, made.mixture


def by_family(frame: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return means over families of each family's means."""
    numbers = [name for name in frame if name not in {"family", *by}]
    means = frame.groupby(["family", *by])[numbers].mean()
    return means.groupby(list(by)).mean() if by else means


def stop_table(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return false stops, right stops and compute saved, by rate."""
    rows = []
    for rate, part in frame.groupby("rate"):
        met, missed = part[part["met"]], part[~part["met"]]
        rows.append(
            {
                "stop_rate": rate,
                "false_stops": float(met.groupby("family")["stopped"].mean().mean()),
                "false_stops_pooled": float(met["stopped"].mean()),
                "runs_that_met": len(met),
                "right_stops": float(missed.groupby("family")["stopped"].mean().mean()),
                "saved_of_runs_that_missed": float(missed.groupby("family")["saved"].mean().mean()),
                "runs_that_missed": len(missed),
            }
        )
    return rows


def best_wander(curves: Sequence[Replayed], fits: pd.DataFrame) -> dict[float, pd.Series]:
    """Return the mean log score of each family for each wandering, learned on the others."""
    scores = {}
    for wander in WANDERS:
        priors = {f: learned(fits[fits["family"] != f], wander) for f in set(fits["family"])}
        made = replay(curves, priors, 0.1, (0.1, 0.4, 0.8))
        scores[wander] = made.groupby("family")["log_score"].mean()
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--learn", action="store_true", help="Print what ships, and score nothing.")
    asked = parser.parse_args()
    folder = Path(os.environ[PUBLIC_DATA])
    with one_thread():
        curves = list(read_curves(folder))
        fits = pd.DataFrame([{"family": c.family, **least_squares(c)} for c in curves])
        wanders = best_wander(curves, fits)
        everywhere = max(WANDERS, key=lambda w: wanders[w].mean())
        print("learned on all families:", learned(fits, everywhere))
        if asked.learn:
            return
        priors = {}
        for family in dict.fromkeys(fits["family"]):
            others = max(WANDERS, key=lambda w, f=family: wanders[w].drop(f).mean())  # type: ignore[misc]
            priors[family] = learned(fits[fits["family"] != family], others)
        result: dict[str, Any] = {
            "made": datetime.now(UTC).strftime("%Y-%m-%d"),
            "curves": fits["family"].value_counts().to_dict(),
            "left_out": LEFT_OUT,
        }
        for name, sd in (("none", NONE_SD), ("5 %", SHARP_SD)):
            made = replay(curves, priors, sd, SHARES)
            result[name] = {
                "by_share": by_family(made, ["share"]).reset_index().to_dict("records"),
                "by_family": by_family(made).reset_index().to_dict("records"),
                "all": by_family(made).mean().to_dict(),
            }
        result["stop rule, 5 %"] = stop_table(pd.DataFrame(_simulated(curves, priors)))
        real = list(from_posteriors(curves, folder))
        result["posterior"] = _against(real, priors)
    write_atomically(RESULT, lambda part: part.write_text(json.dumps(result, indent=1) + "\n"))
    print(json.dumps(result, indent=1))


def _simulated(
    curves: Sequence[Replayed], priors: dict[str, CurvePrior]
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(2)
    for curve in curves:
        for _ in range(REPEATS):
            made = normal(curve.end + SHARP_SD * rng.standard_normal(), SHARP_SD)
            yield from stops(curve, priors[curve.family], made, rng)


def _against(
    real: Sequence[tuple[Replayed, Mixture]], priors: dict[str, CurvePrior]
) -> dict[str, Any]:
    rng, rows, fired = np.random.default_rng(3), [], []
    for curve, made in real:
        prior = priors[curve.family]
        rows.append(scored(curve, 0.0, made))
        rows += [scored(curve, s, cut(curve, prior, s, made, rng)) for s in SHARES]
        fired += stops(curve, prior, made, rng)
    frame = pd.DataFrame(rows)
    return {
        "curves": len(real),
        "by_share": by_family(frame, ["share"]).reset_index().to_dict("records"),
        "stop rule": stop_table(pd.DataFrame(fired)),
    }


if __name__ == "__main__":
    main()
