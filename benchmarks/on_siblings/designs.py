"""What is learned of siblings: how far they depart, and how a floor follows the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayescale.laws import Prior
from bayescale.models.catalog import load_model
from bayescale.models.discrepancy import Floats
from bayescale.models.spec import ModelSpec

NUMBERS = ("log spread of the floor", "log spread of the rest", "slope", "log-sd of the rest")
"""Of a design; spreads as multiples of the medians of `coupled_gp_partial`."""

LOG_SD, SLOPE_SD = 0.5, 0.5
"""Of the priors of the floor's spread and of the slope that a design centres."""

FLOOR, OF_PARAMS, LEVEL = "E_share", "N_share", "loss_ref"


def spread_unit(symbol: str) -> float:
    """Return the median spread of a coefficient in `coupled_gp_partial`."""
    return float(np.exp(load_model("coupled_gp_partial").spreads[symbol].arguments["mu"]))


def with_design(spec: ModelSpec, design: Floats) -> ModelSpec:
    """Return a pooled model with the numbers of a design."""
    floor, rest, slope, unsure = (float(value) for value in design)
    spreads = dict(spec.spreads)
    for symbol in load_model("coupled_gp_partial").spreads:
        moved, log_sd = (floor, LOG_SD) if symbol == FLOOR else (rest, unsure)
        mu = float(np.log(spread_unit(symbol)) + moved)
        spreads[symbol] = Prior("LogNormal", {"mu": round(mu, 4), "sigma": round(log_sd, 2)})
    follows = Prior("Normal", {"mu": round(slope, 2), "sigma": SLOPE_SD})
    return replace(spec, spreads=spreads, regressions={FLOOR: {LEVEL: follows}})


def log_prior(design: Floats, values: Floats) -> Floats:
    """Return the log density (C,) that a design gives values, but for a constant.

    Parameters
    ----------
    design : array, shape (4,)
        Of `NUMBERS`.
    values : array, shape (C, 4)
        Logs of the floor's spread, that of the share of N and those of the exponents, and slopes.
    """
    floor, rest, slope, unsure = design
    sd = np.array([LOG_SD, unsure, unsure, SLOPE_SD])
    return np.asarray(-0.5 * (((values - [floor, rest, rest, slope]) / sd) ** 2).sum(axis=1))
