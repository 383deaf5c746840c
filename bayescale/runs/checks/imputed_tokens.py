"""Tokens that were computed from compute and not counted."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject
from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS
from bayescale.runs.wording import map_hint

NAME = "imputed_tokens"


def run(subject: Subject) -> Finding:
    """Look for 6 N D that equals flops although D is nothing anybody counted.

    Counted tokens are steps times batch, so they end in zeros, decimal or binary; planned ones
    are a round multiple of N. Where C was computed from D, D takes fewer values than C.
    """
    runs = subject.runs
    if FLOPS in runs.derived:
        return Finding(NAME, "PASS", "No flops column that tokens could come from.")
    equal = float(np.mean(np.abs(runs.data[FLOPS] / runs.compute_6nd - 1) < 1e-6))
    tokens, ratio = runs.data[N_TOKENS], runs.data[N_TOKENS] / runs.data[N_PARAMS]
    planned = np.isclose(ratio, np.round(ratio), rtol=1e-9, atol=0)
    odd = ((tokens % 1000) != 0) & ((tokens % 1024) != 0) & ~planned
    budgets = np.unique(np.round(np.log10(runs.data[FLOPS]), 4)).size
    if equal < 0.8 or odd.mean() < 0.5 or np.unique(tokens).size < budgets:
        return Finding(NAME, "PASS", f"6 N D equals flops in {equal:.0%} of the rows.")
    return Finding(
        NAME,
        "REVIEW",
        f"6 N D equals flops to 1e-6 in {equal:.0%} of the rows, flops takes {budgets} "
        f"distinct values, and n_tokens such as {tokens[odd][0]:.0f} are multiples of no batch: "
        "D was computed from C.",
        "Errors of C and N then sit in D. Give the counted tokens if you have them: "
        f"{map_hint(N_TOKENS)}.",
    )


CHECK = Check(NAME, (FLOPS, N_PARAMS, N_TOKENS), run)
