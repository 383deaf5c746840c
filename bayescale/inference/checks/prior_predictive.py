"""Losses that the model's prior all but excludes, and floors that a user's own does."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from bayescale.inference.checks.subject import Check, FittedGroup, Subject
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.runs.finding import Finding, listed
from bayescale.runs.wording import rows_text

NAME = "prior_predictive"
PROB = 0.99
"""Central probability of the prior predictive of one run's loss that a loss must lie in."""

DRAWS = 2000


def run(subject: Subject) -> Finding:
    """Place each loss in the distribution that prior and noise give it before the fit."""
    spec = subject.posterior.spec
    if spec.pools:
        return Finding(NAME, "PASS", "Not checked: the prior of a pooled group is its population.")
    said: list[str] = []
    rows: list[int] = []
    for group in subject.groups:
        probability = _probabilities(group)
        outside = np.abs(probability - 0.5) > PROB / 2
        if outside.any():
            worst = int(np.abs(probability - 0.5).argmax())
            text = f"{rows_text(outside)}, furthest {group.run_text(worst)}"
            said.append(group.named(text))
            rows += group.rows(outside)
    beside = [
        group.named(text) for group in subject.groups for text in _left_behind(group, subject)
    ]
    inside = f"the central {100 * PROB:g} % of what model {spec.name} expects before the fit"
    if beside:
        return Finding(
            NAME,
            "FAIL",
            f"The runs do not allow what a prior of yours says: {listed(beside)}.",
            "Is it in the unit of the losses? Correct it, or leave it out.",
            tuple(rows),
        )
    if not said:
        return Finding(NAME, "PASS", f"Every loss lies in {inside}.")
    return Finding(
        NAME,
        "FAIL",
        f"Losses lie outside {inside}: {listed(said)}.",
        "Check the units of loss, N and D (bayescale check); if they are right, use a _weak model"
        " or state priors of your own.",
        tuple(rows),
    )


def _left_behind(group: FittedGroup, subject: Subject) -> list[str]:
    """Return the textbook quantities that the fit puts outside of the prior stated for them."""
    found = []
    for symbol, prior in (group.problem.spec.derived_priors or {}).items():
        low, high = map(float, prior.quantile(np.array([0.5 - PROB / 2, 0.5 + PROB / 2])))
        mean = float(subject.posterior.textbook(group.index)[symbol].mean())
        if not low <= mean <= high:
            found.append(f"{symbol} {low:.4g} to {high:.4g} at {100 * PROB:g} %, fitted {mean:.4g}")
    return found


def _probabilities(group: FittedGroup) -> Floats:
    """Return the prior predictive probability of a lower loss, for each run, shape (n,)."""
    problem, density = group.problem, Density(group.problem)
    x = density.sample_prior(DRAWS, np.random.default_rng(0))
    values = density.constrain(x)
    noise = problem.spec.noise
    variance = values["sigma"] ** 2 + noise.floor**2
    if noise.nu is not None:
        variance = variance * noise.nu / (noise.nu - 2.0)
    if problem.spec.discrepancy is not None:
        own = problem.amplitude(problem.positions)
        variance = variance + (values["tau"] * own) ** 2
    z = (problem.log_loss - density.log_loss(x)) / np.sqrt(variance)
    return np.asarray(ndtr(z).mean(axis=0))


CHECK = Check(NAME, run)
