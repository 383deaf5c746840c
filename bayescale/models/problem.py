"""One group's runs, made ready for a density: log inputs, log loss, constants, whitening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bayescale.errors import InferenceError
from bayescale.laws import Law, Prior, load_law
from bayescale.models.covariates import COVARIATES
from bayescale.models.delivery import BEYOND, moved_back
from bayescale.models.discrepancy import (
    Floats,
    Whitening,
    amplitude,
    kernel,
    trunk_correlation,
    whiten,
)
from bayescale.models.shared_discrepancy import Anchors, choose_anchors, features
from bayescale.models.spec import ModelSpec
from bayescale.runs.schema import N_PARAMS, N_TOKENS

MAX_RUNS_WITH_DISCREPANCY = 3000
"""Beyond this the eigendecomposition takes minutes and gigabytes."""


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What a posterior fixes before it sees a loss, and later questions must share.

    Parameters
    ----------
    reference : mapping of str to float
        The run at which shares are shares, in the inputs' units.
    level : float
        Log loss about which the level's prior is centred.
    log_compute_max : float
        Natural log of the largest product of inputs among the fitted runs.
    log_tokens_max : float
        Natural log of the most tokens of any fitted run; 0 for a law that reads none.
    log_ratio_median : float
        Median log of the fitted runs' tokens per parameter; 0 for a law that does not read both.
    covariates : mapping of str to float
        Those of `COVARIATES` that the model's slopes use.
    anchors : tuple of tuple of float
        Where the discrepancy that siblings share has its basis functions; empty for none.
    """

    reference: Mapping[str, float]
    level: float
    log_compute_max: float
    covariates: Mapping[str, float] = field(default_factory=dict)
    anchors: Anchors = ()
    log_tokens_max: float = 0.0
    log_ratio_median: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One group's runs under one model.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    inputs : mapping of str to array, shape (n,)
        The law's inputs, in their own units.
    log_loss : array, shape (n,)
        The law's output on the scale of the likelihood: the natural log of a loss.
    trunks : array of str, shape (n,)
        Trunk of each run, empty when it has none.
    constants : Constants
        Reference run, level and largest compute.
    levels : mapping of str to str
        Value of each group column, where groups are told apart.
    """

    spec: ModelSpec
    inputs: Mapping[str, Floats]
    log_loss: Floats
    trunks: np.ndarray[Any, Any]
    constants: Constants
    levels: Mapping[str, str] = field(default_factory=dict)
    law: Law = field(init=False)

    def __post_init__(self) -> None:
        """Look the law up."""
        object.__setattr__(self, "law", load_law(self.spec.law))

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.log_loss)

    @cached_property
    def ratios(self) -> dict[str, Floats]:
        """Inputs divided by the reference run."""
        return ratios(self.inputs, self.constants)

    @cached_property
    def positions(self) -> Floats:
        """Natural logs of the positive inputs, others as they are, shape (n, inputs)."""
        return positions(self.law, self.inputs)

    @cached_property
    def whitening(self) -> Whitening:
        """The rotation under which residuals are independent."""
        correlation = trunk_correlation(self.trunks, self.spec.noise.trunk_correlation)
        shape = self.spec.discrepancy
        if shape is None:
            return whiten(None, correlation, len(self))
        if len(self) > MAX_RUNS_WITH_DISCREPANCY:
            raise InferenceError(
                f"model {self.spec.name!r} has a discrepancy, and {len(self)} runs in one group;"
                f" it takes at most {MAX_RUNS_WITH_DISCREPANCY}.",
                "Average repeated measurements, keep final losses only, or use a _plain_ model.",
            )
        covariance = self.own_covariance(self.positions, self.positions)
        return whiten(covariance, correlation, len(self))

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors of the law's coefficients with their means moved by the covariates."""
        slopes, known = self.spec.slopes or {}, self.constants.covariates
        moved = {s: sum(b * known[c] for c, b in by.items()) for s, by in slopes.items()}
        return {s: p.shifted(moved[s]) if s in moved else p for s, p in self.spec.priors.items()}

    @property
    def coordinates(self) -> dict[str, Prior]:
        """Priors of what is sampled of the law: its coefficients, in its order."""
        moved = self.priors
        return {symbol: moved[symbol] for symbol in self.law.symbols}

    def coefficients(
        self,
        values: Mapping[str, Floats],
        inputs: Mapping[str, Floats],  # noqa: ARG002
    ) -> Mapping[str, Floats]:
        """Return the coefficients at some inputs, for values (S, 1) of `coordinates`."""
        return values

    def excess(self, positions: Floats) -> Floats:
        """Return log compute minus that of the largest fitted run, for log inputs (m, dims)."""
        return log_compute(self.law, positions) - self.constants.log_compute_max

    @property
    def kappa(self) -> float:
        """Standard deviation of the share of promised improvement that does not arrive."""
        return self.spec.discrepancy.kappa if self.spec.discrepancy else 0.0

    @cached_property
    def reaches_beyond(self) -> bool:
        """Whether any run lies beyond c*, so that the runs tell what arrives there."""
        return self.kappa > 0.0 and bool((self.excess(self.positions) > BEYOND).any())

    @cached_property
    def ratios_at_edge(self) -> dict[str, Floats]:
        """Input ratios with the runs beyond c* scaled back to it."""
        return moved_back(self.law, self.ratios, self.excess(self.positions))

    def cross_covariance(self, positions: Floats) -> Floats:
        """Return the unit-tau covariance of other points (m, dims) with the runs, (m, n)."""
        return self.own_covariance(positions, self.positions)

    def own_covariance(self, positions: Floats, others: Floats) -> Floats:
        """Return the unit-tau covariance of the discrepancy that no sibling shares, (m, n)."""
        shape = self.spec.discrepancy
        assert shape is not None
        sds, other_sds = self.amplitude(positions), self.amplitude(others)
        whole = kernel(shape, positions, others) * sds[:, None] * other_sds[None, :]
        if not self.constants.anchors:
            return whole
        return whole - self.features(positions) @ self.features(others).T

    def amplitude(self, positions: Floats) -> Floats:
        """Return the discrepancy's standard deviation at unit tau, siblings' share too, (m,)."""
        shape, known = self.spec.discrepancy, self.constants
        assert shape is not None
        tokens = log_tokens(self.law, positions) - known.log_tokens_max
        ratio = log_ratio(self.law, positions) - known.log_ratio_median
        return amplitude(shape, self.excess(positions), tokens, ratio)

    def own_variance(self, positions: Floats) -> Floats:
        """Return the diagonal of `own_covariance` of some positions with themselves, (m,)."""
        whole = self.amplitude(positions) ** 2
        if not self.constants.anchors:
            return np.asarray(whole)
        return np.asarray(np.maximum(whole - (self.features(positions) ** 2).sum(axis=1), 0.0))

    def features(self, positions: Floats) -> Floats:
        """Return what the shared weights multiply at some positions, per unit tau, (m, weights)."""
        shape = self.spec.discrepancy
        if shape is None or not self.constants.anchors:
            return np.zeros((len(positions), 0))
        basis = features(shape, self.constants.anchors, positions, self.amplitude(positions))
        return np.sqrt(shape.shared) * basis


def ratios(inputs: Mapping[str, Floats], constants: Constants) -> dict[str, Floats]:
    """Return inputs divided by the reference run."""
    return {name: values / constants.reference[name] for name, values in inputs.items()}


def positions(law: Law, inputs: Mapping[str, Floats]) -> Floats:
    """Return a law's inputs as columns, logs of those that are positive, shape (n, inputs)."""
    logged = law.positive
    return np.column_stack(
        [np.log(inputs[name]) if name in logged else inputs[name] for name in law.inputs]
    )


def log_compute(law: Law, positions: Floats) -> Floats:
    """Return the log of what runs cost, in the units of the law's inputs, for positions (n, .)."""
    return np.asarray(positions[:, law.cost_columns].sum(axis=1))


def log_tokens(law: Law, positions: Floats) -> Floats:
    """Return the log of tokens for positions (n, .), zeros for a law that reads none."""
    if N_TOKENS not in law.inputs:
        return np.zeros(len(positions))
    return np.asarray(positions[:, law.inputs.index(N_TOKENS)])


def log_ratio(law: Law, positions: Floats) -> Floats:
    """Return the log of tokens per parameter for positions (n, .), zeros for a law without."""
    if N_TOKENS not in law.inputs or N_PARAMS not in law.inputs:
        return np.zeros(len(positions))
    return log_tokens(law, positions) - positions[:, law.inputs.index(N_PARAMS)]


def choose_constants(spec: ModelSpec, inputs: Mapping[str, Floats], log_loss: Floats) -> Constants:
    """Return the constants of a model on one group's runs.

    Parameters
    ----------
    spec : ModelSpec
        The model; its reference is a run or ``"top_decade"``.
    inputs : mapping of str to array, shape (n,)
        The law's inputs.
    log_loss : array, shape (n,)
        The output on the scale of the likelihood.

    Returns
    -------
    Constants
        The level is the median log loss of the top decade of compute.
    """
    law = load_law(spec.law)
    at = positions(law, inputs)
    top = _in_top_decade(law, at)
    used = {name for slopes in (spec.slopes or {}).values() for name in slopes}
    return Constants(
        reference=_reference(spec, law, at),
        level=float(np.median(log_loss[top])),
        log_compute_max=float(log_compute(law, at).max()),
        log_tokens_max=float(log_tokens(law, at).max()),
        log_ratio_median=float(np.median(log_ratio(law, at))),
        covariates={name: COVARIATES[name](inputs) for name in sorted(used)},
    )


def pooled_constants(
    spec: ModelSpec, groups: Sequence[tuple[Mapping[str, Floats], Floats]]
) -> list[Constants]:
    """Return the constants of groups that share a population: all alike but for the level.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    groups : sequence of (inputs, log_loss)
        As for `choose_constants`; a group may be empty, and then takes the median level.

    Returns
    -------
    list of Constants
        One a group. The largest compute is that of all groups: beyond it no sibling was run, and
        one covariate prior speaks about what they have in common. The level is each group's own,
        but where coefficients follow it: then they follow its distance from one constant.
    """
    law = load_law(spec.law)
    full = [group for group in groups if len(group[1])]
    together = {name: np.concatenate([x[name] for x, _ in full]) for name in law.inputs}
    common = choose_constants(spec, together, np.concatenate([y for _, y in full]))
    if spec.discrepancy is not None and spec.discrepancy.shared and len(groups) > 1:
        at = [positions(law, inputs) for inputs, _ in full]
        common = replace(common, anchors=choose_anchors(spec.discrepancy, at, law.cost_columns))
    levels = [choose_constants(spec, *group).level if len(group[1]) else None for group in groups]
    known = float(np.median([level for level in levels if level is not None]))
    if law.symbols[0] in (spec.spreads or {}):
        levels = [known] * len(groups)
    return [replace(common, level=known if level is None else level) for level in levels]


def _reference(spec: ModelSpec, law: Law, positions: Floats) -> dict[str, float]:
    if isinstance(spec.reference, str):
        return _top_decade_mean(law, positions)
    return dict(spec.reference)


def _in_top_decade(law: Law, positions: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    compute = log_compute(law, positions)
    return np.asarray(compute >= compute.max() - np.log(10.0))


def _top_decade_mean(law: Law, positions: Floats) -> dict[str, float]:
    centre = positions[_in_top_decade(law, positions)].mean(axis=0).tolist()
    means = dict(zip(law.inputs, centre, strict=True))
    # Divided by one, an input enters plain.
    own = {k: float(np.exp(mean)) if k in law.ratios else 1.0 for k, mean in means.items()}
    return {name: own[law.quantity(name).shares or name] for name in law.inputs}
