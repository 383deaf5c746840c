"""The models of curves: a law, a drift from it, noise of measurements, what siblings share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Law, Prior, SequenceLaw, load_law
from bayescale.models.discrepancy import Discrepancy
from bayescale.models.drift import Drift
from bayescale.models.from_law import plain_weak
from bayescale.models.spec import ModelSpec, Noise

SUFFIX = "_curve_weak"
"""What follows a law's name in the name of its model of curves."""

CurvePooling = Literal["complete", "nested", "partial", "none"]
POOLINGS: tuple[CurvePooling, ...] = ("complete", "nested", "partial", "none")

ALONE = Drift(kind="integrated", noise_power=1.0, common=0.5)
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
"""Of a curve alone; chosen as they predict the last octave of the fitted parts of public curves.
`common` is between curves that share coefficients in part."""

COMMON = {"learning_curve_m3": {"c": 0.75}, "learning_curve_m4": {"headroom": 0.67}}
"""Under partial pooling: share of the prior's variance that runs have in common, by law. Exponents
of siblings lie 20 % apart, headrooms 40 %; what is not named is shared wholly, the level never."""

ACROSS = 0.9
"""Under nested pooling: share of what a family has in common that families have in common. Chosen,
with no drift in common to families, as inner parts of vision are predicted."""

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


@dataclass(frozen=True, kw_only=True)
class CurveModel:
    """A law of curves, and how runs of one group leave and share it.

    Parameters
    ----------
    spec : ModelSpec
        Priors of one run, noise, and the numbers of the drift.
    drift : Drift
        Its shape, and the share of it that runs have in common.
    common : mapping of str to float
        Share of the prior's variance that runs of a family have in common, from 0, not shared, to
        below 1, of coefficients that they do not share wholly.
    across : float
        Share of what a family has in common that families have in common, 1 for one family.

    Raises
    ------
    UnknownNameError
        When the law has no such coefficient.
    ModelError
        For a share that is none.
    """

    spec: ModelSpec
    drift: Drift
    common: Mapping[str, float] = field(default_factory=dict)
    across: float = 1.0

    def __post_init__(self) -> None:
        """Check names and shares."""
        for symbol, share in self.common.items():
            if symbol not in self.spec.priors:
                where = f"law {self.spec.law!r}"
                raise UnknownNameError("coefficient", symbol, list(self.spec.priors), where)
            if not 0.0 <= share < 1.0:
                raise ModelError(
                    f"model {self.spec.name!r}: common share of {symbol!r} is {share!r}, expected 0"
                    " to below 1.",
                    "Leave the coefficient out to share it wholly.",
                )

    def sharing(self, common: Mapping[str, float]) -> CurveModel:
        """Return the model with a user's own shares, 1 for what is shared wholly.

        Raises
        ------
        ModelError
            When runs of this model share all coefficients, or none.
        """
        if not self.common:
            raise ModelError(
                f"model {self.spec.name!r}: shares of {', '.join(common)} were given, but its runs"
                " do not differ in part.",
                "Say pooling='partial'.",
            )
        every = {**self.common, **common}
        return replace(self, common={s: share for s, share in every.items() if share != 1.0})


def curve_model(law: str | Law, pooling: CurvePooling = "none") -> CurveModel:
    """Return the model of a law for curves.

    Parameters
    ----------
    law : str or Law
        A `SequenceLaw`, or a law of one input.
    pooling : {"complete", "nested", "partial", "none"}
        What runs of a group share: all coefficients; those that `COMMON` says, and never the level;
        or none, because each is a group of its own. Under nested pooling families share so, and
        what they have in common is for the share `ACROSS` common to them.

    Raises
    ------
    UnknownNameError
        For another pooling.
    """
    if pooling not in POOLINGS:
        raise UnknownNameError("pooling", pooling, POOLINGS, "model of curves")
    law = load_law(law) if isinstance(law, str) else law
    siblings = pooling == "complete" or reads_schedule(law)
    spec = replace(
        plain_weak(law),
        name=f"{law.name}{SUFFIX}",
        title=f"Law {law.name} along curves, errors that drift, the law's default priors",
        noise=NOISE,
        discrepancy=LEVEL_ERROR if siblings else SLOPE_ERROR,
    )
    differ = pooling in ("partial", "nested")
    return CurveModel(
        spec=spec,
        drift=SIBLINGS if siblings else ALONE,
        common={law.symbols[0]: 0.0, **COMMON.get(law.name, {})} if differ else {},
        across=ACROSS if pooling == "nested" else 1.0,
    )


def reads_schedule(law: Law) -> bool:
    """Return whether a law reads a run's learning rate."""
    return isinstance(law, SequenceLaw) and law.reads_schedule
