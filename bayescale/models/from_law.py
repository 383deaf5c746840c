"""The models every law brings along: its default priors, without and with its own error."""

from __future__ import annotations

from dataclasses import replace

from bayescale.laws import LAWS, Law, Prior, load_law
from bayescale.models.discrepancy import Discrepancy
from bayescale.models.spec import TOP_DECADE, ModelSpec, Noise
from bayescale.runs.schema import LOSS

SUFFIX = "_plain_weak"
"""What follows a law's name in the name of its model."""

GP_SUFFIX = "_gp_weak"
"""What follows it where the law's own error is part of the fit."""

NOISE_FLOOR = 0.0004
TRUNK_CORRELATION = 0.5

DISCREPANCY = Discrepancy(
    tau=Prior(
        "LogNormal",
        {"mu": -4.2, "sigma": 0.4},
        "public tables miss their law by 1 to 3 %; a clean table must not talk it down to nothing",
    ),
    length=3.5,
    rho=0.19,
    kappa=0.12,
)
"""That of ``chinchilla_gp_weak``, for any law of a run's compute."""


DISCREPANCY_OF_SCORES = Discrepancy(
    tau=Prior(
        "LogNormal",
        {"mu": -3.0, "sigma": 0.5},
        "scores miss their law by a twentieth of the odds, 90 % .02 to .11",
    ),
    length=1.0,
    rho=0.0,
    kappa=0.0,
)
"""For a law from loss to a share, on its logit: smooth over the e-fold of loss of a ladder."""


def law_of(model: str) -> str | None:
    """Return the law that a name ``<law>_plain_weak`` or ``<law>_gp_weak`` names; None for others.

    ``_gp_weak`` is for laws with a positive output that know what a run costs, whose own error is a
    share of the output and grows beyond the fitted compute, and for laws from loss to a share.
    """
    for suffix in (SUFFIX, GP_SUFFIX):
        law = model.removesuffix(suffix)
        if law != model and law in LAWS.names():
            return law if suffix == SUFFIX or _own_error(load_law(law)) else None
    return None


def from_law(model: str) -> ModelSpec:
    """Return the model that a name with a law in it stands for.

    Parameters
    ----------
    model : str
        A name of which `law_of` finds the law.
    """
    law = law_of(model)
    assert law is not None, "the caller asks law_of first"
    return gp_weak(law) if model.endswith(GP_SUFFIX) else plain_weak(law)


def plain_weak(law: str | Law) -> ModelSpec:
    """Return the model of a law's default priors: normal noise, no pooling, no discrepancy.

    Parameters
    ----------
    law : str or Law
        A registered law.

    Raises
    ------
    UnknownNameError
        When no law has this name.
    """
    law = load_law(law) if isinstance(law, str) else law
    return ModelSpec(
        name=f"{law.name}{SUFFIX}",
        title=f"Law {law.name}, Gaussian noise, the law's default priors",
        law=law.name,
        pooling="none",
        reference=TOP_DECADE,
        priors={coefficient.symbol: coefficient.prior for coefficient in law.coefficients},
        noise=Noise(sigma=law.noise, floor=NOISE_FLOOR, trunk_correlation=TRUNK_CORRELATION),
        references=law.citation,
    )


def gp_weak(law: str | Law) -> ModelSpec:
    """Return `plain_weak` with the law's own error as a Gaussian process over its inputs.

    Parameters
    ----------
    law : str or Law
        A registered law of compute with a positive output, or of the loss with a share for output.

    Raises
    ------
    UnknownNameError
        When no law has this name.
    """
    spec = plain_weak(law)
    return replace(
        spec,
        name=f"{spec.law}{GP_SUFFIX}",
        title=f"Law {spec.law}, its own error as a Gaussian process, the law's default priors",
        discrepancy=_own_error(load_law(spec.law)),
    )


def _own_error(law: Law) -> Discrepancy | None:
    if law.output_support == "positive" and law.cost_columns:
        return DISCREPANCY
    of_loss = law.output_support == "unit" and law.inputs == (LOSS,)
    return DISCREPANCY_OF_SCORES if of_loss else None
