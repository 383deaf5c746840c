"""How well the posterior was sampled."""

from __future__ import annotations

from bayescale.inference.checks.subject import Check, Subject
from bayescale.inference.fit import missed_gates
from bayescale.runs.finding import Finding

NAME = "sampling"


def run(subject: Subject) -> Finding:
    """Hold khat, effective sample size, R-hat and divergences against their gates."""
    found = subject.posterior.diagnostics
    parts = [f"{found.engine.upper()}", f"{found.ess:,.0f} effective draws"]
    parts += [f"khat {max(found.khat):.2f}"] if found.khat else [f"R-hat {found.rhat:.3f}"]
    missed, message = missed_gates(found), ", ".join(parts)
    if not missed:
        return Finding(NAME, "PASS", f"{message}.")
    return Finding(
        NAME,
        "REVIEW",
        f"{message}: {'; '.join(missed)}.",
        "Fit again with engine='nuts' and more draws before deciding.",
    )


CHECK = Check(NAME, run)
