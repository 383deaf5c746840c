"""Many passes over the same tokens."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, positions
from bayescale.runs.schema import EPOCHS, N_TOKENS, N_TOKENS_UNIQUE
from bayescale.runs.wording import rows_text, where_hint

NAME = "repeated_data"
MANY = 4.0
"""Passes up to which repeated tokens are worth about as much as new ones."""


def run(subject: Subject) -> Finding:
    """Look at ``epochs``, or at tokens seen over distinct tokens."""
    runs = subject.runs
    if runs.has(EPOCHS):
        epochs, call = runs.data[EPOCHS], where_hint("epochs<=4")
    elif runs.has(N_TOKENS_UNIQUE):
        epochs = runs.data[N_TOKENS] / runs.data[N_TOKENS_UNIQUE]
        call = "runs.select(runs.numbers('n_tokens') <= 4 * runs.numbers('n_tokens_unique'))"
    else:
        return Finding(NAME, "PASS", "Not checked: no column epochs or n_tokens_unique.")
    many = epochs > MANY
    if not many.any():
        return Finding(NAME, "PASS", f"At most {np.nanmax(epochs):.3g} passes over the tokens.")
    return Finding(
        NAME,
        "REVIEW",
        f"More than {MANY:g} passes over the tokens (up to {np.nanmax(epochs):.3g}) in "
        f"{rows_text(many)}: repeated tokens are worth less.",
        f"Use a law that takes n_tokens_unique (bayescale laws), or keep fewer passes: {call}.",
        positions(many),
    )


CHECK = Check(NAME, (N_TOKENS,), run)
