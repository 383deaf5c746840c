"""Measure laws one after the other into one file that keeps what was measured before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bayescale.laws import list_laws
from bayescale.runs.save import write_atomically


def measure_each(
    out: Path,
    laws: Sequence[str],
    measure: Callable[[str], dict[str, Any]],
    seconds: float = float("inf"),
) -> None:
    """Write what is measured of each law, as it is done.

    Parameters
    ----------
    out : Path
        JSON, by law; what it holds of others stays.
    laws : sequence of str
        Laws to measure, again if need be; when empty, those that `out` does not hold.
    measure : callable
        Takes a law's name.
    seconds : float
        No law is begun after these.
    """
    kept = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    started = time.monotonic()
    for name in laws or [law for law in list_laws() if law not in kept]:
        if time.monotonic() - started > seconds:
            break
        kept[name] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **measure(name)}
        print(name, json.dumps(kept[name]), flush=True)
        content = json.dumps(dict(sorted(kept.items())), indent=1) + "\n"
        write_atomically(out, lambda part, text=content: part.write_text(text))
