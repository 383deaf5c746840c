"""Public learning curves in two parts: what is fitted, and what is predicted from it.

The published split, or an inner one that never reads its hidden points: the last octave of each
fitted part is predicted from what comes before; of double descent its last third, of nanoGPT its
last width. Choices are made on inner parts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecasts.corpus import PUBLIC_DATA

BENCHMARK = {"IC": "IC", "NMT": "language", "LM": "language", "BB": "language"}
PARTS = {"nano": "language", "double_descent": "double descent"}

AVERAGED = ("IC", "BB")
"""Domains whose fitted points are means."""


@dataclass(frozen=True)
class Parted:
    """One curve of a domain: what is fitted, and what is hidden."""

    part: str
    domain: str
    fitted: bs.Curve
    hidden: bs.Curve

    @property
    def task(self) -> str:
        """What families of siblings have in common: vision's data set, over its networks.

        Of other domains a curve's own name.
        """
        if self.domain != "IC":
            return self.siblings
        return self.siblings.split("|")[1]

    @property
    def siblings(self) -> str:
        """What siblings of the curve have in common with it; its own name for none.

        Vision: one network on one data set, after 5, 10 and 25 examples a class. BIG-Bench: one
        task after 1 and 2. Language models: all five sizes. Of other domains inner parts are
        predicted no better from siblings.
        """
        run = self.fitted.run
        if self.domain == "LM":
            return self.domain
        if self.domain not in AVERAGED:
            return run
        domain, task, network = run.split("|")
        return "|".join([domain, task.rsplit("_", 1)[0], network])


def public(name: str) -> pd.DataFrame:
    """Read a public table."""
    return pd.read_csv(Path(os.environ.get(PUBLIC_DATA, "../shared/data")) / f"{name}.csv")


def learning_curves(*, inner: bool) -> Iterator[Parted]:
    """Yield the curves of every domain, parted."""
    revisiting = public("revisiting").rename(columns={"tokens": "n_tokens"})
    widths = public("nano_double_descent")
    for frame, along, column, parts in (
        (revisiting, "n_tokens", "domain", BENCHMARK),
        (widths, "width", "family", PARTS),
    ):
        frame = frame[frame[column].isin(parts)]
        said = frame.groupby("run_id")[column].first()
        fitted = frame[frame["split"] == "train"]
        hidden = None if inner else bs.read_curves(frame[frame["split"] == "test"], along=along)
        for curve in bs.read_curves(fitted, along=along):
            domain = str(said[curve.run])
            shown = averaged(curve) if domain in AVERAGED else curve
            if hidden is None:
                early = shown.at <= _inner_edge(shown, domain)
                pair = kept(shown, early), kept(shown, ~early)
            else:
                pair = shown, hidden[curve.run]
            yield Parted(parts[domain], domain, *pair)


def _inner_edge(curve: bs.Curve, domain: str) -> float:
    """Return the last step of an inner part."""
    if domain == "nano":
        return float(curve.at[-2])
    if domain == "double_descent":
        return float(curve.at[int(np.ceil(2 * len(curve) / 3)) - 1])
    return 0.5 * float(curve.at[-1])


def kept(curve: bs.Curve, points: np.ndarray) -> bs.Curve:
    """Return some points of a curve."""
    counts = curve.measurements[points]
    return replace(curve, at=curve.at[points], output=curve.output[points], counts=counts)


def averaged(curve: bs.Curve) -> bs.Curve:
    """Return a fitted curve of vision or BIG-Bench as the means that its points are.

    Their fitted points stand on a geometric grid, off the steps at which anything was logged, and
    are smoother the wider the grid: each is a mean of what was logged around it. The narrowest gap
    is that of the log. None ever rises and neighbours are equal, three points of thirds and four of
    quarters: an isotonic regression, in which equal points are one mean.
    """
    gaps = np.diff(curve.at)
    around = 0.5 * (np.append(gaps, gaps[-1]) + np.insert(gaps, 0, gaps[0]))
    counts = np.maximum(around / gaps.min(), 1.0)
    block = np.concatenate([[0], np.cumsum(np.diff(curve.output) != 0.0)])
    whole = np.bincount(block, counts)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(block, counts * values) / whole

    return replace(
        curve, at=np.exp(mean(np.log(curve.at))), output=mean(curve.output), counts=whole
    )
