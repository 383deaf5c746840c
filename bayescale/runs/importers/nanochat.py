"""The console of nanochat's base training; its held-out loss is in bits per byte."""

from __future__ import annotations

from bayescale.runs.importers.text_log import TextForm

FORM = TextForm(
    "nanochat",
    measured=(
        r"^step (?P<step>\d+)(?:/\d+)? \([\d.]+%\) \| loss: (?P<train_loss>\S+)",
        r"^Step (?P<step>\d+) \| Validation bpb: (?P<bits_per_byte>\S+)",
    ),
    stated=(
        r"^Number of parameters: (?P<n_params>[\d,]+)",
        r"^total +: (?P<n_params>[\d,]+)",
        r"^Total batch size (?P<batch_tokens>[\d,]+)",
        r"^Calculated number of iterations.*: (?P<n_steps>[\d,]+)",
        r"^step \d+/(?P<n_steps>\d+) ",
    ),
)
