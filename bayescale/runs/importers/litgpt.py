"""The console of litgpt's pretraining; its CSV and TensorBoard logs are read as such.

A step is one of its iterations, a micro-batch on every device, as in those logs.
"""

from __future__ import annotations

from bayescale.runs.importers.text_log import TextForm

FORM = TextForm(
    "litgpt",
    measured=(
        r"^Epoch \d+ \| iter (?P<step>\d+) step \d+ \| loss train: (?P<train_loss>[^,\s]+)",
        r"^iter (?P<step>\d+): val loss (?P<val_loss>[^,\s]+)",
    ),
    stated=(r"^Total parameters: (?P<n_params>[\d,]+)",),
)
