"""What each candidate and each pilot promises, in losses and in money."""

from __future__ import annotations

import math
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
        What it brings on average, cost subtracted. For a step in value without inference demand:
        value times `prob_target`, minus `cost_usd`.
    break_even_value_usd : float
        Worth of the target above which funding pays, by the plan's attitude to risk; infinite when
        the target is out of reach, or no prize makes up for the risk.
    break_even_price_usd_per_gpu_hour : float
        Price of training below which funding pays, by the plan's attitude to risk.
    prob_best : float
        Probability of the lowest loss among the candidates.
    certain_usd : float or None
        The sure sum that funding it is as good as; None without an attitude to risk.
    regret_usd : float
        What knowing all losses beforehand would bring beyond funding it, on average.
    serving_usd : float
        Cost of serving its network for life.
    days : float or None
        Days it takes; None where the plan states no GPUs.
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
    certain_usd: float | None = None
    regret_usd: float = 0.0
    serving_usd: float = 0.0
    days: float | None = None

    @property
    def weighed_usd(self) -> float:
        """What funding it is as good as: `certain_usd`, or its mean without an attitude to risk."""
        return self.expected_net_value_usd if self.certain_usd is None else self.certain_usd


@dataclass(frozen=True, kw_only=True)
class PilotOutcome:
    """What making one pilot first promises.

    Parameters
    ----------
    name, inputs, label, flops, cost_usd, days
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
    days: float | None = None

    @property
    def net_gain_per_usd(self) -> float:
        """Net gain for each USD that the pilot costs; infinite for a free one that gains."""
        return per_usd(self.net_gain_usd, self.cost_usd)


@dataclass(frozen=True, kw_only=True)
class PilotSet:
    """What making several pilots first promises, before one decision.

    Parameters
    ----------
    names : tuple of str
        The pilots, in the order in which they were added.
    cost_usd, evsi_usd, evsi_se_usd, net_gain_usd : float
        Of all of them together, as in `PilotOutcome`.
    """

    names: tuple[str, ...]
    cost_usd: float
    evsi_usd: float
    evsi_se_usd: float
    net_gain_usd: float

    @property
    def name(self) -> str:
        """The pilots' names, joined."""
        return " + ".join(self.names)

    @property
    def net_gain_per_usd(self) -> float:
        """Net gain for each USD that the pilots cost."""
        return per_usd(self.net_gain_usd, self.cost_usd)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What it takes to meet the target with the probability that the plan asks for.

    Parameters
    ----------
    probability : float
        Asked for.
    name : str
        Candidate whose D/N is kept.
    flops, n_params, n_tokens, cost_usd : float or None
        The smallest such run; None when no run within reach has that probability.
    factor : float or None
        Its compute over the candidate's.
    """

    probability: float
    name: str
    flops: float | None
    n_params: float | None
    n_tokens: float | None
    cost_usd: float | None
    factor: float | None


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The best split of a candidate's compute between parameters and tokens, under the law.

    Parameters
    ----------
    name : str
        The candidate.
    flops : float
        Its compute; where `lifetime_tokens` is set, with that of serving.
    lifetime_tokens : float
        Inference demand that the split pays for too; zero for none.
    n_params, n_tokens : float
        Posterior medians of the best split.
    n_params_90, n_tokens_90 : tuple of float
        Central 90 % intervals.
    regret : float
        Loss of the candidate above that of the best split, nats per token, on average.
    """

    name: str
    flops: float
    lifetime_tokens: float
    n_params: float
    n_params_90: tuple[float, float]
    n_tokens: float
    n_tokens_90: tuple[float, float]
    regret: float


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """An assumption of the plan, and where it would turn funding from paying to not paying.

    Parameters
    ----------
    name : str
        Field of the plan.
    stated : float
        Its value.
    flips_at : float or None
        The nearest value at which funding the chosen candidate breaks even, all else as stated;
        None when there is none within a factor of a thousand.
    """

    name: str
    stated: float
    flips_at: float | None


def per_usd(gain: float, cost: float) -> float:
    """Return a gain for each USD spent."""
    return gain / cost if cost > 0 else math.inf * gain if gain else 0.0
