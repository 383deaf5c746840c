"""Another tokenizer inside one group."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, listed, positions
from bayescale.runs.mixed import ways_out
from bayescale.runs.schema import TOKENIZER
from bayescale.runs.wording import counts_text, map_hint

NAME = "one_tokenizer"


def run(subject: Subject) -> Finding:
    """Count the tokenizers of each group: nats per token compare within one only."""
    runs = subject.runs
    said, rows = [], []
    for key, found in runs.group_rows(subject.group).items():
        names = runs.data[TOKENIZER][found]
        if np.unique(names).size > 1:
            said.append(": ".join([*(key and [", ".join(key)]), counts_text(names)]))
            rows.append(found)
    if not said:
        return Finding(NAME, "PASS", "One tokenizer in each group.")
    return Finding(
        NAME,
        "FAIL",
        f"A group holds several tokenizers: {listed(said)}.",
        ways_out({TOKENIZER: runs.data[TOKENIZER]}, subject.group)
        + f" Or compare bits: {map_hint('loss', 'bits_per_byte')}.",
        positions(np.concatenate(rows)),
    )


CHECK = Check(NAME, (TOKENIZER,), run)
