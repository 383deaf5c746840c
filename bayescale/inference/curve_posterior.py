"""The posterior of laws of curves: draws by group and law, saved and loaded with its curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.errors import InferenceError, UnknownNameError
from bayescale.inference.curve_fit import CurveFit, dataset_of, fit_of
from bayescale.inference.datasets import read_datasets, write_datasets
from bayescale.inference.summarised import summarised
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 4
"""Version of the file layout; older files keep loading, but see `_check_format`."""

_HEAD = "curves"


@dataclass(frozen=True, kw_only=True, eq=False)
class CurvePosterior:
    """Draws of laws of curves for every group.

    Parameters
    ----------
    name : str
        Name of the curves.
    along, output : str
        What they run along, and what was measured.
    group_columns : tuple of str
        Columns that tell groups apart.
    fits : mapping of tuple of str to tuple of CurveFit
        By group label, one a law.
    cpu_seconds : float
        CPU time of the fit.
    """

    name: str
    along: str
    output: str
    group_columns: tuple[str, ...]
    fits: Mapping[tuple[str, ...], tuple[CurveFit, ...]]
    cpu_seconds: float

    def __repr__(self) -> str:
        """Return one line: laws, groups, runs and the worst diagnostics."""
        runs = sum(len(fits[0].problem.runs) for fits in self.fits.values())
        return (
            f"CurvePosterior of {' + '.join(self.laws)} on {runs} runs of {self.name!r} in"
            f" {len(self.fits)} group(s): {self._worst}"
        )

    @property
    def _worst(self) -> str:
        every = [fit for fits in self.fits.values() for fit in fits]
        found = {
            "khat up to {:.2f}": [fit.khat for fit in every if not np.isnan(fit.khat)],
            "R-hat up to {:.3f}": [fit.rhat for fit in every if not np.isnan(fit.rhat)],
        }
        said = [text.format(max(values)) for text, values in found.items() if values]
        return ", ".join([*said, f"ESS from {min(fit.ess for fit in every):.0f}"])

    @property
    def laws(self) -> tuple[str, ...]:
        """Names of the laws pooled."""
        return tuple(fit.problem.law.name for fit in next(iter(self.fits.values())))

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """Labels of the groups."""
        return tuple(self.fits)

    @property
    def nested(self) -> bool:
        """Whether groups hold families, told apart by one column more."""
        return any(fit.problem.across < 1.0 for fits in self.fits.values() for fit in fits)

    def group_of(self, run: str) -> tuple[str, ...] | None:
        """Return the group of a fitted run; None for a run that was not fitted."""
        for label, fits in self.fits.items():
            if run in fits[0].problem.runs:
                return label
        return None

    def of_group(self, label: str | Sequence[str] | None = None) -> tuple[CurveFit, ...]:
        """Return the fits of a group, or of a family's group; of the only one by default.

        Raises
        ------
        UnknownNameError
            When no group has this label, or none was named and there are several.
        """
        wanted = (label,) if isinstance(label, str) else tuple(label or ())
        wanted = wanted[: len(self.group_columns)] if self.nested else wanted
        if not wanted and len(self.fits) == 1:
            return next(iter(self.fits.values()))
        if wanted not in self.fits:
            known = ["/".join(found) for found in self.fits]
            raise UnknownNameError("group", "/".join(wanted), known, f"curves {self.name!r}")
        return self.fits[wanted]

    def summary(self, ci_prob: float = 0.9) -> pd.DataFrame:
        """Return mean, sd and central interval of every coefficient, sampled and textbook.

        Parameters
        ----------
        ci_prob : float
            Probability of the central interval.

        Returns
        -------
        DataFrame
            One row per group, law and coefficient, and per run where siblings differ.
        """
        import pandas as pd

        rows = []
        for label, fits in self.fits.items():
            for fit in fits:
                head = dict(zip(self.group_columns, label, strict=True))
                for run in fit.problem.runs if self._apart else (fit.problem.runs[0],):
                    of = {"run": run} if self._apart else {}
                    of = {**head, **of, "law": fit.problem.law.name}
                    values = _all_coefficients(fit, run)
                    rows += [{**of, **summarised(s, draws, ci_prob)} for s, draws in values.items()]
        return pd.DataFrame(rows)

    @property
    def _apart(self) -> bool:
        return any(fit.problem.siblings.apart for fits in self.fits.values() for fit in fits)

    def save(self, path: str | Path) -> Path:
        """Write the posterior to a NetCDF file, whole or not at all, and return its path."""
        import xarray as xr

        head = {
            "format": FORMAT,
            "name": self.name,
            "along": self.along,
            "output": self.output,
            "group_columns": list(self.group_columns),
            "labels": [list(label) for label in self.fits],
            "laws": list(self.laws),
            "cpu_seconds": self.cpu_seconds,
        }
        datasets = {_HEAD: xr.Dataset(attrs={"bayescale": json.dumps(head)})}
        for k, fits in enumerate(self.fits.values()):
            for law, fit in zip(self.laws, fits, strict=True):
                datasets[f"group_{k}_{law}"] = dataset_of(fit)
        return write_datasets(path, datasets)


def load_curve_posterior(path: str | Path) -> CurvePosterior:
    """Read a posterior written by `CurvePosterior.save`.

    Parameters
    ----------
    path : str or Path
        A NetCDF file.

    Raises
    ------
    InferenceError
        When the file is missing, unreadable or no posterior of curves.
    """
    (head,) = read_datasets(path, (_HEAD,), "curve posterior")
    try:
        content = json.loads(head.attrs["bayescale"])
        _check_format(path, content)
        names = [
            f"group_{k}_{law}" for k in range(len(content["labels"])) for law in content["laws"]
        ]
        made = [fit_of(dataset) for dataset in read_datasets(path, names, "curve posterior")]
        _check_coordinates(path, content, made)
        size = len(content["laws"])
        return CurvePosterior(
            name=content["name"],
            along=content["along"],
            output=content["output"],
            group_columns=tuple(content["group_columns"]),
            fits={
                tuple(label): tuple(made[size * k : size * (k + 1)])
                for k, label in enumerate(content["labels"])
            },
            cpu_seconds=content["cpu_seconds"],
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InferenceError(
            f"curve posterior file {str(path)!r} is corrupt or not one of ours:"
            f" {type(error).__name__} {error}.",
            "Write it again with CurvePosterior.save.",
        ) from error


def _check_format(path: str | Path, content: Mapping[str, Any]) -> None:
    """Refuse what is newer, and what an older version of a law wrote."""
    if content["format"] > FORMAT:
        raise InferenceError(
            f"curve posterior file {str(path)!r} has format {content['format']}, newer than"
            f" {FORMAT}.",
            "Update bayescale.",
        )
    if content["format"] < 2 and "multi_power" in content["laws"]:
        raise InferenceError(
            f"curve posterior file {str(path)!r} has format 1, whose multi_power law left the"
            " warm-up out of its sum.",
            "Fit the curves again.",
        )


def _check_coordinates(
    path: str | Path, content: Mapping[str, Any], fits: Sequence[CurveFit]
) -> None:
    """Refuse what an older version drew of runs that differ: other coordinates."""
    if content["format"] < 4 and any(fit.problem.siblings.apart for fit in fits):
        raise InferenceError(
            f"curve posterior file {str(path)!r} has format {content['format']}, whose draws of"
            " siblings are of other coordinates.",
            "Fit the curves again.",
        )


def _all_coefficients(fit: CurveFit, run: str) -> dict[str, Floats]:
    sampled = fit.coefficients(run)
    reference = fit.problem.constants.reference
    if set(fit.problem.law.inputs) <= set(reference):
        return {**sampled, **fit.problem.law.textbook(sampled, reference)}
    return sampled
