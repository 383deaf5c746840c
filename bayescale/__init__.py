"""bayescale: decide whether to pay for a large training run.

Importing the package imports none of PyMC, PyTorch or pandas; each name loads its room when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXPORTS = {
    "Allocation": "bayescale.decisions.allocate",
    "Choice": "bayescale.decisions.choose",
    "Coefficient": "bayescale.laws",
    "Curve": "bayescale.runs.curves",
    "CurveForecast": "bayescale.forecasts.curve_forecast",
    "CurvePosterior": "bayescale.inference.curve_posterior",
    "Curves": "bayescale.runs.curves",
    "Decision": "bayescale.decisions.decide",
    "Downstream": "bayescale.forecasts.downstream",
    "Forecast": "bayescale.forecasts.forecast",
    "Law": "bayescale.laws",
    "ModelSpec": "bayescale.models.spec",
    "NextRun": "bayescale.decisions.next_run",
    "Posterior": "bayescale.inference.posterior",
    "Prior": "bayescale.laws",
    "Published": "bayescale.laws",
    "Quantity": "bayescale.laws",
    "RunsTable": "bayescale.runs.table",
    "Scenario": "bayescale.decisions.scenario",
    "Schedule": "bayescale.runs.schedule",
    "SequenceLaw": "bayescale.laws",
    "Stopper": "bayescale.forecasts.stopper",
    "Watch": "bayescale.forecasts.watched",
    "allocate": "bayescale.decisions.allocate",
    "backtest": "bayescale.forecasts.backtest",
    "check_posterior": "bayescale.inference.checks.check_posterior",
    "choose": "bayescale.decisions.choose",
    "compare": "bayescale.forecasts.compare",
    "contrast": "bayescale.decisions.choose",
    "count_flops": "bayescale.runs.convention",
    "crossing": "bayescale.decisions.choose",
    "decide": "bayescale.decisions.decide",
    "downstream": "bayescale.forecasts.downstream",
    "fit": "bayescale.inference.fit",
    "fit_curves": "bayescale.inference.curves",
    "flips": "bayescale.decisions.flips",
    "forecast": "bayescale.forecasts.forecast",
    "forecast_curve": "bayescale.forecasts.curve_forecast",
    "lint": "bayescale.runs.lint",
    "list_laws": "bayescale.laws",
    "list_models": "bayescale.models.catalog",
    "list_runs": "bayescale.runs.catalog",
    "list_sequence_laws": "bayescale.laws",
    "load_curve_posterior": "bayescale.inference.curve_posterior",
    "load_decision": "bayescale.decisions.decide",
    "load_forecast": "bayescale.forecasts.forecast",
    "load_law": "bayescale.laws",
    "load_model": "bayescale.models.catalog",
    "load_posterior": "bayescale.inference.posterior",
    "load_registration": "bayescale.forecasts.registration",
    "load_scenario": "bayescale.decisions.scenario",
    "multiplier": "bayescale.decisions.choose",
    "next_run": "bayescale.decisions.next_run",
    "prob_best": "bayescale.decisions.choose",
    "pymc_model": "bayescale.inference.pymc_model",
    "read_curves": "bayescale.runs.curves",
    "read_runs": "bayescale.runs.table",
    "register_forecast": "bayescale.forecasts.registration",
    "score_forecast": "bayescale.forecasts.registration",
    "sensitivity": "bayescale.forecasts.sensitivity",
    "shrinkage": "bayescale.decisions.pooled",
    "usable_laws": "bayescale.laws.usable",
    "variance_components": "bayescale.decisions.pooled",
    "watch": "bayescale.forecasts.watch",
    "write_report": "bayescale.reports.report",
}

__all__ = sorted(_EXPORTS)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the room that holds a public name, on first use."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'bayescale' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
