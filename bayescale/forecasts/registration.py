"""Pre-registered forecasts: written before a run, pinned by a hash, scored after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arguments import NAME, NUMBERS, PATH, a, check_arguments
from bayescale.errors import ForecastError
from bayescale.forecasts.forecast import MAKE_ONE, Forecast
from bayescale.forecasts.scores import COVERAGES
from bayescale.models.discrepancy import Floats
from bayescale.runs.save import write_atomically

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""Version of the file layout; files of older versions must keep scoring."""

LEVELS = (0.005, *(k / 100 for k in range(1, 100)), 0.995)
"""Probabilities of the quantiles that are registered."""


@dataclass(frozen=True, kw_only=True)
class RegisteredPoint:
    """What was said of one run before it was made.

    Parameters
    ----------
    inputs : mapping of str to float
        The law's inputs.
    label : tuple of str
        Group; empty for one group.
    extrapolation_factor : float
        Its compute over that of the largest fitted run.
    quantiles : tuple of float
        Losses at `LEVELS`.
    """

    inputs: Mapping[str, float]
    label: tuple[str, ...]
    extrapolation_factor: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A forecast as it was written down.

    Parameters
    ----------
    registered : str
        When, UTC.
    basis : mapping
        Runs and their hash, model and its hash, every prior, the constants, seed and versions.
    points : tuple of RegisteredPoint
        What was said.
    sha256 : str
        Of all the above.
    """

    registered: str
    basis: Mapping[str, Any]
    points: tuple[RegisteredPoint, ...]
    sha256: str

    def __repr__(self) -> str:
        """Return one line: what was forecast, when, and the hash."""
        return (
            f"Forecast of {len(self.points)} point(s) by {self.basis.get('model')}, registered"
            f" {self.registered}, sha256 {self.sha256}"
        )


def register_forecast(forecast: Forecast, path: str | Path) -> Registration:
    """Write down a forecast before its runs are made.

    Parameters
    ----------
    forecast : Forecast
        What is said.
    path : str or Path
        A new JSON file.

    Returns
    -------
    Registration
        With its hash: publish it, and nobody can say later that the file was changed.

    Raises
    ------
    ForecastError
        When the file exists already: what is registered is not written over.
    """
    check_arguments(
        "register_forecast",
        ForecastError,
        forecast=(forecast, a(Forecast, MAKE_ONE)),
        path=(path, PATH),
    )
    path = Path(path)
    if path.exists():
        raise ForecastError(
            f"registration file {str(path)!r} exists, and a registered forecast is not changed.",
            "Give another name.",
        )
    content = _content(forecast)
    content["sha256"] = _digest(content)
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
    return load_registration(path)


def load_registration(path: str | Path) -> Registration:
    """Read a registered forecast.

    Raises
    ------
    ForecastError
        When the file is missing, is none of ours, or was changed after it was written.
    """
    check_arguments("load_registration", ForecastError, path=(path, PATH))
    where = f"registration file {str(path)!r}"
    content = _read(Path(path), where)
    try:
        found, said = content["format"], content["sha256"]
        if found > FORMAT:
            raise ForecastError(
                f"{where}: format is {found}, expected at most {FORMAT}.", "Update bayescale."
            )
        if said != _digest(content):
            raise ForecastError(
                f"{where} was changed after it was written: its content has sha256"
                f" {_digest(content)}, but it says {said}.",
                "Find the file as it was registered.",
            )
        points = tuple(_point(point) for point in content["points"])
        return Registration(
            registered=content["registered"], basis=content["basis"], points=points, sha256=said
        )
    except (KeyError, TypeError) as error:
        raise ForecastError(
            f"{where} is not one of ours: {error}.", "Write one with forecast --register."
        ) from error


def score_forecast(
    path: str | Path, actual: float | Sequence[float], *, sha256: str | None = None
) -> pd.DataFrame:
    """Compare a registered forecast with what happened.

    Parameters
    ----------
    path : str or Path
        File of `register_forecast`.
    actual : float or sequence of float
        Loss of each point, in the order registered; NaN for a run not made.
    sha256 : str, optional
        The hash that was published, or its beginning.

    Returns
    -------
    DataFrame
        One row a point: ``actual``, ``median``, ``error`` (log of actual over median), ``pit`` (the
        probability that was given to a loss this low), ``inside_50`` to ``inside_95``, and
        ``crps`` of log loss from the registered quantiles.

    Raises
    ------
    ForecastError
        When the file cannot be used, its hash is another one, or the losses are not as many as the
        points or not positive.
    """
    import pandas as pd

    check_arguments(
        "score_forecast", ForecastError, actual=(actual, NUMBERS), sha256=(sha256, NAME.or_none)
    )
    made = load_registration(path)
    if sha256 is not None and not (len(sha256) >= 8 and made.sha256.startswith(sha256.lower())):
        raise ForecastError(
            f"registration file {str(path)!r} has sha256 {made.sha256}, but {sha256!r} was"
            " published (eight characters or more are compared)."
        )
    losses = np.atleast_1d(np.asarray(actual, dtype=float))
    _check_losses(losses, len(made.points))
    return pd.DataFrame(
        {"point": k, **point.inputs, **_scores(np.array(point.quantiles), float(loss))}
        for k, (point, loss) in enumerate(zip(made.points, losses, strict=True))
        if not np.isnan(loss)
    )


def _point(content: Mapping[str, Any]) -> RegisteredPoint:
    return RegisteredPoint(
        inputs=dict(content["inputs"]),
        label=tuple(content["label"]),
        extrapolation_factor=content["extrapolation_factor"],
        quantiles=tuple(content["quantiles"]),
    )


def _content(forecast: Forecast) -> dict[str, Any]:
    posterior = forecast.posterior
    quantiles = forecast.quantile(LEVELS)
    points = [
        {
            "inputs": {name: float(v[k]) for name, v in forecast.points.inputs.items()},
            "label": list(forecast.points.labels[k]),
            "extrapolation_factor": float(forecast.extrapolation_factor[k]),
            "quantiles": quantiles[:, k].tolist(),
        }
        for k in range(len(forecast.points))
    ]
    spec = posterior.spec
    basis = {
        **posterior.provenance,
        "model_content": spec.to_dict(),
        "corpus_prior": spec.corpus_prior.hash if spec.corpus_prior else None,
        "constants": [asdict(problem.constants) for problem in posterior.problems],
        "notes": list(posterior.notes),
    }
    # Through JSON and back, so that the hash is that of what a reader of the file sees.
    content = {
        "format": FORMAT,
        "registered": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "basis": basis,
        "levels": list(LEVELS),
        "points": points,
    }
    return dict(json.loads(json.dumps(content)))


def _digest(content: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _read(path: Path, where: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ForecastError(f"{where} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ForecastError(f"{where} is corrupt: {error}.") from error
    if not isinstance(content, dict):
        raise ForecastError(f"{where} holds {type(content).__name__}, expected a mapping.")
    return content


def _check_losses(losses: Floats, n_points: int) -> None:
    if losses.shape != (n_points,):
        raise ForecastError(
            f"score: {losses.size} loss(es) were given for {n_points} registered point(s).",
            "Give one a point, in the order registered; nan for a run not made.",
        )
    wrong = losses[~np.isnan(losses) & ~(np.isfinite(losses) & (losses > 0))]
    if len(wrong):
        raise ForecastError(f"score: a loss is {wrong[0]:g}, but must be a positive number.")


def _scores(quantiles: Floats, loss: float) -> dict[str, Any]:
    levels = np.array(LEVELS)
    error = np.log(loss / quantiles)
    pinball = np.where(error >= 0, levels * error, (levels - 1.0) * error)
    inside = {}
    for prob in COVERAGES:
        low, high = np.interp([0.5 - prob / 2, 0.5 + prob / 2], levels, quantiles)
        inside[f"inside_{100 * prob:.0f}"] = bool(low <= loss <= high)
    median = float(np.interp(0.5, levels, quantiles))
    return {
        "actual": loss,
        "median": median,
        "error": float(np.log(loss / median)),
        "pit": float(np.interp(loss, quantiles, levels, left=0.0, right=1.0)),
        **inside,
        "crps": float(2.0 * np.trapezoid(pinball, levels)),
    }
