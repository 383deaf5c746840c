"""The posterior: draws, model, runs and diagnostics in one immutable object that saves and loads.

Everything after a fit works from here with NumPy alone. This is the only file that knows which
generation of ArviZ is installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import InferenceError, UnknownNameError
from bayescale.inference.datasets import read_datasets, write_datasets
from bayescale.inference.summarised import summarised
from bayescale.laws import Law
from bayescale.models.catalog import model_from_dict
from bayescale.models.problem import Constants, Problem
from bayescale.models.spec import ModelSpec

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Floats = np.ndarray[Any, np.dtype[np.float64]]

FORMAT = 1
"""Version of the file layout; files of older versions must keep loading."""

HEDGE = "hedge"
"""Group of a file that holds the draws of the model a share of every forecast is left to."""


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """How well the posterior was sampled.

    Parameters
    ----------
    engine : {"amis", "tempered", "nuts"}
        What drew it.
    khat : tuple of float
        Pareto shape of the importance weights of each group; empty under NUTS.
    ess : float
        Smallest effective sample size over groups (AMIS) or coefficients (NUTS, bulk).
    rhat : float
        Largest R-hat over coefficients; NaN under AMIS, whose draws are independent.
    divergences : int
        Divergent transitions; zero under AMIS.
    cpu_seconds : float
        CPU time of the fit.
    """

    engine: str
    khat: tuple[float, ...]
    ess: float
    rhat: float
    divergences: int
    cpu_seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Posterior:
    """Draws of a model's coefficients for every group, and all that a forecast needs.

    Parameters
    ----------
    spec : ModelSpec
        The model, a user's priors included.
    group_columns : tuple of str
        Columns that tell groups apart; empty for one group.
    labels : tuple of tuple of str
        One label a group, values of `group_columns`.
    problems : tuple of Problem
        Runs and constants of each group.
    draws : mapping of str to array, shape (chain, draw, group)
        Coefficients of the law, ``sigma`` and, where there is a discrepancy, ``tau``.
    population : mapping of str to array, shape (chain, draw) or (chain, draw, .)
        Pooling only, on the sampling coordinate: ``mu_<symbol>``, ``spread_<symbol>`` of groups
        about the sum of effects, ``spread_<column>_<symbol>`` and, by level in sorted order,
        ``effect_<column>_<symbol>``; ``weights`` of the discrepancy that siblings share.
    diagnostics : Diagnostics
        How well it was sampled.
    notes : tuple of str
        What a reader must know: rows left out, groups fitted apart, engines changed.
    provenance : mapping of str to str
        Runs table's name and fingerprint, model hash, versions, seed.
    measured : mapping of str to mapping of str to str
        Tokenizer and kind of loss by group, where the table states them: only losses that share
        both can be compared.
    hedge : Posterior, optional
        The fit of the model that a share of every forecast is left to; draws and coefficients
        here are those of `spec` alone.
    alone : mapping of str to array, shape (chain, draw, group)
        Pooling only: draws of the groups that `inference.guard` keeps as wide as without siblings.
    """

    spec: ModelSpec
    group_columns: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    problems: tuple[Problem, ...]
    draws: Mapping[str, Floats]
    population: Mapping[str, Floats]
    diagnostics: Diagnostics
    notes: tuple[str, ...]
    provenance: Mapping[str, str]
    measured: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    alone: Mapping[str, Floats] = field(default_factory=dict)
    hedge: Posterior | None = None

    def __repr__(self) -> str:
        """Return one line: model, runs, groups, engine and diagnostics."""
        found = self.diagnostics
        khat = f", khat {max(found.khat):.2f}" if found.khat else f", R-hat {found.rhat:.3f}"
        return (
            f"Posterior of {self.spec.name} on {self.n_runs} runs of"
            f" {self.provenance.get('runs', 'a table')!r} in {len(self.labels)} group(s):"
            f" {self.n_draws} draws by {found.engine}, ESS {found.ess:.0f}{khat}"
        )

    @property
    def law(self) -> Law:
        """The law."""
        return self.problems[0].law

    @property
    def n_runs(self) -> int:
        """Runs fitted, over all groups."""
        return sum(len(problem) for problem in self.problems)

    @property
    def n_draws(self) -> int:
        """Draws over all chains."""
        chains, draws, _ = next(iter(self.draws.values())).shape
        return int(chains * draws)

    def coefficients(self, group: int = 0) -> dict[str, Floats]:
        """Return draws of every coefficient of one group, chains joined, each shape (draws,)."""
        return {symbol: values[:, :, group].reshape(-1) for symbol, values in self.draws.items()}

    def textbook(self, group: int = 0) -> dict[str, Floats]:
        """Return draws of the coefficients as the literature writes them (E, A, B, alpha...)."""
        reference = self.problems[group].constants.reference
        return self.law.textbook(self.coefficients(group), reference)

    def group_index(self, label: Sequence[str]) -> int:
        """Return the index of a group.

        Raises
        ------
        UnknownNameError
            When no group has this label.
        """
        wanted = tuple(str(part) for part in label)
        if wanted not in self.labels:
            raise UnknownNameError(
                "group", "/".join(wanted), ["/".join(known) for known in self.labels]
            )
        return self.labels.index(wanted)

    def summary(self, ci_prob: float = 0.9) -> pd.DataFrame:
        """Return mean, sd and central interval of every coefficient, sampled and textbook.

        Parameters
        ----------
        ci_prob : float
            Probability of the central interval.

        Returns
        -------
        DataFrame
            One row per group and coefficient.
        """
        import pandas as pd

        rows = []
        for group, label in enumerate(self.labels):
            head = dict(zip(self.group_columns, label, strict=False))
            values = {**self.coefficients(group), **self.textbook(group)}
            rows += [{**head, **summarised(s, draws, ci_prob)} for s, draws in values.items()]
        return pd.DataFrame(rows)

    def to_datasets(self) -> dict[str, xr.Dataset]:
        """Return the posterior as xarray datasets by ArviZ group name."""
        import xarray as xr

        sizes = [len(problem) for problem in self.problems]
        inputs = {
            name: ("run", np.concatenate([p.inputs[name] for p in self.problems]))
            for name in self.law.inputs
        }
        constant = {
            **inputs,
            "group_of_run": ("run", np.repeat(np.arange(len(sizes)), sizes)),
            "trunk": ("run", np.concatenate([p.trunks for p in self.problems]).astype(str)),
        }
        observed = {"log_loss": ("run", np.concatenate([p.log_loss for p in self.problems]))}
        datasets = {
            "posterior": self._drawn(),
            "constant_data": xr.Dataset(constant),
            "observed_data": xr.Dataset(observed),
        }
        return {**datasets, HEDGE: self.hedge._drawn()} if self.hedge else datasets

    def _drawn(self) -> xr.Dataset:
        import xarray as xr

        draws: dict[str, tuple[tuple[str, ...], Floats]]
        draws = {k: (("chain", "draw", "group"), v) for k, v in self.draws.items()}
        draws.update({k: (self._population_dims(k, v), v) for k, v in self.population.items()})
        draws.update({f"alone_{k}": (("chain", "draw", "group"), v) for k, v in self.alone.items()})
        names = ["/".join(label) or "all" for label in self.labels]
        return xr.Dataset(draws, coords={"group": names}, attrs=self._attributes())

    def _per_run(self) -> dict[str, xr.Dataset]:
        import xarray as xr

        from bayescale.inference.per_run import per_run

        chains, draws, _ = next(iter(self.draws.values())).shape
        names = ("log_likelihood", "posterior_predictive")
        shaped = (values.reshape(chains, draws, -1) for values in per_run(self))
        return {
            name: xr.Dataset({"log_loss": (("chain", "draw", "run"), values)})
            for name, values in zip(names, shaped, strict=True)
        }

    def _population_dims(self, name: str, values: Floats) -> tuple[str, ...]:
        last = (column for column in self.group_columns if name.startswith(f"effect_{column}_"))
        extra = "weight" if name == "weights" else f"level_{next(last, '')}"
        return ("chain", "draw", extra)[: values.ndim]

    def _attributes(self) -> dict[str, Any]:
        content = {
            "format": FORMAT,
            "spec": self.spec.to_dict(),
            "group_columns": list(self.group_columns),
            "labels": [list(label) for label in self.labels],
            "constants": [
                {**asdict(problem.constants), "anchors": ()} for problem in self.problems
            ],
            "anchors": self.problems[0].constants.anchors,
            "diagnostics": asdict(self.diagnostics),
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
            "measured": {label: dict(values) for label, values in self.measured.items()},
        }
        return {"bayescale": json.dumps(content)}

    def to_arviz(self) -> Any:
        """Return an ArviZ container: InferenceData before ArviZ 1, else an xarray DataTree.

        Besides what `save` writes it holds ``log_likelihood`` and ``posterior_predictive`` of every
        run, for `arviz.loo`, `arviz.plot_ppc` and the like (`inference.per_run`).
        """
        import arviz as az

        datasets = {**self.to_datasets(), **self._per_run()}

        if int(az.__version__.split(".")[0]) < 1:
            return az.InferenceData(**datasets, warn_on_custom_groups=False)
        from xarray import DataTree

        return DataTree.from_dict(datasets)

    def save(self, path: str | Path) -> Path:
        """Write the posterior to a NetCDF file that either generation of ArviZ opens.

        Written beside the target first and renamed, so that a killed process leaves no half file.

        Parameters
        ----------
        path : str or Path
            Target, usually ending in ``.nc``.

        Returns
        -------
        Path
            The path written.
        """
        return write_datasets(path, self.to_datasets())


def convergence(draws: Mapping[str, Floats]) -> tuple[float, float]:
    """Return the largest R-hat and the smallest bulk effective sample size, as ArviZ has them.

    Parameters
    ----------
    draws : mapping of str to array, shape (chain, draw, ...)
        Sampled quantities; ``rhat`` and ``ess`` of a dataset are alike in both generations.
    """
    import arviz as az
    import xarray as xr

    dataset = xr.Dataset(
        {
            name: (("chain", "draw", *(f"{name}_{k}" for k in range(values.ndim - 2))), values)
            for name, values in draws.items()
        }
    )
    rhat, ess = az.rhat(dataset), az.ess(dataset, method="bulk")
    return (
        max(float(values.max()) for values in rhat.data_vars.values()),
        min(float(values.min()) for values in ess.data_vars.values()),
    )


def load_posterior(path: str | Path) -> Posterior:
    """Read a posterior written by `Posterior.save`.

    Parameters
    ----------
    path : str or Path
        A NetCDF file.

    Raises
    ------
    InferenceError
        When the file is missing, unreadable or no posterior of ours.
    """
    groups = ("posterior", "constant_data", "observed_data")
    datasets = read_datasets(path, groups, "posterior")
    try:
        content = json.loads(datasets[0].attrs["bayescale"])
        if content["format"] > FORMAT:
            raise InferenceError(
                f"posterior file {str(path)!r} has format {content['format']}, newer than"
                f" {FORMAT}.",
                "Update bayescale.",
            )
        made = _from_parts(content, *datasets)
        if made.spec.hedge is None or made.spec.pools:
            return made
        (other,) = read_datasets(path, (HEDGE,), "posterior")
        hedge = _from_parts(json.loads(other.attrs["bayescale"]), other, *datasets[1:])
        return replace(made, hedge=hedge)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InferenceError(
            f"posterior file {str(path)!r} is corrupt or not one of ours:"
            f" {type(error).__name__} {error}.",
            "Write it again with Posterior.save or `bayescale fit RUNS --out FILE.nc`.",
        ) from error


def _from_parts(
    content: Mapping[str, Any], posterior: xr.Dataset, constant: xr.Dataset, observed: xr.Dataset
) -> Posterior:
    spec = model_from_dict(content["spec"], "posterior file")
    group_of_run = constant["group_of_run"].values
    columns, anchors = content["group_columns"], content.get("anchors", ())
    shared = {"anchors": tuple(tuple(at) for at in anchors) if spec.pools else ()}
    problems = []
    for group, constants in enumerate(content["constants"]):
        rows = group_of_run == group
        problems.append(
            Problem(
                spec=spec,
                inputs={name: constant[name].values[rows] for name in constants["reference"]},
                log_loss=observed["log_loss"].values[rows],
                trunks=constant["trunk"].values[rows].astype(str),
                constants=Constants(**{**constants, **shared}),
                levels=dict(zip(columns, content["labels"][group], strict=False)),
            )
        )
    diagnostics = {**content["diagnostics"], "khat": tuple(content["diagnostics"]["khat"])}
    arrays: dict[str, Floats] = {str(name): posterior[name].values for name in posterior.data_vars}
    of_group = {str(name) for name in posterior.data_vars if "group" in posterior[name].dims}
    return Posterior(
        spec=spec,
        group_columns=tuple(content["group_columns"]),
        labels=tuple(tuple(label) for label in content["labels"]),
        problems=tuple(problems),
        draws={k: v for k, v in arrays.items() if k in of_group and not k.startswith("alone_")},
        alone={k[6:]: v for k, v in arrays.items() if k.startswith("alone_")},
        population={name: values for name, values in arrays.items() if name not in of_group},
        diagnostics=Diagnostics(**diagnostics),
        notes=tuple(content["notes"]),
        provenance=content["provenance"],
        measured=content.get("measured", {}),
    )
