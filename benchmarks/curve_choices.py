"""Predict parts of the fitted public schedules from the others: what an error's shape is chosen by.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/curve_choices.py \
    [--length 2 --rho .3 --common .8 --run .05 --fall 1]

The published test schedules are never read. Three ways: `time`, all three fitted schedules up to
step 12000 and beyond; `leave`, one with a decay from the two others; `both`, its steps beyond 12000
from the two others up to there. Means over sizes and schedules; CRPS of log loss in thousandths.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from curve_parts import kept, public
from curves import WARMUP, scored

import bayescale as bs
from bayescale.models import curve_model

CUT = 12_000.0
SHAPE = ("length", "rho")
DRIFT = ("common", "run", "fall")


def fitted_schedules() -> Iterator[bs.Curves]:
    """Yield the fitted schedules of each size."""
    frame = public("lr_schedule_curves")
    mine = frame["family"].str.startswith("mpl") & (frame["split"] == "train")
    for _, part in frame[mine].groupby("family"):
        yield bs.read_curves(part, rate="learning_rate", warmup=WARMUP, group="family")


def parted(curves: bs.Curves) -> Iterator[tuple[str, list[bs.Curve], list[bs.Curve]]]:
    """Yield the way, what is fitted and what is hidden."""
    early = [curve.until(CUT) for curve in curves]
    late = [kept(curve, curve.at > CUT) for curve in curves]
    yield "time", early, late
    for k, curve in enumerate(curves):
        if "constant" not in curve.run:
            yield "leave", [c for c in curves if c is not curve], [curve]
            yield "both", early[:k] + early[k + 1 :], [late[k]]


def choose(asked: argparse.Namespace) -> None:
    """Put the shape that was asked for in place of the model's own."""
    given = {name: value for name, value in vars(asked).items() if value is not None}
    error, drift = curve_model.LEVEL_ERROR, curve_model.SIBLINGS
    curve_model.LEVEL_ERROR = replace(error, **{n: given[n] for n in SHAPE if n in given})
    curve_model.SIBLINGS = replace(drift, **{n: given[n] for n in DRIFT if n in given})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in (*SHAPE, *DRIFT):
        parser.add_argument(f"--{name}", type=float)
    choose(parser.parse_args())
    rows = []
    for curves in fitted_schedules():
        for way, fitted, hidden in parted(curves):
            posterior = bs.fit_curves(replace(curves, curves=tuple(fitted)))
            rows += [{"way": way, **scored(posterior, curve)} for curve in hidden]
    table = pd.DataFrame(rows).groupby("way")[["rmse", "crps", "coverage_90", "width_90"]].mean()
    table["crps"] *= 1e3
    print(table.round(5).to_string())
    print(f"sum of CRPS {np.sum(table['crps']):.3f}, mean RMSE {np.mean(table['rmse']):.5f}")


if __name__ == "__main__":
    main()
