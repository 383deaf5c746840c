"""What `benchmarks/laws_recovery.py` wrote down covers the catalogue and holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bayescale.laws import list_laws, load_law

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"

FALSE_ALARM = 0.01
"""Over the whole catalogue, were every sampler right."""


@pytest.fixture(scope="module")
def scores() -> Mapping[str, Mapping[str, Any]]:
    return json.loads((RESULTS / "laws_recovery.json").read_text(encoding="utf-8"))


def test_every_law_has_its_tables(scores):
    assert tuple(scores) == list_laws()
    assert {score["tables"] for score in scores.values()} == {100}


def test_scores_are_those_of_the_engine_that_the_law_asks_for(scores):
    engines = {name: "tempered" if load_law(name).needs_chains else "amis" for name in scores}
    assert {name: score["engine"] for name, score in scores.items()} == engines


def test_no_law_raises_an_alarm_over_the_whole_catalogue(scores):
    low = {n for n, score in scores.items() if score["p_value"] < FALSE_ALARM / len(scores)}
    assert not low
    assert not {n for n, score in scores.items() if not score["holds"]}


def test_every_law_converges_on_a_table_of_its_own():
    found: dict[str, bool] = {}
    for engine in ("nuts", "tempered"):
        text = (RESULTS / f"laws_under_{engine}.json").read_text(encoding="utf-8")
        for name, score in json.loads(text).items():
            if load_law(name).needs_chains == (engine == "tempered"):
                found[name] = score["passes"]
    assert tuple(sorted(found)) == list_laws()
    assert all(found.values()), [name for name, passes in found.items() if not passes]
