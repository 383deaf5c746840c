"""Plots: one a file; each takes a result, returns axes and computes nothing.

Matplotlib is imported when a plot is drawn, never through ``pyplot``, so that no window system,
no global state and no backend is touched. In a notebook, show ``axes.figure``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "plot_budget": "budget",
    "plot_coefficients": "coefficients",
    "plot_contrast": "contrast",
    "plot_coverage": "coverage",
    "plot_crossing": "crossing",
    "plot_downstream": "downstream",
    "plot_extrapolation": "extrapolation",
    "plot_forest": "forest",
    "plot_held_out": "held_out",
    "plot_intervals": "intervals",
    "plot_multiplier": "multiplier",
    "plot_probability": "probability",
    "plot_ranking": "ranking",
    "plot_reliability": "reliability",
    "plot_residuals": "residuals",
    "plot_split": "split",
    "plot_variance_components": "variance_components",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a plot on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
