"""One law on one group of curves: draws of its coordinates, and what they were drawn from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import UnknownNameError
from bayescale.models.catalog import model_from_dict
from bayescale.models.curve_problem import CurveProblem, places_of_runs
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.drift import Drift
from bayescale.models.problem import Constants
from bayescale.runs.schedule import Schedule

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveFit:
    """One law on one group of curves.

    Parameters
    ----------
    problem : CurveProblem
        Thinned curves and model.
    x : array, shape (S, P)
        Draws of the unconstrained coordinates.
    ess : float
        Effective draws.
    trusted : bool
        Whether these and the next passed their gates.
    khat, rhat : float
        Pareto shape of importance weights, R-hat between tempered ensembles: NaN for those not
        taken.
    """

    problem: CurveProblem
    x: Floats
    ess: float
    trusted: bool
    khat: float = np.nan
    rhat: float = np.nan

    @property
    def diagnosis(self) -> str:
        """What passed the gates or did not."""
        first = f"khat {self.khat:.2f}" if np.isnan(self.rhat) else f"R-hat {self.rhat:.3f}"
        return f"{first}, ESS {self.ess:.0f}"

    def coefficients(self, run: str | None = None) -> dict[str, Floats]:
        """Return draws of a run's coefficients, ``sigma`` and ``tau``, each shape (S,).

        Parameters
        ----------
        run : str, optional
            A fitted run; without one only what all runs share.

        Raises
        ------
        UnknownNameError
            When no such run was fitted.
        """
        problem, values = self.problem, Density(self.problem).constrain(self.x)
        if run is not None and run not in problem.runs:
            raise UnknownNameError("run", run, problem.runs)
        of_runs = {
            **problem.siblings.of_runs(values),
            **{symbol: values[symbol] for symbol in problem.spec.scale_priors},
        }
        if run is None:
            return {s: v[:, 0] for s, v in of_runs.items() if v.shape[1] == 1}
        column = problem.runs.index(run)
        return {s: v[:, column if v.shape[1] > 1 else 0] for s, v in of_runs.items()}

    def with_newcomer(self, run: str, family: tuple[str, ...] = (), seed: int = 0) -> CurveFit:
        """Return the fit with one run more, of which nothing is known but its siblings.

        Parameters
        ----------
        run : str
            Its name.
        family : tuple of str
            One that was fitted; need not be said where there is only one.
        seed : int
            Seed of what its own coefficients are.
        """
        problem, rng = self.problem, np.random.default_rng(seed)
        family = problem.family_of(family)
        x = problem.siblings.with_newcomer(self.x, family, rng)
        grown = replace(
            problem,
            runs=(*problem.runs, run),
            families=(*problem.families, family),
            clocks=(*problem.clocks, problem.clocks[problem.families.index(family)]),
            schedules=(*problem.schedules, None),
        )
        return replace(self, problem=grown, x=x)


def dataset_of(fit: CurveFit) -> xr.Dataset:
    """Return a fit as a dataset, its curves included."""
    import xarray as xr

    problem = fit.problem
    content = {
        "spec": problem.spec.to_dict(),
        "drift": asdict(problem.drift),
        "common": dict(problem.common),
        "across": problem.across,
        "runs": list(problem.runs),
        "clocks": list(problem.clocks),
        "families": [list(family) for family in problem.families],
        "reference": dict(problem.constants.reference),
        "level": problem.constants.level,
        "schedules": [s and [s.steps.tolist(), s.rates.tolist()] for s in problem.schedules],
        "diagnostics": {name: getattr(fit, name) for name in ("ess", "trusted", "khat", "rhat")},
    }
    arrays: dict[str, Any] = {
        "draws": (("draw", "coordinate"), fit.x),
        "linked": ("point", problem.log_loss),
        "log_step": ("point", problem.places.x),
        "run": ("point", problem.places.run),
        "weight": ("point", problem.weights),
    }
    for name, values in problem.inputs.items():
        dims = ("point",) if values.ndim == 1 else ("change", "point")
        arrays[f"input_{name}"] = (dims, values)
    return xr.Dataset(arrays, attrs={"bayescale": json.dumps(content)})


def fit_of(dataset: xr.Dataset) -> CurveFit:
    """Return the fit that `dataset_of` made a dataset of."""
    content = json.loads(dataset.attrs["bayescale"])
    arrays = {str(name): values.values for name, values in dataset.data_vars.items()}
    y = arrays["linked"]
    schedules = tuple(s and Schedule(*map(np.array, s)) for s in content["schedules"])
    runs = tuple(content["runs"])
    families = tuple(map(tuple, content.get("families", [()] * len(runs))))
    clocks = tuple(content.get("clocks", [content["reference"]["at"]] * len(runs)))
    problem = CurveProblem(
        spec=model_from_dict(content["spec"], "curve posterior file"),
        inputs={k[6:]: v for k, v in arrays.items() if k.startswith("input_")},
        log_loss=y,
        trunks=np.full(len(y), ""),
        constants=Constants(
            reference=content["reference"],
            level=content["level"],
            log_compute_max=float(np.log(content["reference"]["at"])),
        ),
        drift=Drift(**content["drift"]),
        common=content.get("common", {}),
        across=content.get("across", 1.0),
        runs=runs,
        families=families,
        clocks=clocks,
        places=places_of_runs(arrays["log_step"], arrays["run"], families, clocks, schedules),
        weights=arrays["weight"],
        schedules=schedules,
    )
    return CurveFit(problem=problem, x=arrays["draws"], **content["diagnostics"])
