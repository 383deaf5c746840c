"""The numbers of a learned model: what a search moves, and the model that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayescale.laws import Prior
from bayescale.laws.prior import LEVEL
from bayescale.models.discrepancy import Floats
from bayescale.models.spec import Discrepancy, ModelSpec, Noise

REFERENCE = {"n_params": 1e9, "n_tokens": 2e10}
"""The run at which a corpus prior's shares are shares."""


@dataclass(frozen=True, kw_only=True)
class Hyper:
    """One number of the prior that is learned.

    Parameters
    ----------
    name : str
        What it is.
    start, step : float
        Where the search begins, and its first spread, on the transformed scale.
    log : bool
        Whether it is searched and averaged as its logarithm.
    """

    name: str
    start: float
    step: float
    log: bool = False


HYPERS: tuple[Hyper, ...] = (
    Hyper(name="E_share_mu", start=0.3, step=0.5),
    Hyper(name="E_share_over_training", start=0.0, step=0.4),
    Hyper(name="E_share_compute_scale", start=0.0, step=0.25),
    Hyper(name="E_share_sigma", start=np.log(0.6), step=0.5, log=True),
    Hyper(name="N_share_mu", start=0.0, step=0.3),
    Hyper(name="N_share_sigma", start=np.log(0.6), step=0.3, log=True),
    Hyper(name="alpha_mu", start=np.log(0.35), step=0.2),
    Hyper(name="alpha_sigma", start=np.log(0.3), step=0.3, log=True),
    Hyper(name="beta_mu", start=np.log(0.35), step=0.2),
    Hyper(name="beta_sigma", start=np.log(0.3), step=0.3, log=True),
    Hyper(name="gamma_mu", start=-0.2, step=0.25),
    Hyper(name="gamma_sigma", start=np.log(0.35), step=0.3, log=True),
    Hyper(name="sigma_mu", start=-5.0, step=0.4),
    Hyper(name="tau_mu", start=-4.2, step=0.4),
    Hyper(name="tau_sigma", start=np.log(0.5), step=0.4, log=True),
    Hyper(name="length", start=np.log(3.5), step=0.35, log=True),
    Hyper(name="rho", start=np.log(0.15), step=0.5, log=True),
    Hyper(name="kappa", start=np.log(0.08), step=0.6, log=True),
)
"""Everything learned; the level and the noise's spread are left weak."""


def numbers(design: Floats) -> dict[str, float]:
    """Return a design (on the transformed scale) as the numbers of a model, by name."""
    return {h.name: float(np.exp(x) if h.log else x) for h, x in zip(HYPERS, design, strict=True)}


def spec_of(design: Mapping[str, float], name: str, title: str, trunk: float) -> ModelSpec:
    """Return the coupled model with a discrepancy whose prior has these numbers.

    Parameters
    ----------
    design : mapping of str to float
        By name of `HYPERS`.
    name, title : str
        Of the model.
    trunk : float
        Correlation of the noise within a trunk.
    """

    def prior(distribution: str, symbol: str) -> Prior:
        pair = {"mu": design[f"{symbol}_mu"], "sigma": design[f"{symbol}_sigma"]}
        return Prior(distribution, pair, "learned on public tables by extrapolating")

    return ModelSpec(
        name=name,
        title=title,
        law="coupled",
        pooling="none",
        reference=REFERENCE,
        priors={
            "loss_ref": Prior("LogNormal", {"mu": LEVEL, "sigma": 1.5}, "left weak"),
            "E_share": prior("LogitNormal", "E_share"),
            "N_share": prior("LogitNormal", "N_share"),
            "alpha": prior("LogNormal", "alpha"),
            "beta": prior("LogNormal", "beta"),
            "gamma": prior("LogNormal", "gamma"),
        },
        noise=Noise(
            sigma=Prior("LogNormal", {"mu": design["sigma_mu"], "sigma": 1.0}, "left weak"),
            floor=4e-4,
            trunk_correlation=trunk,
        ),
        discrepancy=Discrepancy(
            tau=prior("LogNormal", "tau"),
            length=design["length"],
            rho=design["rho"],
            kappa=design["kappa"],
        ),
        references=("kaplan2020scaling", "hoffmann2022training"),
        slopes={
            "E_share": {
                "over_training": design["E_share_over_training"],
                "compute_scale": design["E_share_compute_scale"],
            }
        },
    )
