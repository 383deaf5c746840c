"""What is learned of siblings: how far they depart, and how a floor follows the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayescale.laws import Prior
from bayescale.models.catalog import load_model
from bayescale.models.discrepancy import Floats
from bayescale.models.spec import ModelSpec

NUMBERS = ("log spread of the floor", "log spread of the rest", "slope")
"""Of a design; spreads as multiples of the medians of `coupled_gp_partial`."""

LOG_SD, SLOPE_SD = 0.5, 0.5
"""Of the priors that a design centres."""

FLOOR, LEVEL = "E_share", "loss_ref"


def spread_unit(symbol: str) -> float:
    """Return the median spread of a coefficient in `coupled_gp_partial`."""
    return float(np.exp(load_model("coupled_gp_partial").spreads[symbol].arguments["mu"]))


def with_design(spec: ModelSpec, design: Floats) -> ModelSpec:
    """Return a pooled model with the numbers of a design."""
    floor, rest, slope = (float(value) for value in design)
    spreads = dict(spec.spreads)
    for symbol in load_model("coupled_gp_partial").spreads:
        moved = np.log(spread_unit(symbol)) + (floor if symbol == FLOOR else rest)
        spreads[symbol] = Prior("LogNormal", {"mu": round(float(moved), 4), "sigma": LOG_SD})
    follows = Prior("Normal", {"mu": round(slope, 2), "sigma": SLOPE_SD})
    return replace(spec, spreads=spreads, regressions={FLOOR: {LEVEL: follows}})


def log_prior(design: Floats, values: Floats) -> Floats:
    """Return the log density (C,) that a design gives values (C, 3), but for a constant."""
    return -0.5 * (((values - design) / (LOG_SD, LOG_SD, SLOPE_SD)) ** 2).sum(axis=1)
