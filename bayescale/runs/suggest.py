"""Which of a table's columns is probably meant, to be said and never to be assumed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bayescale.runs.schema import FLOPS, LOSS, N_PARAMS, N_TOKENS

_WORDS = {N_PARAMS: r"param|size", N_TOKENS: r"tok", LOSS: r"loss", FLOPS: r"flop|compute"}
"""What a header holds that means a column, by canonical name."""

_UNIT = re.compile(r"[(\[_\s](?:in\s)?([kmbgt])(?:illions?|rillions?|housands?)?[)\]]?\s*$", re.I)
"""A unit at the end of a header: ``Size (M)``, ``tokens_B``, ``params in billions``."""

_FACTORS = {"k": "1e3", "m": "1e6", "b": "1e9", "g": "1e9", "t": "1e12"}


def suggestion(ours: str, columns: Iterable[str]) -> str:
    """Return the column that a user probably means, with its factor; empty when none looks so.

    Parameters
    ----------
    ours : str
        Canonical name.
    columns : iterable of str
        Names that a table holds.

    Returns
    -------
    str
        As it is written behind ``--column ours=``: ``loss (nats)``, or ``1e6*Size (M)``.
    """
    words = _WORDS.get(ours)
    found = [c for c in columns if words and re.search(words, c, re.IGNORECASE)]
    if len(found) != 1:
        return ""
    unit = _UNIT.search(found[0]) if ours in (N_PARAMS, N_TOKENS) else None
    return f"{_FACTORS[unit[1].lower()]}*{found[0]}" if unit else found[0]
