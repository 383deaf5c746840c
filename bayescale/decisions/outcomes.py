"""What each candidate and each pilot promises, in losses and in money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CandidateOutcome:
    """What funding one candidate promises.

    Parameters
    ----------
    name : str
        Name in the plan.
    inputs : mapping of str to float
        ``n_params`` and ``n_tokens``, and ``flops`` where the plan states it.
    label : tuple of str
        Group of the fit; empty for one group.
    flops : float
        Training compute, FLOPs.
    cost_usd : float
        Price of the run, failure allowance included.
    extrapolation_factor : float
        Its compute over that of the largest fitted run, 6 N D on both sides.
    loss_median : float
        Predictive median, nats per token.
    loss_interval_50, loss_interval_90 : tuple of float
        Central predictive intervals of one new run's loss.
    prob_target : float
        Probability that its loss is at most the target's.
    expected_net_value_usd : float
        Value times `prob_target`, minus `cost_usd`.
    break_even_value_usd : float
        Worth of the target above which funding pays; infinite when the target is out of reach.
    break_even_price_usd_per_gpu_hour : float
        Price below which funding pays.
    prob_best : float
        Probability of the lowest loss among the candidates.
    """

    name: str
    inputs: Mapping[str, float]
    label: tuple[str, ...]
    flops: float
    cost_usd: float
    extrapolation_factor: float
    loss_median: float
    loss_interval_50: tuple[float, float]
    loss_interval_90: tuple[float, float]
    prob_target: float
    expected_net_value_usd: float
    break_even_value_usd: float
    break_even_price_usd_per_gpu_hour: float
    prob_best: float


@dataclass(frozen=True, kw_only=True)
class PilotOutcome:
    """What making one pilot first promises.

    Parameters
    ----------
    name, inputs, label, flops, cost_usd
        As in `CandidateOutcome`.
    evsi_usd : float
        Expected value of seeing its loss before deciding.
    evsi_se_usd : float
        Monte Carlo standard error of `evsi_usd`.
    net_gain_usd : float
        `evsi_usd` minus `cost_usd`.
    """

    name: str
    inputs: Mapping[str, float]
    label: tuple[str, ...]
    flops: float
    cost_usd: float
    evsi_usd: float
    evsi_se_usd: float
    net_gain_usd: float
