"""Checks of the fit and the forecast, in the words of the linter's."""

from __future__ import annotations

from bayescale.forecasts.forecast import Forecast
from bayescale.forecasts.held_out import HeldOut
from bayescale.inference.fit import ESS_MIN, KHAT_MAX
from bayescale.inference.posterior import Posterior
from bayescale.reports import numbers
from bayescale.runs.finding import Finding

RHAT_MAX = 1.01
FAR = 100.0
"""Extrapolation factor from which a reader is warned; few backtests reach further."""

LOW_COVERAGE = 0.75
"""Share of hidden runs inside 90 % below which the interval failed its own test."""


def sampling(posterior: Posterior) -> Finding:
    """Say whether the posterior was sampled well enough to be read."""
    found = posterior.diagnostics
    khat = max(found.khat, default=0.0)
    parts = [f"{found.engine.upper()}", f"{found.ess:,.0f} effective draws"]
    parts += [f"khat {khat:.2f}"] if found.khat else [f"R-hat {found.rhat:.3f}"]
    parts += [f"{found.divergences} divergent transitions"] if found.divergences else []
    good = khat <= KHAT_MAX and found.ess >= ESS_MIN and not found.rhat > RHAT_MAX
    message = ", ".join(parts) + "."
    if good and not found.divergences:
        return Finding("sampling", "PASS", message)
    return Finding(
        "sampling",
        "REVIEW",
        message,
        "Fit again with engine='nuts' and more draws before deciding.",
    )


def reach(forecast: Forecast) -> Finding:
    """Say how far beyond the fitted runs the forecast points lie."""
    furthest = float(forecast.extrapolation_factor.max())
    message = (
        f"The furthest point has {numbers.times(furthest)} the compute of the largest fitted run."
    )
    if furthest <= FAR:
        return Finding("reach", "PASS", message)
    return Finding(
        "reach", "REVIEW", message, "Train a run between the two: its interval rests on the prior."
    )


def held_out_coverage(hidden: HeldOut) -> Finding:
    """Say whether the intervals held the runs that were hidden from the fit."""
    inside = int(hidden.inside(0.9).sum())
    message = f"{inside} of {len(hidden)} hidden runs lie inside their 90 % interval."
    if hidden.coverage(0.9) >= LOW_COVERAGE:
        return Finding("held-out runs", "PASS", message)
    return Finding(
        "held-out runs",
        "REVIEW",
        message,
        "Find out why before relying on the interval: see the hidden runs and the residuals.",
    )
