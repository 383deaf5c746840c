"""Structure in what the law alone leaves of the runs."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from scipy import stats

from bayescale.inference.checks.linear import best_fit, noise_rotation, orthonormal
from bayescale.inference.checks.subject import Check, FittedGroup, Subject
from bayescale.models.catalog import DEFAULT_MODEL, WEAK_MODEL
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem
from bayescale.runs.finding import Finding, listed

NAME = "residual_structure"
FALSE_ALARMS = 0.01
"""Share of tables that the law describes exactly, with normal noise, that raise an alarm."""

FEWEST_LEFT = 3
"""Degrees of freedom that must be left to know the noise."""

SEEN = 1e-3
"""Share of a term that the law must leave unexplained for the term to be tested."""


def run(subject: Subject) -> Finding:
    """Test the law's least-squares residuals for terms quadratic in the logs of its inputs.

    An F-test of all the terms at once, on what they add to the law linearised about its best fit:
    (log N)^2, log N x log D and (log D)^2, and so log compute squared.

    Notes
    -----
    Of 2000 additive tables the additive law raised it in 1.2 %. Of 100 coupled ones (gamma .6, 60
    runs, noise .4 %) it raised it in all where they spanned 2.5 decades of compute and D/N 4 to
    100, and in 71 where they spanned 2.2 and 5 to 80: a narrow design hides a bend. On isoFLOP
    tables of 60 runs (six budgets, 1 % noise) it raised it in all of 200 with gamma .5 and in 2 of
    400 additive ones.
    """
    tested = [(group, *_test(group, subject)) for group in subject.groups]
    known = [(group, p, term) for group, p, term in tested if term]
    if not known:
        return Finding(NAME, "PASS", "Not checked: too few runs to know noise from structure.")
    # As many tests as groups: each must pass a level that many times stricter.
    found = [(g, p, t) for g, p, t in known if p * len(known) < FALSE_ALARMS]
    law, spec = subject.posterior.law.name, subject.posterior.spec
    if not found:
        return Finding(NAME, "PASS", f"No structure in what the {law} law leaves of the runs.")
    said = listed([g.named(f"most along {term} (p = {p:.2g})") for g, p, term in found])
    message = f"The {law} law bends where the runs do not, {said}."
    if spec.discrepancy is not None:
        message += " Its own error is carried by the model's discrepancy."
        advice = "Read forecasts, which hold that error; exponents and E are the law's alone."
    else:
        message += f" Model {spec.name} takes the law as exact, so its intervals are too narrow."
        advice = (
            f"Fit with model='{DEFAULT_MODEL}', or '{WEAK_MODEL}' for a table unlike the public"
            " ones: they carry the law's error into the interval."
        )
    return Finding(NAME, "REVIEW", message, advice)


def _test(group: FittedGroup, subject: Subject) -> tuple[float, str]:
    """Return the p-value of one group and the term that explains most; no term if untested."""
    fitted = best_fit(group.problem, subject.coordinates(group).mean(axis=0))
    explained = orthonormal(fitted.jacobian)
    names, columns = _terms(group.problem)
    left = fitted.residuals - explained @ (explained.T @ fitted.residuals)
    added = columns - explained @ (explained.T @ columns)
    seen = np.linalg.norm(added, axis=0) > SEEN
    if not seen.any():
        return 1.0, ""
    basis = orthonormal(added[:, seen])
    dof = len(left) - explained.shape[1] - basis.shape[1]
    if dof < FEWEST_LEFT:
        return 1.0, ""
    carried = float(((basis.T @ left) ** 2).sum())
    # Structure smaller than what a seed alone does is of no concern, however exact the table.
    noise = max((float(left @ left) - carried) / dof, group.problem.spec.noise.floor**2)
    ratio = carried / basis.shape[1] / noise
    share = np.abs(added.T @ left) / np.maximum(np.linalg.norm(added, axis=0), SEEN)
    return float(stats.f.sf(ratio, basis.shape[1], dof)), names[int(share.argmax())]


def _terms(problem: Problem) -> tuple[list[str], Floats]:
    """Return every product of two logs of inputs, unit length and rotated like the noise."""
    logs = problem.positions - problem.positions.mean(axis=0)
    inputs, names, columns = problem.law.inputs, [], []
    for i, j in combinations_with_replacement(range(len(inputs)), 2):
        square = f"(log {inputs[i]})^2"
        names.append(square if i == j else f"log {inputs[i]} x log {inputs[j]}")
        columns.append(logs[:, i] * logs[:, j])
    if len(inputs) == 1:
        names.append(f"(log {inputs[0]})^3")
        columns.append(logs[:, 0] ** 3)
    rotated = np.asarray(noise_rotation(problem)(np.array(columns))).T
    size = np.linalg.norm(rotated, axis=0)
    # An input that never varies has no terms: columns of zeros, which the test does not see.
    return names, rotated / np.where(size > 0.0, size, 1.0)


CHECK = Check(NAME, run)
