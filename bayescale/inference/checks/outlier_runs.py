"""Runs that the model, fitted to the others, did not expect."""

from __future__ import annotations

import numpy as np
from scipy import stats

from bayescale.inference.checks.linear import linear_at
from bayescale.inference.checks.subject import Check, FittedGroup, Subject
from bayescale.models.density import variances
from bayescale.models.discrepancy import Floats
from bayescale.runs.finding import Finding, listed

NAME = "outlier_runs"
LARGEST = 4.0
"""Standard deviations from what the other runs predict; 60 good runs pass it once in 260 tables."""

FEWEST_LEFT = 3
"""Degrees of freedom that must be left to know the noise without the run."""

FREE = 1e-9
"""Share of a run's variance that the other runs must determine for it to be judged."""


def run(subject: Subject) -> Finding:
    """Predict each run from the others in closed form, the law linearised about its mean."""
    said: list[str] = []
    rows: list[int] = []
    for group in subject.groups:
        z = left_out(group, subject)
        far = np.abs(z) > LARGEST
        rows += group.rows(far)
        worst = np.argsort(-np.abs(z))[: int(far.sum())]
        said += [group.named(f"{group.run_text(k)} ({z[k]:+.1f} sd)") for k in worst.tolist()]
    if not said:
        message = f"No run lies {LARGEST:g} sd from what the other runs predict of it."
        return Finding(NAME, "PASS", message)
    more = f"; and {len(said) - 3} more" if len(said) > 3 else ""
    verb = "lie" if len(said) > 1 else "lies"
    return Finding(
        NAME,
        "REVIEW",
        f"{len(said)} of {subject.posterior.n_runs} runs {verb} more than {LARGEST:g} sd from what"
        f" the other runs predict: {listed(said[:3])}{more}.",
        "Did they diverge, or follow another recipe? Set status to diverged, or leave them out with"
        " where=, and see whether the forecast moves.",
        tuple(rows),
    )


def left_out(group: FittedGroup, subject: Subject) -> Floats:
    """Return z of each run of a group against its prediction from the others, shape (n,).

    Coefficients are free, the ratio of discrepancy to noise is the posterior median, and their
    common scale is estimated without the run: the externally studentised residual of generalised
    least squares, on the normal scale.

    References
    ----------
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, equations 5.10 to 5.12,
    for leaving one out in closed form.
    """
    problem = group.problem
    near = linear_at(problem, subject.coordinates(group).mean(axis=0))
    precision = _precision(group, subject)
    carried = precision @ near.jacobian
    inner = np.linalg.pinv(near.jacobian.T @ carried, rcond=1e-10, hermitian=True)
    inside = precision - carried @ inner @ carried.T
    dof = len(problem) - np.linalg.matrix_rank(near.jacobian) - 1
    own = np.diag(inside) / np.diag(precision)
    if dof < FEWEST_LEFT:
        return np.zeros(len(problem))
    z = inside @ near.residuals / np.sqrt(np.diag(precision) * np.maximum(own, FREE))
    z = np.where(own > FREE, z, 0.0)
    others = np.maximum(near.residuals @ inside @ near.residuals - z**2, np.finfo(float).tiny)
    t = z * np.sqrt(dof / others)
    return np.asarray(-np.sign(t) * stats.norm.ppf(stats.t.sf(np.abs(t), dof)))


def _precision(group: FittedGroup, subject: Subject) -> Floats:
    """Return the inverse covariance of log loss about the law, at the median sigma and tau."""
    problem = group.problem
    draws = subject.posterior.coefficients(group.index)
    tau = float(np.median(draws["tau"])) if "tau" in draws else 0.0
    floor, sigma = problem.spec.noise.floor, float(np.median(draws["sigma"]))
    v = variances(problem.whitening.eigenvalues, sigma, tau, floor)
    rotation = problem.whitening.rotation
    return np.asarray(np.diag(1.0 / v) if rotation is None else (rotation / v) @ rotation.T)


CHECK = Check(NAME, run)
