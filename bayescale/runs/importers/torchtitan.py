"""The console of torchtitan, with or without colours, of the first rank or of all."""

from __future__ import annotations

from bayescale.runs.importers.text_log import TextForm

FORM = TextForm(
    "torchtitan",
    measured=(
        r"(?<!validate )\bstep:\s+(?P<step>\d+)\s+loss:\s+(?P<train_loss>\S+)",
        r"validate step:\s+(?P<step>\d+)\s+loss:\s+(?P<val_loss>\S+)",
    ),
    stated=(
        r"\bsize: (?P<n_params>[\d,]+) total parameters",
        r"global batch size (?P<batch_sequences>\d+)",
        r"sequence length (?P<context>\d+)",
        r"total steps (?P<n_steps>\d+)",
    ),
)
