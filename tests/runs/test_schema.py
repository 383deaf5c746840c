"""The schema: one meaning for a name, and nothing to install."""

from __future__ import annotations

import sys
from collections import Counter

from bayescale.runs import schema


def test_no_spelling_has_two_meanings() -> None:
    names = [s.lower() for c in schema.COLUMNS for s in {c.name, *c.spellings}]
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_constants_are_columns() -> None:
    constants = {
        value for name, value in vars(schema).items() if name.isupper() and isinstance(value, str)
    }
    assert constants <= set(schema.BY_NAME)


def test_numbers_have_units_and_everything_a_meaning() -> None:
    for column in schema.COLUMNS:
        assert bool(column.unit) == (column.kind != "label"), column.name
        assert column.meaning


def test_the_harness_needs_no_package_for_it() -> None:
    with open(schema.__file__, encoding="utf-8") as file:
        imports = [line.split()[1] for line in file if line.startswith(("import ", "from "))]
    assert {name.split(".")[0] for name in imports} <= set(sys.stdlib_module_names) | {"__future__"}
