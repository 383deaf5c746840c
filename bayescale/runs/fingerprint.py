"""One hash for the content of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np


def fingerprint(data: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of column names, values and row order; the order of columns is free."""
    digest = hashlib.sha256()
    for column in sorted(data):
        values = data[column]
        # Sizes go in, so that no two different tables can give the same bytes.
        digest.update(f"{len(column)}:{column}:{values.dtype.kind}:{values.size}\n".encode())
        if values.dtype.kind == "f":
            # Equal values give equal bytes: there are many nan and two zeros.
            values = np.where(np.isnan(values), np.nan, values) + 0.0
            digest.update(values.astype("<f8").tobytes())
        else:
            digest.update("".join(f"{len(v)}:{v}" for v in values.tolist()).encode())
    return digest.hexdigest()
