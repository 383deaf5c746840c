"""Number words and labels."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescale.runs.numbers import SUFFIXES, as_labels, as_numbers, label, parse_number


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1.5B", 1.5e9),
        ("2e12", 2e12),
        ("70M", 7e7),
        ("70m", 7e7),
        ("1_000", 1e3),
        ("1,000", 1e3),
        ("12,345,678.5", 12345678.5),
        ("300 K", 3e5),
        ("1.4T", 1.4e12),
        ("2G", 2e9),
        ("3Q", 3e15),
        ("0.07B", 7e7),
        (".5M", 5e5),
        (" 42 ", 42.0),
        ("-3", -3.0),
    ],
)
def test_number_words(word: str, value: float) -> None:
    assert parse_number(word) == value


@pytest.mark.parametrize("word", ["", "NaN", "N/A", "null", " none "])
def test_words_for_a_missing_value(word: str) -> None:
    assert math.isnan(parse_number(word))


@pytest.mark.parametrize(
    "word",
    ["about 4e9", "1,00", "1,0000", "1.5X", "B", "1e5M", "2.3.4", "1__0", "M5", "5 %", "0x10"],
)
def test_anything_else_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=word.replace(".", r"\.")):
        parse_number(word)


@pytest.mark.parametrize("word", ["3.1M", "3,123", "2 B"])
def test_a_loss_has_no_suffix_and_no_thousands(word: str) -> None:
    with pytest.raises(ValueError, match=word.replace(".", r"\.")):
        parse_number(word, counts=False)


@given(st.floats(allow_nan=False))
def test_every_float_reads_back(value: float) -> None:
    assert parse_number(repr(value), counts=False) == value


@given(st.integers(0, 10**15), st.sampled_from(sorted(SUFFIXES)), st.booleans())
def test_a_suffix_multiplies_exactly(count: int, suffix: str, lower: bool) -> None:
    word = f"{count}{suffix.lower() if lower else suffix}"
    assert parse_number(word) == float(count * 10 ** SUFFIXES[suffix])


@given(st.integers(0, 10**15))
def test_thousands_separators_change_nothing(count: int) -> None:
    assert parse_number(f"{count:,}") == parse_number(f"{count:_}") == float(count)


@given(st.text(max_size=12))
def test_a_word_is_a_number_or_a_value_error(word: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_number(word), float)


def test_booleans_complex_numbers_and_lists_are_no_numbers() -> None:
    values, refused = as_numbers([True, 1 + 2j, [1], "x", 7, None], 6, counts=True)
    np.testing.assert_array_equal(values, [np.nan, np.nan, np.nan, np.nan, 7.0, np.nan])
    assert refused == {0: "True", 1: "(1+2j)", 2: "[1]", 3: "x"}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (42.0, "42"),
        (42, "42"),
        ("42", "42"),
        (" c4 ", "c4"),
        ("c4\r\n  val", "c4 val"),
        (None, ""),
        (np.nan, ""),
        (0.5, "0.5"),
    ],
)
def test_labels(cell: object, text: str) -> None:
    assert label(cell) == text
    assert as_labels([cell]).tolist() == [text]
