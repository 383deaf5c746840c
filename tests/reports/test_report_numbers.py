"""Numbers as they stand on the page."""

from __future__ import annotations

import math

import pytest

from bayescale.reports import numbers


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (numbers.money, 1.24e6, "1.24 million"),
        (numbers.money, 999_999, "1.00 million"),
        (numbers.money, 123_456, "123,000"),
        (numbers.money, -3.2e9, "-3.20 billion"),
        (numbers.money, 12.5, "12.5"),
        (numbers.money, 0.00032, "0.000320"),
        (numbers.money, 0.0, "0"),
        (numbers.money, math.inf, "none"),
        (numbers.usd, 100, "100 USD"),
        (numbers.count, 7e9, "7B"),
        (numbers.count, 524_288, "524K"),
        (numbers.count, 1.4e12, "1.4T"),
        (numbers.count, 12, "12"),
        (numbers.flops, 3.21e21, "3.2 \N{MULTIPLICATION SIGN} 10²¹"),
        (numbers.loss, 2.1, "2.100"),
        (numbers.loss, 10.123, "10.12"),
        (numbers.percent, 0.713, "71 %"),
        (numbers.percent, 0.004, "< 1 %"),
        (numbers.percent, 0.9999, "> 99 %"),
        (numbers.percent, 0.0, "0 %"),
        (numbers.times, 1.24, "1.2x"),
        (numbers.times, 35.1, "35.1x"),
        (numbers.times, 1234, "1,230x"),
    ],
)
def test_numbers_as_text(write, value, text) -> None:
    assert write(value) == text
