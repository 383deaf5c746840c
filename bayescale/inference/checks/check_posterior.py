"""Check a posterior: what its reader must know before deciding on it."""

from __future__ import annotations

from typing import Any

from bayescale.arguments import Kind, check_arguments, one_of
from bayescale.errors import InferenceError
from bayescale.inference.checks import (
    confounded,
    identified,
    one_ratio,
    outlier_runs,
    prior_predictive,
    reach,
    residual_structure,
    sampling,
)
from bayescale.inference.checks.subject import Check, Forecasted, Subject
from bayescale.inference.source import fitted
from bayescale.inference.threads import one_thread
from bayescale.runs.finding import Finding

CHECKS: tuple[Check, ...] = (
    sampling.CHECK,
    prior_predictive.CHECK,
    identified.CHECK,
    confounded.CHECK,
    one_ratio.CHECK,
    residual_structure.CHECK,
    outlier_runs.CHECK,
    reach.CHECK,
)
"""Every check of a posterior, in the order of the report."""


_FORECAST = Kind(
    "a Forecast",
    one_of(Forecasted),
    "Make one with forecast(posterior, n_params=..., n_tokens=...).",
)


def check_posterior(posterior: Any, forecast: Forecasted | None = None) -> tuple[Finding, ...]:
    """Return one finding for every check of a fit.

    Parameters
    ----------
    posterior : Posterior, path of a saved one, or anything `fit` takes
        The fit, or runs to fit with the recommended model first.
    forecast : Forecast, optional
        What is asked of it; without one its reach is not checked.

    Returns
    -------
    tuple of Finding
        PASS, REVIEW or FAIL each. ``rows`` counts the fitted runs from 0, group after group: rows
        that the fit left out are not counted.

    Raises
    ------
    InferenceError
        When `forecast` is none.
    """
    check_arguments("check_posterior", InferenceError, forecast=(forecast, _FORECAST.or_none))
    subject = Subject(fitted(posterior), forecast)
    with one_thread():
        return tuple(check.run(subject) for check in CHECKS)
