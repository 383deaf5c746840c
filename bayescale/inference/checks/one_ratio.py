"""Fitted runs on one ray of D/N, and what is asked off it."""

from __future__ import annotations

import numpy as np

from bayescale.inference.checks.subject import Check, Subject
from bayescale.runs.checks.fixed_ratio import ray
from bayescale.runs.finding import Finding, listed
from bayescale.runs.schema import N_PARAMS, N_TOKENS

NAME = "one_ratio"


def run(subject: Subject) -> Finding:
    """Regress log D on log N in each group."""
    if not {N_PARAMS, N_TOKENS} <= set(subject.posterior.law.inputs):
        return Finding(NAME, "PASS", "Not checked: the law does not read both N and D.")
    said = []
    for group in subject.groups:
        inputs = group.problem.inputs
        found = ray(np.log(inputs[N_PARAMS]), np.log(inputs[N_TOKENS]))
        said += [group.named(found)] if found else []
    if not said:
        return Finding(NAME, "PASS", "The fitted runs vary in N and D apart from each other.")
    return Finding(
        NAME,
        "REVIEW",
        f"The fitted runs lie on one line in (log N, log D): {listed(said)}.",
        "Forecasts along it rest on the runs; off it, and in any allocation, the split between N"
        " and D is the prior's word. Run two pilots at another D/N.",
    )


CHECK = Check(NAME, run)
