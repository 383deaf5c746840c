"""Loss in bits, as a perplexity, or no loss at all."""

from __future__ import annotations

import re

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject
from bayescale.runs.schema import BITS_PER_BYTE, LOSS, LOSS_KIND

NAME = "units_loss"
UNIFORM = 12.5
"""Nats per token of guessing among 256 thousand tokens: no trained network is worse."""

TYPICAL = (1.2, 7.0)
"""Median nats per token of trained language models on natural text."""

# A log perplexity is in nats, so these names count only without a log before them.
_OTHER_UNIT = re.compile(
    r"^(?!.*log.*(perplexity|ppl)).*(perplexity|ppl|bits|bp[bc]\b|error|accuracy)", re.IGNORECASE
)


def run(subject: Subject) -> Finding:
    """Look at the names of the losses, their median, and bits per byte beside them."""
    runs = subject.runs
    loss = runs.data[LOSS]
    middle = float(np.median(loss))
    kinds = np.unique(runs.data.get(LOSS_KIND, np.array([""], dtype=np.str_))).tolist()
    named = [kind for kind in kinds if _OTHER_UNIT.search(kind)]
    if named:
        return _finding("REVIEW", f"loss_kind {named[0]!r} does not name nats per token.")
    if runs.has(BITS_PER_BYTE) and np.allclose(loss, runs.data[BITS_PER_BYTE], rtol=1e-6):
        return _finding("FAIL", "loss equals bits_per_byte in every row.")
    if middle > UNIFORM:
        return _finding(
            "FAIL", f"the median loss is {middle:.4g}, worse than guessing: a perplexity?"
        )
    if middle > TYPICAL[1]:
        return _finding("REVIEW", f"the median loss is {middle:.4g}: a perplexity, or untrained?")
    if middle < TYPICAL[0]:
        return _finding(
            "REVIEW", f"the median loss is {middle:.4g}: bits per byte, or another loss?"
        )
    return Finding(NAME, "PASS", f"The median loss is {middle:.4g}, plausible in nats per token.")


def _finding(level: str, message: str) -> Finding:
    return Finding(
        NAME,
        "FAIL" if level == "FAIL" else "REVIEW",
        message,
        "Convert to nats per token: read_runs(frame.assign(loss=numpy.log(frame['loss']))) for a "
        "perplexity, loss=0.6931 * frame['loss'] for bits per token. Laws fit any unit, but "
        "priors and reports mean nats per token.",
    )


CHECK = Check(NAME, (LOSS,), run)
