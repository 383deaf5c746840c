"""Numbers as a reader wants them: few digits, plain units, the same on a page and a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bayescale.runs.numbers import short_count

NONE = "none"
"""Stands for a number that does not exist, such as a price at which funding would pay."""

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def loss(value: float) -> str:
    """Return a loss with four significant digits, trailing zeros kept."""
    return f"{value:#.4g}".rstrip(".") if math.isfinite(value) else NONE


def interval(ends: Sequence[float]) -> str:
    """Return an interval of losses."""
    return f"{loss(ends[0])} to {loss(ends[1])}"


def percent(prob: float) -> str:
    """Return a probability in whole per cent, never a 0 or 100 that it is not."""
    if 0.0 < prob < 0.01:
        return "< 1 %"
    if 0.99 < prob < 1.0:
        return "> 99 %"
    return f"{100 * prob:.0f} %"


def money(value: float) -> str:
    """Return an amount of money without its unit: ``1.24 million``, ``48,300``."""
    if not math.isfinite(value):
        return NONE
    sign, size = ("-" if value < 0 else ""), abs(value)
    for scale, name in ((1e9, "billion"), (1e6, "million")):
        if size >= 0.9995 * scale:
            return f"{sign}{_plain(size / scale)} {name}"
    return f"{sign}{_plain(size)}"


def usd(value: float) -> str:
    """Return an amount of money with its unit."""
    return f"{money(value)} USD" if math.isfinite(value) else NONE


def count(value: float) -> str:
    """Return a number of parameters, tokens or draws: ``6.9B``, ``524K``."""
    return short_count(value)


def counts(ends: Sequence[float]) -> str:
    """Return an interval of counts."""
    return f"{count(ends[0])} to {count(ends[1])}"


def flops(value: float) -> str:
    """Return a count of FLOPs as a power of ten: ``3.2e21`` in print."""
    if not (math.isfinite(value) and value > 0):
        return NONE
    digits, power = f"{value:.1e}".split("e")
    return f"{digits} × 10{str(int(power)).translate(_RAISED)}"  # noqa: RUF001


def times(value: float) -> str:
    """Return a factor: ``1.2x``, ``35x``, ``1,230x``."""
    if value >= 1000:
        return f"{_plain(value)}x"
    return f"{value:.3g}x" if value >= 10 else f"{value:.2g}x"


def number(value: float) -> str:
    """Return any other number with three significant digits."""
    if not math.isfinite(value):
        return NONE
    return _plain(value) if value == 0 or 1e-4 <= abs(value) < 1e6 else flops_like(value)


def flops_like(value: float) -> str:
    """Return a number too large or too small for plain digits as a power of ten."""
    return ("-" if value < 0 else "") + flops(abs(value))


def _plain(value: float) -> str:
    """Return three significant digits without an exponent, thousands separated."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    places = max(0, 2 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text and abs(rounded) >= 100 else text
