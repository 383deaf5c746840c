"""Baselines of the backtest: what the field does today, one file each."""

from __future__ import annotations

from collections.abc import Callable

from bayescale.forecasts.baselines.huber_bootstrap import HuberBootstrap

BASELINES: dict[str, Callable[[int], HuberBootstrap]] = {
    "huber_bootstrap": lambda seed: HuberBootstrap(seed=seed),
    "huber_bootstrap_bare": lambda seed: HuberBootstrap(residuals=False, seed=seed),
}
"""Name to a baseline with a seed."""
