"""The models of curves: a law's default priors, a drift from it, noise of single measurements."""

from __future__ import annotations

from dataclasses import replace

from bayescale.laws import Law, Prior, SequenceLaw, load_law
from bayescale.models.discrepancy import Discrepancy
from bayescale.models.drift import Drift
from bayescale.models.from_law import plain_weak
from bayescale.models.spec import ModelSpec, Noise

SUFFIX = "_curve_weak"
"""What follows a law's name in the name of its model of curves."""

ALONE = Drift(kind="integrated", noise_power=1.0)
SLOPE_ERROR = Discrepancy(
    tau=Prior(
        "LogNormal",
        {"mu": -3.6, "sigma": 1.0},
        "slopes of log output err by .005 to .14, 90 %",
    ),
    length=0.5,
    rho=0.45,
    kappa=0.0,
)
"""Of a curve alone; chosen as they predict the last octave of the fitted parts of public curves."""

SIBLINGS = Drift(kind="stationary", common=0.8, run=0.05, fall=1.0)
LEVEL_ERROR = Discrepancy(
    tau=Prior("LogNormal", {"mu": -6.25, "sigma": 0.5}, "laws of schedules miss by .1 to .4 %"),
    length=1.0,
    rho=0.3,
    kappa=0.06,
)
"""Of runs that share a law's coefficients; `kappa` is what runs beyond the fitted ones taught, the
rest was chosen as it predicts parts of the fitted public schedules from the others."""

NOISE = Noise(
    sigma=Prior("LogNormal", {"mu": -5.5, "sigma": 1.2}, "single late measurements: .06 to 3 %"),
    floor=1e-4,
    trunk_correlation=0.0,
)


def curve_model(law: str | Law, *, shared: bool) -> tuple[ModelSpec, Drift]:
    """Return the model of a law for curves.

    Parameters
    ----------
    law : str or Law
        A `SequenceLaw`, or a law of one input.
    shared : bool
        Whether runs share the law's coefficients.
    """
    law = load_law(law) if isinstance(law, str) else law
    siblings = shared or (isinstance(law, SequenceLaw) and law.reads_schedule)
    spec = replace(
        plain_weak(law),
        name=f"{law.name}{SUFFIX}",
        title=f"Law {law.name} along curves, errors that drift, the law's default priors",
        noise=NOISE,
        discrepancy=LEVEL_ERROR if siblings else SLOPE_ERROR,
    )
    return spec, SIBLINGS if siblings else ALONE
